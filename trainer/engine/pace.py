"""How fast training steps are on this machine and what memory they take, measured by taking some.

The steps are those of a run, on noise for a picture: the same gradient, the same look at the fixed inputs every ten
steps. Batches are doubled while memory and the time given allow.
"""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.events import OnEvent
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient
from trainer.engine.pictures import picture_from
from trainer.engine.probe import Probe
from trainer.engine.randomness import draw
from trainer.engine.state import EVERY
from trainer.recipe import Recipe

MOST = 16
# What must stay free of the memory that a larger batch is foreseen to need.
SPARE = 1.1
_STATUS = Path("/proc/self/status")
_MEMORY = Path("/proc/meminfo")


@dataclass
class Limits:
    """Timed steps of each batch; seconds for one resolution; bytes of main memory, 0 for what the machine has."""

    steps: int
    seconds: float
    memory: int = 0


class _Whole(Fit):
    """A batch that passes together or not at all."""

    def tighten(self, base: BaseModel, error: Exception) -> None:
        """Give nothing up."""
        raise error


def measure(
    base: BaseModel,
    resolutions: list[int],
    limits: Limits,
    folder: Path,
    *,
    on_event: OnEvent,
    should_stop: Callable[[], bool],
) -> list[dict[str, Any]] | None:
    """What was measured, by resolution; None when asked to stop.

    `batches` has seconds a step and peak bytes for each batch that was tried; `limit` says what ended the doubling:
    `memory` (the largest batch is the one that fits), `most` (the largest that a recipe may have) or `time`.
    """
    found = []
    for resolution in resolutions:
        path = folder / f"noise-{resolution}.png"
        Image.effect_noise((resolution, resolution), 80).convert("RGB").save(path)
        batches, limit = [], "most"
        steps = _batches(base, resolution, path, limits)
        for batch, outcome in steps:
            if should_stop():
                return None
            if isinstance(outcome, str):
                limit = outcome
                break
            batches.append({"batch": batch, **outcome})
            on_event("probing", resolution=resolution, batch=batch, **outcome)
        found.append(
            {
                "resolution": resolution,
                "batches": batches,
                "largest": batches[-1]["batch"] if batches else 0,
                "limit": limit,
            }
        )
    return found


def _batches(
    base: BaseModel, resolution: int, picture: Path, limits: Limits
) -> Iterator[tuple[int, dict[str, Any] | str]]:
    """Each batch with its numbers, or with the word for what forbids it."""
    started = time.monotonic()
    recipe = _recipe(base, resolution, 1)
    data = prepare(base, recipe, [picture_from({"path": str(picture)})])
    assert data is not None
    before, batch, seconds = _held(base), 1, 0.0
    while batch <= MOST:
        # Twice the batch takes about twice the time.
        if batch > 1 and time.monotonic() - started + 2 * seconds > limits.seconds:
            yield batch, "time"
            return
        begun = time.monotonic()
        outcome = _timed(base, _recipe(base, resolution, batch), data, limits.steps)
        if outcome is None:
            yield batch, "memory"
            return
        yield batch, outcome
        seconds = time.monotonic() - begun
        grown = max(0, outcome["peak_bytes"] - before) * 2
        if base.device.type == "cpu" and grown * SPARE > _free(limits.memory):
            yield batch, "memory"
            return
        before, batch = outcome["peak_bytes"], batch * 2


def _recipe(base: BaseModel, resolution: int, batch: int) -> Recipe:
    return Recipe.for_preset(
        "standard",
        family=base.facts.family,
        kind="object",
        trigger="pace",
        resolution=resolution,
        batch=batch,
        accumulate=1,
        flip=False,
    )


def _timed(base: BaseModel, recipe: Recipe, data: Dataset, steps: int) -> dict[str, Any] | None:
    """Seconds of a step, its share of the fixed-input loss in it, and the peak; None when memory ran out."""
    rows = [encoder.table[: recipe.vectors_per_token].detach().float().clone() for encoder in base.encoders]
    _forget_peak(base)
    taken = []
    try:
        for step in range(steps + 1):
            taken.append(_seconds(base, partial(_step, base, recipe, data, rows, step)))
        probe = Probe(base, recipe, data)
        look = _seconds(base, lambda: probe.loss(rows))
    except (torch.OutOfMemoryError, MemoryError):
        return None
    # The first step warms up what the others reuse.
    return {
        "seconds": round(statistics.median(taken[1:]) + look / EVERY, 5),
        "peak_bytes": _peak(base),
    }


def _step(base: BaseModel, recipe: Recipe, data: Dataset, rows: list[Tensor], step: int) -> None:
    gradient(base, recipe, data, rows, draw(recipe, data, step, base.timesteps), _Whole(recipe.batch))


def _seconds(base: BaseModel, act: Callable[[], Any]) -> float:
    _settle(base)
    started = time.monotonic()
    act()
    _settle(base)
    return time.monotonic() - started


def _settle(base: BaseModel) -> None:
    if base.device.type == "cuda":
        torch.cuda.synchronize()


def _forget_peak(base: BaseModel) -> None:
    if base.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    else:
        # Loading took more than it left; a system that will not forget that overstates the first batch.
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")


def _peak(base: BaseModel) -> int:
    """Bytes at the highest since the peak was forgotten: of the card, or of this process."""
    if base.device.type == "cuda":
        return int(torch.cuda.max_memory_reserved())
    return _kib(_STATUS, "VmHWM")


def _held(base: BaseModel) -> int:
    if base.device.type == "cuda":
        return int(torch.cuda.memory_reserved())
    return _kib(_STATUS, "VmRSS")


def _free(memory: int) -> int:
    """Bytes of main memory that can still be had, of what this process may have."""
    free = _kib(_MEMORY, "MemAvailable")
    return min(free, memory - _kib(_STATUS, "VmRSS")) if memory else free


def _kib(path: Path, name: str) -> int:
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    return int(lines.get(name, "0 kB").split()[0]) * 1024


def device_name(base: BaseModel) -> str:
    """What computes, in words for people."""
    if base.device.type == "cuda":
        return str(torch.cuda.get_device_name())
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    count = torch.get_num_threads()
    return f"{next(names, 'CPU')}, {count} thread{'' if count == 1 else 's'}"
