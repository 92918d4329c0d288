"""The state of a run: everything step n+1 needs from step n, and the rules that read it.

Host-side lists hold plain floats, so that a checkpoint's JSON gives them back exactly.
"""

import copy
import math
import statistics
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainer.engine.fit import Fit
from trainer.engine.optimiser import Moments, Scaler
from trainer.recipe import Recipe

EVERY = 10
MAX_MARKS = 8
EARLIEST_STOP = 150
SETTLED = 0.15
BAD_IN_A_ROW = 3
HIGH_LOSS = 5.0
HIGH_STEPS = 20
REMEMBERED = 100


@dataclass
class Mark:
    """The rows after a step, and the sum of the rows after each step so far. Never changed once it is made."""

    step: int
    rows: list[Tensor]
    total: list[Tensor]
    # Digest of the file that holds it, once it is written.
    sha256: str = ""


@dataclass
class RunState:
    """Rows and moments per encoder, and what averaging, stopping, growth and the guard remember."""

    step: int
    rows: list[Tensor]
    moments: list[Moments]
    total: list[Tensor]
    marks: list[Mark] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    capped: int = 0
    lr_scale: float = 1.0
    mark_steps: int = EVERY
    fit: Fit | None = None
    scaler: Scaler | None = None

    @classmethod
    def start(cls, rows: list[Tensor]) -> "RunState":
        """The state before the first step."""
        return cls(0, rows, [Moments.like(own) for own in rows], [torch.zeros_like(own) for own in rows])

    def copy(self) -> "RunState":
        """An independent copy, to go back to."""
        return copy.deepcopy(self)

    def add_to_average(self) -> None:
        """Add the current rows to the sum of all that there were."""
        for total, rows in zip(self.total, self.rows, strict=True):
            total.add_(rows)

    def average(self, share: float) -> list[Tensor] | None:
        """Mean rows over the last `share` of the steps done, to the nearest mark; None when there is none.

        How many steps a run takes is not known beforehand, hence the marks.
        """
        if not share or not self.step:
            return None
        wanted = self.step * (1 - share)
        beginning = Mark(0, [], [torch.zeros_like(own) for own in self.total])
        earlier = [beginning, *(mark for mark in self.marks if mark.step < self.step)]
        nearest = min(earlier, key=lambda mark: abs(mark.step - wanted))
        count = self.step - nearest.step
        return [(total - before) / count for total, before in zip(self.total, nearest.total, strict=True)]

    def keep_mark(self) -> None:
        """Remember this step for the average and the growth strip; of many, every second is dropped."""
        if self.step % self.mark_steps:
            return
        self.marks.append(Mark(self.step, _copies(self.rows), _copies(self.total)))
        if len(self.marks) > MAX_MARKS:
            self.mark_steps *= 2
            self.marks = [mark for mark in self.marks if mark.step % self.mark_steps == 0]

    def growth(self, shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75)) -> list[tuple[int, list[Tensor]]]:
        """The kept steps nearest to these shares of the steps done, each once, in order, with their rows."""
        earlier = [mark for mark in self.marks if mark.step < self.step]
        if not earlier:
            return []
        chosen = {min(earlier, key=lambda mark: abs(mark.step - share * self.step)).step for share in shares}
        return [(mark.step, mark.rows) for mark in earlier if mark.step in chosen]

    def remember(self, losses: list[float]) -> None:
        """Add losses read from the device; a bad step reads as infinity."""
        self.losses = (self.losses + losses)[-REMEMBERED:]

    def learned(self, recipe: Recipe) -> bool:
        """DVAR: the fixed-input loss has fallen and hardly varies any more."""
        window = recipe.patience
        if not recipe.early_stop or self.step < EARLIEST_STOP or len(self.fixed) <= window:
            return False
        if not all(map(math.isfinite, self.fixed)):
            return False
        spread = statistics.pvariance(self.fixed)
        recent = statistics.pvariance(self.fixed[-window:])
        return self.fixed[-1] < self.fixed[0] and recent < SETTLED * spread

    def diverged(self) -> bool:
        """Three bad steps in a row, or a loss far above its running median for twenty steps."""
        bad = [loss == float("inf") for loss in self.losses]
        if any(all(bad[at : at + BAD_IN_A_ROW]) for at in range(len(bad) - BAD_IN_A_ROW + 1)):
            return True
        if len(self.losses) < 2 * HIGH_STEPS:
            return False
        usual = statistics.median(self.losses[:-HIGH_STEPS])
        return all(loss > HIGH_LOSS * usual for loss in self.losses[-HIGH_STEPS:])


def _copies(tensors: list[Tensor]) -> list[Tensor]:
    return [tensor.clone() for tensor in tensors]
