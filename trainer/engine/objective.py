"""What is minimised: the denoising error of the pictures under prompts with the new word; its gradient.

Where the recipe asks for editability, the distance of other words from their usual meaning is added to it.
"""

from contextlib import nullcontext

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset
from trainer.engine.fit import Fit, hindrance_of
from trainer.engine.randomness import Draw
from trainer.recipe import Recipe


def gradient(
    base: BaseModel,
    recipe: Recipe,
    data: Dataset,
    rows: list[Tensor],
    inputs: Draw,
    fit: Fit,
    scale: Tensor | None = None,
) -> tuple[Tensor, list[Tensor]]:
    """Loss and row gradients of one update. When memory runs out, the same step is done again in less.

    The loss is the denoising error alone, so that runs compare. `scale` keeps small gradients alive in half
    precision; it is taken out again. A compiled step that fails is done again plainly. Raises a machine fault when
    nothing more can be given up.
    """
    while True:
        try:
            with base.compiled if fit.compiled else nullcontext():
                return _gradient_in_parts(base, recipe, data, rows, inputs, fit.size, scale)
        except torch.OutOfMemoryError as error:
            fit.tighten(base, error)
        except Exception as error:
            if not fit.compiled:
                raise
            fit.uncompile(hindrance_of(error))


def _gradient_in_parts(
    base: BaseModel,
    recipe: Recipe,
    data: Dataset,
    rows: list[Tensor],
    inputs: Draw,
    size: int,
    scale: Tensor | None,
) -> tuple[Tensor, list[Tensor]]:
    samples = len(inputs.prompts)
    leaves = [own.detach().requires_grad_(True) for own in rows]
    total = torch.zeros((), device=base.device)
    with base.showing(leaves):
        for start in range(0, samples, size):
            part = inputs.part(start, start + size)
            losses = sample_losses(base, recipe, data, part)
            loss = losses.sum() / samples
            (loss if scale is None else loss * scale).backward()
            total += loss.detach()
        if data.context is not None:
            pull = recipe.context_reg * data.context.distance(base, inputs.contexts)
            (pull if scale is None else pull * scale).backward()
    found = [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]
    return total, found if scale is None else [own / scale for own in found]


def sample_losses(base: BaseModel, recipe: Recipe, data: Dataset, inputs: Draw) -> Tensor:
    """The weighted squared error of each sample. Each distinct prompt passes the text encoders once."""
    device = base.device
    bucket = data.buckets[inputs.bucket]
    distinct = sorted(set(inputs.prompts))
    cond = base.encode([ids[distinct] for ids in data.ids], recipe.clip_skip)
    places = torch.tensor([distinct.index(prompt) for prompt in inputs.prompts], device=device)
    timesteps = inputs.timesteps.to(device)
    chosen = inputs.flipped.to(device), inputs.pictures.to(device)
    noise = inputs.noise.to(device)
    latents = base.sampled(bucket.means[chosen], bucket.deviations[chosen], inputs.latent_noise.to(device))
    noisy = base.noised(latents, noise, timesteps)
    predicted = base.denoise(noisy, timesteps, cond.at(places), bucket.sizes[chosen])
    error = (predicted - base.target(latents, noise, timesteps)).square()
    if bucket.masks is not None:
        error = error * bucket.masks[chosen]
    return error.mean(dim=(1, 2, 3)) * base.loss_weights(timesteps, recipe.min_snr_gamma)
