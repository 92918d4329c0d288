"""How runs stand that are shown in a list: asked for all of them together, however many they are."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from trainer.models import Checkpoint, TrainingRun
from trainer.runs import queueing


@dataclass(frozen=True)
class Outlook:
    """Where a run stands in line, the seconds it still needs, and the steps it can be gone on from, newest first."""

    standing: queueing.Standing | None = None
    seconds_left: float | None = None
    kept_steps: list[int] = field(default_factory=list)


def outlooks(runs: Sequence[TrainingRun]) -> dict[UUID, Outlook]:
    """The outlook of each run."""
    standings, estimates, kept = queueing.standings(runs), queueing.estimates(runs), _kept_steps(runs)
    return {run.pk: Outlook(standings.get(run.pk), estimates[run.pk], kept[run.pk]) for run in runs}


def _kept_steps(runs: Sequence[TrainingRun]) -> dict[UUID, list[int]]:
    kept: dict[UUID, list[int]] = defaultdict(list)
    rows = Checkpoint.objects.filter(run__in=[run.pk for run in runs]).order_by("-step")
    for run_id, step in rows.values_list("run_id", "step"):
        kept[run_id].append(step)
    return kept
