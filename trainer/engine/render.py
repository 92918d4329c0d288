"""Pictures from prompts, in batches, equal to what the diffusers pipeline of the same base gives.

Every picture has its own seeded noise, so a batch is only a matter of speed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.text import Cond
from trainer.engine.tokens import prompt_ids

BATCH = 4


@dataclass(frozen=True)
class Shot:
    """One picture to take. Rows are those shown for [name], in either prompt; None is the bare base."""

    prompt: str
    seed: int
    negative_prompt: str = ""
    weight: float = 1.0
    rows: tuple[Tensor, ...] | None = None
    clip_skip: int = 1


def render(base: BaseModel, shots: Sequence[Shot]) -> list[Image.Image]:
    """The pictures, in order, at the base's own size, sampler, steps and guidance."""
    pictures: list[Image.Image] = []
    with torch.no_grad():
        for start in range(0, len(shots), BATCH):
            pictures += _render_batch(base, shots[start : start + BATCH])
    return pictures


def _render_batch(base: BaseModel, shots: Sequence[Shot]) -> list[Image.Image]:
    facts = base.facts
    negatives = [encode(base, shot.negative_prompt, shot) for shot in shots]
    cond = Cond.joined([*negatives, *(encode(base, shot.prompt, shot) for shot in shots)])
    side = facts.resolution
    sizes = torch.tensor([[side, side, 0, 0, side, side]] * len(cond.hidden), device=base.device).float()
    sampler = base.sampler()
    sampler.set_timesteps(facts.steps, device=base.device)
    latents = torch.cat([_noise(base, shot.seed) for shot in shots]) * sampler.init_noise_sigma
    for timestep in sampler.timesteps:
        doubled = sampler.scale_model_input(torch.cat([latents, latents]), timestep)
        without, towards = base.denoise(doubled, timestep, cond, sizes).chunk(2)
        prediction = without + facts.guidance * (towards - without)
        latents = sampler.step(prediction, timestep, latents, return_dict=False)[0]
    pixels = (base.to_pixels(latents) * 255).round().to("cpu", torch.uint8).permute(0, 2, 3, 1)
    return [Image.fromarray(picture.numpy(), "RGB") for picture in pixels]


def encode(base: BaseModel, prompt: str, shot: Shot) -> Cond:
    """Conditioning of one prompt with the shot's rows and strength.

    Where the family's pipeline takes zeros for an empty prompt, so does this.
    """
    vectors = len(shot.rows[0]) if shot.rows else 0
    ids = [
        torch.tensor([prompt_ids(e.tokenizer, prompt, vectors)], device=base.device) for e in base.encoders
    ]
    with base.showing(shot.rows):
        cond = base.encode(ids, shot.clip_skip)
    if not prompt and base.facts.empty_is_zero:
        return cond.zeros()
    if shot.weight == 1.0:
        return cond
    widths = [encoder.table.shape[1] for encoder in base.encoders]
    parts = [
        _weighted(states, own >= encoder.overlay.first, shot.weight)
        for states, own, encoder in zip(cond.hidden.split(widths, dim=-1), ids, base.encoders, strict=True)
    ]
    return Cond(torch.cat(parts, dim=-1), cond.pooled)


def _weighted(states: Tensor, own: Tensor, weight: float) -> Tensor:
    """As A1111 does it: scale what an encoder says at the word's places, then restore the mean."""
    scaled = torch.where(own.unsqueeze(-1), states * weight, states)
    return scaled * (states.mean() / scaled.mean())


def _noise(base: BaseModel, seed: int) -> Tensor:
    side = base.facts.resolution // base.latent_factor
    channels = int(base.unet.config.in_channels)
    rng = torch.Generator("cpu").manual_seed(seed)
    return torch.randn((1, channels, side, side), generator=rng).to(base.device)
