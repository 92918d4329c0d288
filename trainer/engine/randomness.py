"""All randomness of a run, as a function of (seed, step).

No generator lives from one step to the next, so there is no state to save or to disturb: step n of a resumed
run draws what step n of an uninterrupted one draws, whatever previews or evaluations happened between.
"""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.engine.dataset import Dataset
from trainer.recipe import Recipe, parse_timesteps


def generator(seed: int, stream: str, number: int = 0) -> torch.Generator:
    """A CPU generator for one purpose and step; different streams never share numbers."""
    digest = hashlib.sha256(f"{seed}/{stream}/{number}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@dataclass
class Draw:
    """The inputs of one step for the whole effective batch. All on the CPU."""

    pictures: Tensor
    flipped: Tensor
    prompts: list[int]
    timesteps: Tensor
    latent_noise: Tensor
    noise: Tensor

    def part(self, start: int, stop: int) -> "Draw":
        """Some of its samples. Drawn first and split later: accumulation equals a larger batch."""
        return Draw(
            self.pictures[start:stop],
            self.flipped[start:stop],
            self.prompts[start:stop],
            self.timesteps[start:stop],
            self.latent_noise[start:stop],
            self.noise[start:stop],
        )


def draw(recipe: Recipe, data: Dataset, step: int, schedule: int) -> Draw:
    """The inputs of step `step` (from 0); `schedule` is the number of timesteps of the base."""
    samples = recipe.batch * recipe.accumulate
    rng = generator(recipe.seed, "step", step)
    pictures = [_picture(recipe.seed, step * samples + place, data.count) for place in range(samples)]
    flipped = torch.rand(samples, generator=rng) < (0.5 if recipe.flip else 0.0)
    choices = torch.rand(samples, generator=rng).tolist()
    drops = (torch.rand(samples, generator=rng) < recipe.caption_drop).tolist()
    prompts = [
        data.empty_prompt if drop else data.choices[picture][int(choice * len(data.choices[picture]))]
        for picture, choice, drop in zip(pictures, choices, drops, strict=True)
    ]
    shape = (samples, *data.means.shape[2:])
    timesteps = draw_timesteps(recipe.timesteps, samples, schedule, rng)
    latent_noise = torch.randn(shape, generator=rng)
    noise = torch.randn(shape, generator=rng)
    if recipe.noise_offset:
        noise += recipe.noise_offset * torch.randn((*shape[:2], 1, 1), generator=rng)
    return Draw(torch.tensor(pictures), flipped.long(), prompts, timesteps, latent_noise, noise)


def draw_timesteps(mode: str, samples: int, schedule: int, rng: torch.Generator) -> Tensor:
    """Timesteps of one step. Stratified: one in each of `samples` equal parts, in random order."""
    low, high = parse_timesteps(mode)
    places = torch.rand(samples, generator=rng, dtype=torch.float64)
    if mode != "uniform":
        places = (torch.randperm(samples, generator=rng) + places) / samples
    return ((low + places * (high - low)) * schedule).long().clamp(max=schedule - 1)


def _picture(seed: int, position: int, count: int) -> int:
    """Which picture stands at a position of the endless sequence: a new permutation each epoch."""
    epoch, place = divmod(position, count)
    return int(torch.randperm(count, generator=generator(seed, "epoch", epoch))[place])
