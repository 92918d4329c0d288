"""Runs beside each other: which settings differ, how each learned, and their sheets by prompt and seed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final
from uuid import UUID

from hub.access import Viewer
from hub.models import Preview
from trainer.models import TrainingRun
from trainer.prompts import NAME, OWN
from trainer.recipe import Recipe
from trainer.runs import seen

MOST_COMPARED: Final = 4
MOST_OFFERED: Final = 200
BLOCKS: Final = ("G", "A", "B", "E", OWN)
# What is always shown, in the order in which people look for it; any other setting where runs differ in it.
USUAL: Final = {
    "initializer": "Starts from",
    "vectors_per_token": "Vectors",
    "lr": "Rate",
    "lr_schedule": "Rate over time",
    "batch": "Pictures per step",
    "accumulate": "Batches per step",
    "max_steps": "Most steps",
    "seed": "Seed",
}
UNSAID: Final = ("trigger", "base")
# What a setting is that a recipe leaves out, because it is older or the setting is seldom used.
_UNSET: Final = {spec.name: spec.default for spec in fields(Recipe)}


@dataclass(frozen=True)
class Line:
    """One line of the table: a setting or a fact, and what it is in each run. Outcomes always differ: no mark."""

    label: str
    values: list[str]
    is_outcome: bool = False

    @property
    def differs(self) -> bool:
        """Whether the runs were made differently in this."""
        return not self.is_outcome and len(set(self.values)) > 1


@dataclass
class SheetRow:
    """One prompt and seed, and the picture of each run; None where a run has none."""

    block: str
    prompt: str
    seed: int
    pictures: list[Preview | None] = field(default_factory=list)


@dataclass(frozen=True)
class Comparison:
    """Runs, settings line by line, curves `[step, loss, fixed loss, rate]` by run, rows of their sheets."""

    runs: list[TrainingRun]
    settings: list[Line]
    facts: list[Line]
    curves: list[list[list[float | None]]]
    rows: list[SheetRow]


def chosen(viewer: Viewer, *, run_ids: Sequence[UUID]) -> list[TrainingRun]:
    """The runs named that the viewer may know of, each once, in that order; no more than can be compared."""
    found = {
        run.pk: run
        for run in seen.visible(viewer)
        .filter(pk__in=run_ids)
        .select_related("base_model", "version", "embedding__owner")
    }
    return [found[one] for one in dict.fromkeys(run_ids) if one in found][:MOST_COMPARED]


def compare(runs: list[TrainingRun]) -> Comparison:
    """These runs side by side."""
    return Comparison(
        runs=runs,
        settings=_settings(runs),
        facts=_facts(runs),
        curves=[seen.curve(run)[0] for run in runs],
        rows=_rows(runs),
    )


def others(viewer: Viewer, run: TrainingRun) -> list[TrainingRun]:
    """The viewer's other runs, those of the same pictures first, then the newest."""
    recent = seen.list_runs(viewer).exclude(pk=run.pk)[:MOST_OFFERED]
    return sorted(recent, key=lambda one: not same_pictures(one, run))


def siblings(viewer: Viewer, run: TrainingRun) -> list[TrainingRun]:
    """The viewer's other runs of the same pictures, newest first."""
    return [one for one in others(viewer, run) if same_pictures(one, run)]


def same_pictures(one: TrainingRun, other: TrainingRun) -> bool:
    """Whether two runs learned from the same pictures, in whatever order."""
    return bool(one.picture_digests) and sorted(one.picture_digests) == sorted(other.picture_digests)


def _settings(runs: list[TrainingRun]) -> list[Line]:
    lines = [
        Line("Base model", [run.base_model.title for run in runs]),
        Line("Kind", [str(run.recipe["kind"]) for run in runs]),
        Line("Quality", [str(run.recipe.get("preset", "")) for run in runs]),
        *(Line(label, [_said(run.recipe.get(name)) for run in runs]) for name, label in USUAL.items()),
    ]
    told = {*USUAL, *UNSAID, "kind", "preset"}
    rest = dict.fromkeys(name for run in runs for name in run.recipe if name not in told)
    more = [
        Line(
            name.replace("_", " ").capitalize(),
            [_said(run.recipe.get(name, _UNSET.get(name))) for run in runs],
        )
        for name in rest
    ]
    return lines + [line for line in more if line.differs]


def _facts(runs: list[TrainingRun]) -> list[Line]:
    first = runs[0]
    pictures = ["" if same_pictures(run, first) else ", others" for run in runs]
    losses = [run.result.get("losses") or {} for run in runs]
    outcomes = {
        "State": [TrainingRun.State(run.state).label for run in runs],
        "Steps made": [f"{run.step:,}" for run in runs],
        "Ended because": [_ENDED.get(str(run.result.get("stopped_by")), "") for run in runs],
        "Error at first, at last": [_from_to(loss) for loss in losses],
        "Time": [f"{run.seconds / 60:.1f} min" if run.seconds else "" for run in runs],
    }
    return [
        Line(
            "Pictures",
            [f"{len(run.picture_digests)}{said}" for run, said in zip(runs, pictures, strict=True)],
        ),
        *(Line(label, values, is_outcome=True) for label, values in outcomes.items()),
    ]


_ENDED = {"learned": "it had learned", "max_steps": "all steps were made", "stop": "it was stopped"}


def _from_to(losses: dict[str, Any]) -> str:
    ends = [losses.get("first"), losses.get("last")]
    return " → ".join(f"{value:.4f}" for value in ends if isinstance(value, int | float))


def _said(value: Any) -> str:
    """A setting as people read it."""
    match value:
        case None | False:
            return "off"
        case "" | [] | ():
            return "none"
        case True:
            return "on"
        case float():
            return f"{value:g}"
        case list():
            return "\n".join(str(one) for one in value)
        case _:
            return str(value)


def _rows(runs: list[TrainingRun]) -> list[SheetRow]:
    """Cells that any of the runs has, by block, prompt without the word, weight and seed."""
    rows: dict[tuple[Any, ...], SheetRow] = {}
    for place, run in enumerate(runs):
        for cell in _cells(run):
            prompt = cell.prompt.replace(run.trigger, NAME)
            # An own prompt may stand in another row in another run.
            number = 0 if cell.block == OWN else cell.row
            key = (BLOCKS.index(cell.block), number, prompt, cell.parameters.get("weight"), cell.seed)
            row = rows.setdefault(key, SheetRow(cell.block, prompt, cell.seed or 0, [None] * len(runs)))
            row.pictures[place] = cell
    return [rows[key] for key in sorted(rows, key=lambda key: (key[0], key[1], key[2], key[3] or 0, key[4]))]


def _cells(run: TrainingRun) -> list[Preview]:
    if run.version is None:
        return []
    found = run.version.previews.filter(role=Preview.Role.IMAGE, block__in=BLOCKS, is_control=False)
    return list(found.order_by("block", "row", "column"))
