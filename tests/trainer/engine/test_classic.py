"""The `classic` preset is the published algorithm, written here a second time from its description.

Gal et al.: one new token; each step encodes pictures with the VAE, adds noise, asks the UNet, and moves the whole
token table by AdamW on the plain squared error; then every row but the new one is put back. Nothing of the engine
is used but the draw that says which picture, prompt, noise and timestep each sample has.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import prepare
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw
from trainer.recipe import Recipe

Train = Callable[..., Recorder]
STEPS = 20


def pixels_of(path: str, mirrored: bool) -> torch.Tensor:
    """The middle square of a picture at 64 pixels a side, in -1..1."""
    with Image.open(path) as picture:
        side = min(picture.size)
        left, top = (picture.width - side) / 2, (picture.height - side) / 2
        box = (left, top, left + side, top + side)
        small = picture.convert("RGB").resize((64, 64), Image.Resampling.LANCZOS, box=box)
    values = torch.tensor(list(small.tobytes())).view(64, 64, 3).permute(2, 0, 1) / 127.5 - 1
    return values.flip(2) if mirrored else values


def published(folder: Path, images: Images, prompts: list[str], draws: list[Any], lr: float) -> torch.Tensor:
    """The row that the published algorithm learns from these inputs."""
    tokenizer = CLIPTokenizer.from_pretrained(folder, subfolder="tokenizer")
    text = CLIPTextModel.from_pretrained(folder, subfolder="text_encoder")
    vae = AutoencoderKL.from_pretrained(folder, subfolder="vae").eval().requires_grad_(False)
    unet = UNet2DConditionModel.from_pretrained(folder, subfolder="unet").eval().requires_grad_(False)
    scheduler = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
    (start,) = tokenizer("star", add_special_tokens=False).input_ids
    tokenizer.add_tokens("mossglow")
    new = tokenizer.convert_tokens_to_ids("mossglow")
    text.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    table = text.get_input_embeddings().weight
    text.requires_grad_(False)
    table.requires_grad_(True)
    with torch.no_grad():
        table[new] = table[start]
    before = table.detach().clone()
    optimiser = torch.optim.AdamW([table], lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    for inputs in draws:
        shown = [
            pixels_of(images[picture]["path"], bool(turned))
            for picture, turned in zip(inputs.pictures.tolist(), inputs.flipped.tolist(), strict=True)
        ]
        found = vae.encode(torch.stack(shown)).latent_dist
        latents = (found.mean + found.std * inputs.latent_noise) * vae.config.scaling_factor
        words = [prompts[number].replace("[name]", "mossglow") for number in inputs.prompts]
        ids = tokenizer(
            words, padding="max_length", max_length=77, truncation=True, return_tensors="pt"
        ).input_ids
        assert (ids == new).any(dim=1).all()
        noisy = scheduler.add_noise(latents, inputs.noise, inputs.timesteps)
        predicted = unet(noisy, inputs.timesteps, text(ids)[0]).sample
        torch.nn.functional.mse_loss(predicted, inputs.noise).backward()
        optimiser.step()
        optimiser.zero_grad()
        with torch.no_grad():
            table[:new] = before[:new]
    assert (table[new] - before[new]).abs().max() > 1e-3
    return table[new:].detach()


@pytest.mark.filterwarnings("ignore")  # of the libraries in the role of a stranger's program
def test_classic_run_equals_the_published_algorithm(
    epsilon_base: BaseModel, images: Images, train: Train
) -> None:
    recipe = Recipe.for_preset(
        "classic",
        family="tiny",
        kind="object",
        trigger="mossglow",
        initializer="star",
        lr=5e-4,
        batch=2,
        max_steps=STEPS,
        seed=11,
    )
    data = prepare(epsilon_base, recipe, [picture_from(image) for image in images])
    assert data is not None
    draws = [draw(recipe, data, step, epsilon_base.timesteps) for step in range(STEPS)]
    theirs = published(epsilon_base.facts.path, images, data.prompts, draws, recipe.lr)
    ours = rows_of(train(recipe, on=epsilon_base).last)
    assert (ours - theirs).abs().max() < 1e-6
