"""What is minimised: the denoising error of the pictures under prompts with the new word; its gradient."""

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset
from trainer.engine.randomness import Draw
from trainer.recipe import Recipe


def gradient(
    base: BaseModel, recipe: Recipe, data: Dataset, rows: list[Tensor], inputs: Draw
) -> tuple[Tensor, list[Tensor]]:
    """Loss and row gradients of one update, in `accumulate` parts; halves the parts when memory runs out."""
    size = recipe.batch
    while True:
        try:
            return _gradient_in_parts(base, recipe, data, rows, inputs, size)
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            # The same samples in smaller parts: the update stays what it was.
            size = (size + 1) // 2
            torch.cuda.empty_cache()


def _gradient_in_parts(
    base: BaseModel, recipe: Recipe, data: Dataset, rows: list[Tensor], inputs: Draw, size: int
) -> tuple[Tensor, list[Tensor]]:
    samples = len(inputs.prompts)
    leaves = [own.detach().requires_grad_(True) for own in rows]
    total = torch.zeros((), device=base.device)
    with base.showing(leaves):
        for start in range(0, samples, size):
            part = inputs.part(start, start + size)
            losses = sample_losses(base, recipe, data, part)
            loss = losses.sum() / samples
            loss.backward()
            total += loss.detach()
    return total, [torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for leaf in leaves]


def sample_losses(base: BaseModel, recipe: Recipe, data: Dataset, inputs: Draw) -> Tensor:
    """The weighted squared error of each sample. Each distinct prompt passes the text encoder once."""
    device = base.device
    distinct = sorted(set(inputs.prompts))
    cond = base.encode([ids[distinct] for ids in data.ids])
    places = torch.tensor([distinct.index(prompt) for prompt in inputs.prompts], device=device)
    timesteps = inputs.timesteps.to(device)
    chosen = inputs.flipped.to(device), inputs.pictures.to(device)
    noise = inputs.noise.to(device)
    latents = base.sampled(data.means[chosen], data.deviations[chosen], inputs.latent_noise.to(device))
    noisy = base.noised(latents, noise, timesteps)
    error = base.denoise(noisy, timesteps, cond[places]) - base.target(latents, noise, timesteps)
    return error.square().mean(dim=(1, 2, 3)) * base.loss_weights(timesteps, recipe.min_snr_gamma)
