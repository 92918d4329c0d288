"""What moves the rows: AdamW or Prodigy, the learning rate of a step, and the norm control after it.

Written out rather than taken from torch.optim and prodigyopt: a step with a bad number must leave rows and
moments as they were without asking the device, and rows and moments are then the whole state. Tests hold both
equal to the originals.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.recipe import SCHEDULES, Recipe, parse_piecewise

BETAS = (0.9, 0.999)
EPSILON = 1e-8
# Ten times that of the authors: elements of word vectors are near 0.02, and a run has a thousand steps, not a million.
FIRST_DISTANCE = 1e-5
FLOOR = 0.1
FIRST_SCALE = 2.0**14
GROWTH_STEPS = 1000


def learning_rate(recipe: Recipe, step: int) -> float:
    """The rate of step `step`, counted from 1; a pure function, so resuming needs no scheduler state."""
    if recipe.lr_schedule not in SCHEDULES:
        stages = parse_piecewise(recipe.lr_schedule)
        return next((rate for rate, until in stages if step <= until), stages[-1][0])
    warm = int(recipe.warmup * recipe.max_steps)
    if step <= warm:
        return recipe.lr * step / warm
    done = (step - warm) / max(1, recipe.max_steps - warm)
    if recipe.lr_schedule == "constant":
        return recipe.lr
    if recipe.lr_schedule == "linear":
        return recipe.lr * (1 - (1 - FLOOR) * done)
    half_wave = float((1 + torch.cos(torch.tensor(done * torch.pi, dtype=torch.float64))) / 2)
    return recipe.lr * (FLOOR + (1 - FLOOR) * half_wave)


@dataclass
class Search:
    """How Prodigy looks for the rate: where the rows began, its sums, how far away it believes the goal to be."""

    origin: Tensor
    sums: Tensor
    numerator: Tensor
    distance: Tensor

    @classmethod
    def at(cls, rows: Tensor) -> "Search":
        """The search before the first step."""
        nothing = torch.zeros((), dtype=torch.float64, device=rows.device)
        return cls(rows.clone(), torch.zeros_like(rows), nothing, nothing + FIRST_DISTANCE)


@dataclass
class Moments:
    """The optimiser's state for the rows of one encoder; `search` is Prodigy's alone."""

    first: Tensor
    second: Tensor
    search: Search | None = None

    @classmethod
    def like(cls, rows: Tensor) -> "Moments":
        """Zero moments for these rows."""
        return cls(torch.zeros_like(rows), torch.zeros_like(rows))


@dataclass
class Scaler:
    """The factor that keeps gradients inside the range of fp16, and the good steps since it last changed."""

    scale: Tensor
    streak: Tensor

    @classmethod
    def on(cls, device: torch.device) -> "Scaler":
        """The scaler before the first step."""
        return cls(torch.tensor(FIRST_SCALE, device=device), torch.zeros((), device=device))

    def update(self, good: Tensor) -> None:
        """Halve after a bad step, double after a thousand good ones; decided on the device."""
        streak = torch.where(good, self.streak + 1, torch.zeros_like(self.streak))
        grown = streak >= GROWTH_STEPS
        kept = torch.where(grown, self.scale * 2, self.scale)
        self.scale = torch.where(good, kept, self.scale / 2)
        self.streak = torch.where(grown, torch.zeros_like(streak), streak)


def clipped(gradient: Tensor, limit: float | None) -> Tensor:
    """The gradient scaled down to a norm of at most `limit`."""
    if limit is None:
        return gradient
    scale: Tensor = limit / (gradient.norm() + 1e-6)
    return gradient * scale.clamp(max=1.0)


def adamw(
    rows: Tensor, gradient: Tensor, moments: Moments, *, step: int, lr: float, decay: float, good: Tensor
) -> None:
    """One AdamW update in place; where `good` is false (a flag on the device) nothing changes."""
    first = torch.lerp(moments.first, gradient, 1 - BETAS[0])
    second = moments.second * BETAS[1] + gradient * gradient * (1 - BETAS[1])
    denominator = second.sqrt() / (1 - BETAS[1] ** step) ** 0.5 + EPSILON
    moved = rows * (1 - lr * decay) - lr / (1 - BETAS[0] ** step) * first / denominator
    rows.copy_(torch.where(good, moved, rows))
    moments.first.copy_(torch.where(good, first, moments.first))
    moments.second.copy_(torch.where(good, second, moments.second))


def prodigy(
    rows: Tensor, gradient: Tensor, moments: Moments, *, step: int, lr: float, decay: float, good: Tensor
) -> None:
    """One Prodigy update in place, with bias correction and safeguarded warm-up; `lr` multiplies its own rate."""
    search = moments.search = moments.search or Search.at(rows)
    far = search.distance
    keep = BETAS[1] ** 0.5
    rate = far * (lr * (1 - BETAS[1] ** step) ** 0.5 / (1 - BETAS[0] ** step))
    way = torch.dot(gradient.flatten(), (search.origin - rows).flatten())
    numerator = search.numerator * keep + far / FIRST_DISTANCE * rate * way
    sums = search.sums * keep + gradient * (far * far / FIRST_DISTANCE).float()
    size = far.float()
    first = moments.first * BETAS[0] + gradient * (size * (1 - BETAS[0]))
    second = moments.second * BETAS[1] + gradient * gradient * (size * size * (1 - BETAS[1]))
    total = sums.abs().sum().double()
    # Without any gradient yet there is nothing to tell a distance from.
    good = good & (total > 0)
    distance = torch.maximum(far, numerator / total)
    pace = rate.float()
    moved = rows * (1 - decay * pace) - pace * first / (second.sqrt() + distance.float() * EPSILON)
    for kept, fresh in (
        (rows, moved),
        (moments.first, first),
        (moments.second, second),
        (search.sums, sums),
        (search.numerator, numerator),
        (search.distance, distance),
    ):
        kept.copy_(torch.where(good, fresh, kept))


class NormControl:
    """Keeps rows where words live. What counts as usual is read from the table once."""

    def __init__(self, mode: str, table: Tensor) -> None:
        self.mode = mode
        # A small base gives all words it never saw one and the same row; each distinct norm counts once.
        norms = table.float().norm(dim=1).unique()
        self.limit = float(2 * norms.quantile(0.99))
        self.median = float(norms.median())
        self.spread = float(table.float().std())

    def apply(self, rows: Tensor) -> Tensor:
        """Correct the rows in place; returns a flag on the device that says whether the cap acted."""
        norms = rows.norm(dim=1, keepdim=True)
        if self.mode == "cap":
            rows.mul_((self.limit / norms).clamp(max=1.0))
            over: Tensor = norms > self.limit
            return over.any()
        if self.mode == "preserve":
            rows.mul_(self.median / norms)
        if self.mode == "soft":
            rows.mul_((self.spread / rows.std()) ** 0.1)
        return torch.zeros((), dtype=torch.bool, device=rows.device)
