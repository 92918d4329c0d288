"""The fixed-input loss: the same pictures, noise, timesteps and prompts each time, without gradient.

The loss of a step says little, because timesteps and noise differ; this one says whether the rows got better.
"""

import math
from itertools import pairwise

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset
from trainer.engine.objective import sample_losses
from trainer.engine.randomness import Draw, generator
from trainer.recipe import Recipe, parse_timesteps

INPUTS = 8


class Probe:
    """Eight fixed inputs, spread evenly over the trained timesteps."""

    def __init__(self, base: BaseModel, recipe: Recipe, data: Dataset) -> None:
        self.base = base
        self.recipe = recipe
        self.data = data
        rng = generator(recipe.seed, "fixed")
        low, high = parse_timesteps(recipe.timesteps)
        shares = (torch.arange(INPUTS) + 0.5) / INPUTS
        pictures = torch.arange(INPUTS) % data.count
        shape = (INPUTS, *data.means.shape[2:])
        self.inputs = Draw(
            pictures=pictures,
            flipped=torch.zeros(INPUTS, dtype=torch.long),
            prompts=[data.choices[p][n % len(data.choices[p])] for n, p in enumerate(pictures.tolist())],
            timesteps=((low + shares * (high - low)) * base.timesteps).long(),
            # The mean latent: no sampling noise in a yardstick.
            latent_noise=torch.zeros(shape),
            noise=torch.randn(shape, generator=rng),
        )

    def losses(self, rows: list[Tensor]) -> list[float]:
        """The loss of each input, by rising timestep."""
        size = self.recipe.batch
        with torch.no_grad(), self.base.showing(rows):
            parts = [
                sample_losses(self.base, self.recipe, self.data, self.inputs.part(start, start + size))
                for start in range(0, INPUTS, size)
            ]
        return [float(loss) for loss in torch.cat(parts).tolist()]

    def loss(self, rows: list[Tensor]) -> float:
        """Their mean; infinity when a number is not finite."""
        mean = sum(self.losses(rows)) / INPUTS
        return mean if math.isfinite(mean) else float("inf")

    def thirds(self, rows: list[Tensor]) -> list[float]:
        """The mean loss per third of the timesteps: little noise, some, much."""
        losses = self.losses(rows)
        borders = (0, 3, 5, INPUTS)
        return [sum(losses[a:b]) / (b - a) for a, b in pairwise(borders)]
