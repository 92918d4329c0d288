"""What step n of a run looks at, as a function of (seed, n).

There is no state to save or to disturb: step n of a resumed run draws what step n of an uninterrupted one
draws, whatever previews or evaluations happened between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.engine.dataset import Dataset
from trainer.engine.seeds import generator
from trainer.recipe import Recipe, parse_timesteps

__all__ = ["Draw", "draw", "draw_timesteps", "generator"]


@dataclass
class Draw:
    """The inputs of one step for the whole effective batch, all of one bucket. All on the CPU.

    `pictures` are places within the bucket; `contexts` are the prompts of the whole step that need no picture.
    """

    pictures: Tensor
    flipped: Tensor
    prompts: list[int]
    timesteps: Tensor
    latent_noise: Tensor
    noise: Tensor
    bucket: int = 0
    contexts: Sequence[int] = ()

    def part(self, start: int, stop: int) -> "Draw":
        """Some of its samples. Drawn first and split later: accumulation equals a larger batch."""
        return Draw(
            self.pictures[start:stop],
            self.flipped[start:stop],
            self.prompts[start:stop],
            self.timesteps[start:stop],
            self.latent_noise[start:stop],
            self.noise[start:stop],
            self.bucket,
        )


def draw(recipe: Recipe, data: Dataset, step: int, schedule: int) -> Draw:
    """The inputs of step `step` (from 0); `schedule` is the number of timesteps of the base."""
    samples = recipe.batch * recipe.accumulate
    rng = generator(recipe.seed, "step", step)
    number, turn = bucket_turn(recipe.seed, [len(bucket.members) for bucket in data.buckets], step)
    bucket = data.buckets[number]
    pictures = [
        _picture(recipe.seed, number, turn * samples + place, len(bucket.members)) for place in range(samples)
    ]
    flipped = torch.rand(samples, generator=rng) < (0.5 if recipe.flip else 0.0)
    picks = torch.rand(samples, generator=rng).tolist()
    drops = (torch.rand(samples, generator=rng) < recipe.caption_drop).tolist()
    choices = [data.choices[bucket.members[picture]] for picture in pictures]
    prompts = [
        data.empty_prompt if drop else own[int(pick * len(own))]
        for own, pick, drop in zip(choices, picks, drops, strict=True)
    ]
    shape = (samples, *bucket.means.shape[2:])
    timesteps = draw_timesteps(recipe.timesteps, samples, schedule, rng)
    latent_noise = torch.randn(shape, generator=rng)
    noise = torch.randn(shape, generator=rng)
    if recipe.noise_offset:
        noise += recipe.noise_offset * torch.randn((*shape[:2], 1, 1), generator=rng)
    contexts = data.context.turn(step) if data.context else ()
    return Draw(
        torch.tensor(pictures), flipped.long(), prompts, timesteps, latent_noise, noise, number, contexts
    )


def draw_timesteps(mode: str, samples: int, schedule: int, rng: torch.Generator) -> Tensor:
    """Timesteps of one step. Stratified: one in each of `samples` equal parts, in random order."""
    low, high = parse_timesteps(mode)
    places = torch.rand(samples, generator=rng, dtype=torch.float64)
    if mode != "uniform":
        places = (torch.randperm(samples, generator=rng) + places) / samples
    return ((low + places * (high - low)) * schedule).long().clamp(max=schedule - 1)


def bucket_turn(seed: int, sizes: Sequence[int], step: int) -> tuple[int, int]:
    """Which bucket a step draws from, and how many steps drew from it before.

    In every round of as many steps as there are pictures, each bucket comes as often as it has pictures.
    """
    if len(sizes) == 1:
        return 0, step
    turns = [bucket for bucket, size in enumerate(sizes) for _ in range(size)]
    done, place = divmod(step, len(turns))
    order = torch.randperm(len(turns), generator=generator(seed, "round", done)).tolist()
    bucket = turns[order[place]]
    return bucket, done * sizes[bucket] + sum(turns[earlier] == bucket for earlier in order[:place])


def _picture(seed: int, bucket: int, position: int, count: int) -> int:
    """Which picture stands at a position of a bucket's endless sequence: a new permutation each epoch."""
    epoch, place = divmod(position, count)
    stream = f"epoch/{bucket}" if bucket else "epoch"
    return int(torch.randperm(count, generator=generator(seed, stream, epoch))[place])
