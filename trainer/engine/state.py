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
MAX_BLOCKS = 8
MAX_SNAPSHOTS = 8
EARLIEST_STOP = 150
SETTLED = 0.15
BAD_IN_A_ROW = 3
HIGH_LOSS = 5.0
HIGH_STEPS = 20
REMEMBERED = 100


@dataclass
class Block:
    """Sum of the rows after each of the steps (start, stop]."""

    start: int
    stop: int
    sums: list[Tensor]


@dataclass
class RunState:
    """Rows and moments per encoder, and what averaging, stopping, growth and the guard remember."""

    step: int
    rows: list[Tensor]
    moments: list[Moments]
    blocks: list[Block] = field(default_factory=list)
    snapshots: list[tuple[int, list[Tensor]]] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    capped: int = 0
    lr_scale: float = 1.0
    block_steps: int = EVERY
    snapshot_steps: int = EVERY
    fit: Fit | None = None
    scaler: Scaler | None = None

    @classmethod
    def start(cls, rows: list[Tensor]) -> "RunState":
        """The state before the first step."""
        return cls(0, rows, [Moments.like(own) for own in rows])

    def copy(self) -> "RunState":
        """An independent copy, to go back to."""
        return copy.deepcopy(self)

    def add_to_average(self) -> None:
        """Add the current rows to the open block; when there are many blocks, they are joined in pairs."""
        if not self.blocks or self.blocks[-1].stop - self.blocks[-1].start >= self.block_steps:
            if len(self.blocks) == MAX_BLOCKS:
                self._join_blocks()
            self.blocks.append(
                Block(self.step - 1, self.step - 1, [torch.zeros_like(own) for own in self.rows])
            )
        block = self.blocks[-1]
        block.stop = self.step
        for total, rows in zip(block.sums, self.rows, strict=True):
            total.add_(rows)

    def average(self, share: float) -> list[Tensor] | None:
        """Mean rows over the last `share` of the steps done, to the nearest block; None when there is none.

        How many steps a run takes is not known beforehand, hence the blocks.
        """
        if not share or not self.blocks:
            return None
        wanted = self.step * (1 - share)
        nearest = min(range(len(self.blocks)), key=lambda at: abs(self.blocks[at].start - wanted))
        chosen = self.blocks[nearest:]
        count = self.step - chosen[0].start
        return [
            sum(parts[1:], start=parts[0]) / count for parts in zip(*(b.sums for b in chosen), strict=True)
        ]

    def keep_snapshot(self) -> None:
        """Remember the rows of this step for the growth strip; of many, every second is dropped."""
        if self.step % self.snapshot_steps:
            return
        self.snapshots.append((self.step, [rows.clone() for rows in self.rows]))
        if len(self.snapshots) > MAX_SNAPSHOTS:
            self.snapshot_steps *= 2
            self.snapshots = [kept for kept in self.snapshots if kept[0] % self.snapshot_steps == 0]

    def growth(self, shares: tuple[float, ...] = (0.1, 0.25, 0.5, 0.75)) -> list[tuple[int, list[Tensor]]]:
        """The kept snapshots nearest to these shares of the steps done, each once, in order."""
        earlier = [snapshot for snapshot in self.snapshots if snapshot[0] < self.step]
        if not earlier:
            return []
        chosen = {min(earlier, key=lambda kept: abs(kept[0] - share * self.step))[0] for share in shares}
        return [snapshot for snapshot in earlier if snapshot[0] in chosen]

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

    def _join_blocks(self) -> None:
        pairs = zip(self.blocks[::2], self.blocks[1::2], strict=True)
        self.blocks = [
            Block(left.start, right.stop, [a + b for a, b in zip(left.sums, right.sums, strict=True)])
            for left, right in pairs
        ]
        self.block_steps *= 2
