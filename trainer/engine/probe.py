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
from trainer.engine.randomness import Draw
from trainer.engine.seeds import generator
from trainer.recipe import Recipe, parse_timesteps

INPUTS = 8


class Probe:
    """Eight fixed inputs, spread evenly over the trained timesteps."""

    def __init__(self, base: BaseModel, recipe: Recipe, data: Dataset) -> None:
        self.base = base
        self.recipe = recipe
        self.data = data
        # How many inputs pass together; the loop lowers it when memory is short.
        self.size = recipe.batch
        rng = generator(recipe.seed, "fixed")
        low, high = parse_timesteps(recipe.timesteps)
        shares = (torch.arange(INPUTS) + 0.5) / INPUTS
        timesteps = ((low + shares * (high - low)) * base.timesteps).long()
        pictures = [place % data.count for place in range(INPUTS)]
        prompts = [data.choices[p][n % len(data.choices[p])] for n, p in enumerate(pictures)]
        # Which inputs belong to which bucket, and where they stand in the order of timesteps.
        self.places: list[list[int]] = []
        self.inputs: list[Draw] = []
        for number, bucket in enumerate(data.buckets):
            own = [n for n, picture in enumerate(pictures) if picture in bucket.members]
            shape = (len(own), *bucket.means.shape[2:])
            self.places.append(own)
            self.inputs.append(
                Draw(
                    pictures=torch.tensor([bucket.members.index(pictures[n]) for n in own]).long(),
                    flipped=torch.zeros(len(own), dtype=torch.long),
                    prompts=[prompts[n] for n in own],
                    timesteps=timesteps[own],
                    # The mean latent: no sampling noise in a yardstick.
                    latent_noise=torch.zeros(shape),
                    noise=torch.randn(shape, generator=rng),
                    bucket=number,
                )
            )

    def losses(self, rows: list[Tensor]) -> list[float]:
        """The loss of each input, by rising timestep."""
        size = self.size
        found = [0.0] * INPUTS
        with torch.no_grad(), self.base.showing(rows):
            for places, inputs in zip(self.places, self.inputs, strict=True):
                parts = [
                    sample_losses(self.base, self.recipe, self.data, inputs.part(start, start + size))
                    for start in range(0, len(places), size)
                ]
                for place, loss in zip(places, torch.cat(parts).tolist() if parts else [], strict=True):
                    found[place] = float(loss)
        return found

    def loss(self, rows: list[Tensor]) -> float:
        """Their mean; infinity when a number is not finite."""
        mean = sum(self.losses(rows)) / INPUTS
        return mean if math.isfinite(mean) else float("inf")

    def thirds(self, rows: list[Tensor]) -> list[float]:
        """The mean loss per third of the timesteps: little noise, some, much."""
        losses = self.losses(rows)
        borders = (0, 3, 5, INPUTS)
        return [sum(losses[a:b]) / (b - a) for a, b in pairwise(borders)]
