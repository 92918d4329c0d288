"""How fast runs on a base go here: from the last runs that were finished, else from a probe, else not known.

The one place that says so: the line, the wizard and the pages of base models all read it.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from hub.models import BaseModel
from hub.models.registry import Kind
from trainer.models import BaseProbe, TrainingRun
from trainer.presets import FAMILIES, preset_settings

MEASURED_RUNS = 5


@dataclass(frozen=True)
class Pace:
    """Seconds a step of the usual batch takes. `is_whole`: with pictures and sheet, as past runs had them."""

    seconds: float
    is_whole: bool


def paces(bases: Collection[int]) -> dict[int, Pace]:
    """What is known of these bases; those that nothing is known of are left out."""
    found = {base: Pace(seconds, True) for base, seconds in _past(bases).items()}
    rest = [base for base in bases if base not in found]
    for base, probe in probes(rest).items():
        seconds = usual_step(probe)
        if seconds is not None:
            found[base] = Pace(seconds, False)
    return found


def probes(bases: Collection[int]) -> dict[int, BaseProbe]:
    """The newest probe of each of these bases, of the files that are installed now."""
    if not bases:
        return {}
    rows = BaseProbe.objects.filter(base_model__in=bases, digest=F("base_model__digest"))
    newest = rows.order_by("base_model", "-measured_at").select_related("base_model")
    found: dict[int, BaseProbe] = {}
    for probe in newest:
        found.setdefault(probe.base_model_id, probe)
    return found


def usual_step(probe: BaseProbe) -> float | None:
    """Seconds of a step as the presets have it on this base; None where its own resolution was not measured."""
    base = probe.base_model
    if base.family not in FAMILIES:
        return None
    usual = preset_settings("standard", base.family, Kind.STYLE)
    measured = next((one for one in probe.resolutions if one["resolution"] == base.resolution), None)
    seconds = step_seconds(measured, int(usual["batch"])) if measured else None
    return None if seconds is None else seconds * int(usual.get("accumulate", 1))


def step_seconds(measured: dict[str, Any], batch: int) -> float | None:
    """Seconds of a step with so many pictures; one that was not tried is taken for several of the largest below it."""
    below = [one for one in measured["batches"] if one["batch"] <= batch]
    if not below:
        return None
    return float(below[-1]["seconds"]) * batch / int(below[-1]["batch"])


def expected(base: BaseModel, pace: Pace | None) -> dict[str, float]:
    """Seconds that a run of each quality takes at most on this base; empty where nothing is known."""
    if pace is None or base.family not in FAMILIES:
        return {}
    return {
        quality: pace.seconds * int(preset_settings(quality, base.family, Kind.STYLE)["max_steps"])
        for quality in ("quick", "standard", "thorough")
    }


def _past(bases: Collection[int]) -> dict[int, float]:
    """Seconds a step of each base took in its last finished runs, what comes before and after the steps included."""
    if not bases:
        return {}
    done = TrainingRun.objects.filter(
        base_model__in=bases, state=TrainingRun.State.DONE, seconds__gt=0, step__gt=0
    )
    newest = Window(RowNumber(), partition_by="base_model", order_by=F("finished_at").desc())
    past: dict[int, list[float]] = defaultdict(list)
    rows = done.order_by().annotate(place=newest).filter(place__lte=MEASURED_RUNS)
    for base, seconds, step in rows.values_list("base_model_id", "seconds", "step"):
        past[base].append(seconds / step)
    return {base: sum(found) / len(found) for base, found in past.items()}
