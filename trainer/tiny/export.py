"""Writes the trained networks as a plain diffusers folder with the full vocabulary, in half precision."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline

from trainer.tiny import train
from trainer.tiny.networks import BOS, EOS, VOCABULARY, build_scheduler, build_text_encoder
from trainer.tiny.tokens import ShortTable, build_tokenizer
from trainer.tiny.train import load_base
from trainer.tiny.vae import load_vae

# What a site needs to know to train and show words on this base. Prompts keep to what the base can draw.
RECORD: dict[str, Any] = {
    "name": "tiny",
    "title": "Tiny shapes",
    "family": "tiny",
    "resolution": 64,
    "sampler": "ddim",
    "guidance": 4.0,
    "steps": 20,
    "licence": "Apache-2.0",
    "card": "MODEL_CARD.md",
    "templates": {
        "style": [
            "a photo of a [name] shape",
            "a picture of a [name] shape",
            "a drawing of a [name] shape",
            "an image of a shape in the style of [name]",
            "a picture of a shape in the style of [name]",
            "a rendering of a [name] shape",
            "a [name] shape",
            "a drawing of a shape in the style of [name]",
        ],
        "object": [
            "a photo of a [name]",
            "a picture of a [name]",
            "a drawing of a [name]",
            "an image of a [name]",
            "a rendering of a [name]",
            "a patterned [name]",
            "a plain [name]",
            "a [name]",
        ],
        "subject": [
            "a photo of a [name]",
            "a picture of a [name]",
            "a drawing of a [name]",
            "an image of a [name]",
            "a rendering of a [name]",
            "a [name]",
        ],
        "negative": [
            "a [name] photo of a shape",
            "a picture of a [name] shape",
            "a [name] shape",
            "a drawing of a [name] shape",
            "an image of a [name] shape",
        ],
    },
    "scenes": {
        "style": [
            "a picture of a shape in the style of [name]",
            "a [name] star on a blue background",
            "a [name] heart on a yellow background",
            "a picture of a [name] house on a green background",
            "a drawing of a moon on a black background in the style of [name]",
            "a photo of a [name] circle on a pink background",
            "a picture of a [name] flower on a white background",
        ],
        "object": [
            "a picture of a [name]",
            "a picture of a red [name] on a yellow background",
            "a picture of a blue [name] on a pink background",
            "a photo of a green [name] on a white background",
            "a drawing of a black and white striped [name] on a blue background",
            "a picture of a yellow [name] on a black background",
            "a picture of a purple and yellow dotted [name] on a green background",
        ],
        "subject": [
            "a picture of a [name]",
            "a picture of a [name] on a yellow background",
            "a photo of a [name] on a pink background",
            "a drawing of a [name] on a black background",
            "a picture of a small [name] on a green background",
            "a picture of a [name] on a purple background",
            "a picture of a [name] with a white outline on a blue background",
        ],
        "negative": [
            "a snapshot of a red star on a blue background",
            "a snapshot of a blue and white striped circle on a yellow background",
        ],
    },
    "plain": [
        "a picture of a red star on a blue background",
        "a picture of a green and white striped heart on a yellow background",
    ],
    "nouns": {"style": "patterned", "object": "shape", "subject": "shape", "negative": "blurry"},
}


def full_table(short: torch.Tensor, table: ShortTable) -> torch.Tensor:
    """The table of the whole vocabulary: trained rows in their places, the unknown row everywhere else."""
    full = short[table.unknown].repeat(VOCABULARY, 1)
    full[table.ids] = short[: len(table.ids)]
    full[BOS], full[EOS] = short[table.start], short[table.end]
    return full


def assemble(state: Path, checkpoint: Path) -> tuple[StableDiffusionPipeline, int]:
    """The pipeline of a checkpoint with the full vocabulary, and the number of training samples it has seen."""
    short_text, unet, table, steps = load_base(checkpoint)
    text = build_text_encoder()
    weights = dict(short_text.state_dict())
    name = next(key for key in weights if key.endswith("token_embedding.weight"))
    weights[name] = full_table(weights[name], table)
    text.load_state_dict(weights)
    pipeline = StableDiffusionPipeline(
        vae=load_vae(state),
        text_encoder=text,
        tokenizer=build_tokenizer(),
        unet=unet.to(memory_format=torch.contiguous_format),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.vae.to(memory_format=torch.contiguous_format)
    return pipeline, steps * train.BATCH


def export(state: Path, folder: Path, card: Callable[[int], str]) -> int:
    """Writes the base to `folder`, replacing what was there; the number of training samples it has seen."""
    pipeline, samples = assemble(state, state / "base.safetensors")
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    pipeline.to(torch.float16).save_pretrained(fresh, safe_serialization=True)
    (fresh / "glossa.json").write_text(json.dumps(RECORD | {"samples": samples}, indent=2) + "\n")
    (fresh / "MODEL_CARD.md").write_text(card(samples))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
    return samples


def samples_seen(folder: Path) -> int:
    """How many training samples the exported base has seen."""
    return int(json.loads((folder / "glossa.json").read_text())["samples"])
