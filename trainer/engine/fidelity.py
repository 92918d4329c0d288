"""Whether pictures show their texts, asked of the base itself: the diffusion classifier (Li et al. 2023)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.eyes import pixels
from trainer.engine.render import BATCH, Shot, encode
from trainer.engine.seeds import generator
from trainer.engine.text import Cond

# Shares of the timesteps at which texts matter: with less noise the picture says all, with more it says nothing.
LEVELS = (0.35, 0.5, 0.65, 0.8)


def fidelity(base: BaseModel, pictures: Sequence[Path], texts: Sequence[str]) -> float:
    """The share of pictures whose own text explains them better than the texts of all others; chance is 1 / texts.

    Better is a smaller denoising error at four noise levels, with the same noise for every picture and text: four
    passes of the UNet for each. What the texts do not speak of weighs on all of them alike.
    """
    distinct = sorted(set(texts))
    with torch.no_grad():
        said = [encode(base, text, Shot(text, 0)) for text in distinct]
        right = 0
        for path, text in zip(pictures, texts, strict=True):
            latents = base.to_latents(pixels(path) * 2 - 1)[0] * base.vae.config.scaling_factor
            errors = [_error(base, latents, cond) for cond in said]
            right += distinct[errors.index(min(errors))] == text
    return right / len(pictures)


def _error(base: BaseModel, latents: Tensor, cond: Cond) -> float:
    """The mean error of a picture's prediction over the levels."""
    side = base.facts.resolution
    timesteps = (torch.tensor(LEVELS) * base.timesteps).long().to(base.device)
    noise = torch.randn((len(LEVELS), *latents.shape[1:]), generator=generator(0, "fidelity")).to(base.device)
    total = 0.0
    for start in range(0, len(LEVELS), BATCH):
        steps, own = timesteps[start : start + BATCH], noise[start : start + BATCH]
        many = latents.expand(len(steps), -1, -1, -1)
        sizes = torch.tensor([[side, side, 0, 0, side, side]] * len(steps), device=base.device).float()
        seen = cond.at(torch.zeros(len(steps), dtype=torch.long, device=base.device))
        guessed = base.denoise(base.noised(many, own, steps), steps, seen, sizes)
        total += float((guessed - base.target(many, own, steps)).square().sum())
    return total
