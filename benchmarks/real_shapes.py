"""Train a few steps on the real shapes of a family with random weights: does it fit, and into how much memory?

    python -m benchmarks.real_shapes sdxl [--resolution 256] [--steps 3] [--folder DIR]

The weights are random, so the numbers are about memory and time, never about quality. One JSON object comes out:
peak memory of the training process in GiB, seconds a step, and which rows moved.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from trainer.base_folder import BUNDLED

FAMILIES = ("sd1", "sd2", "sdxl")
SCHEDULE: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {
        "cross_attention_dim": 1024,
        "attention_head_dim": (5, 10, 20, 20),
        "use_linear_projection": True,
    },
    "sdxl": {
        "cross_attention_dim": 2048,
        "attention_head_dim": (5, 10, 20),
        "block_out_channels": (320, 640, 1280),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 2, 10),
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
# Width, inner width, layers, heads.
CLIP_L = (768, 3072, 12, 12)
CLIP_H = (1024, 4096, 23, 16)
CLIP_G = (1280, 5120, 32, 20)


def build(family: str, folder: Path, resolution: int) -> None:
    """Write a base of the family's real shapes, its UNet in half precision."""
    tokenizer = CLIPTokenizer.from_pretrained(BUNDLED, subfolder="tokenizer")
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=0.13025 if family == "sdxl" else 0.18215,
    )
    torch.set_default_dtype(torch.bfloat16)
    unet = UNet2DConditionModel(sample_size=resolution // 8, **UNETS[family])
    torch.set_default_dtype(torch.float32)
    first = CLIPTextModel(text_config(tokenizer, CLIP_H if family == "sd2" else CLIP_L))
    if family == "sdxl":
        second = CLIPTextModelWithProjection(text_config(tokenizer, CLIP_G))
        pipeline = StableDiffusionXLPipeline(
            vae,
            first,
            second,
            tokenizer,
            tokenizer,
            unet,
            EulerDiscreteScheduler(**SCHEDULE),
            add_watermarker=False,
        )
    else:
        scheduler = DDIMScheduler(
            **SCHEDULE, prediction_type="v_prediction" if family == "sd2" else "epsilon", clip_sample=False
        )
        pipeline = StableDiffusionPipeline(
            vae, first, tokenizer, unet, scheduler, None, None, requires_safety_checker=False
        )
    pipeline.save_pretrained(folder)


def text_config(tokenizer: Any, shape: tuple[int, int, int, int]) -> CLIPTextConfig:
    """The config of a text encoder; its vocabulary is the small one of the bundled base."""
    width, inner, layers, heads = shape
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
        hidden_act="quick_gelu" if width == CLIP_L[0] else "gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def train(family: str, folder: Path, resolution: int, steps: int) -> dict[str, Any]:
    """Train in this process and say what it took."""
    from trainer.engine.base_model import BaseModel
    from trainer.engine.run import Run
    from trainer.recipe import Recipe

    base = BaseModel.load(folder, precision="bf16")
    recipe = Recipe.for_preset(
        "quick",
        family=family,
        kind="object",
        trigger="mossglow",
        initializer="star",
        precision="bf16",
        resolution=resolution,
        batch=1,
        accumulate=1,
        max_steps=steps,
    )
    picture = folder.parent / "picture.png"
    Image.effect_noise((resolution + 64, resolution), 80).convert("RGB").save(picture)
    events: list[dict[str, Any]] = []
    started = time.monotonic()
    Run(
        base=base,
        recipe=recipe,
        images=[{"path": str(picture)}],
        workdir=folder.parent / "work",
        on_event=lambda event, **values: events.append({"event": event, **values}),
        should_stop=lambda: False,
    ).train()
    result = events[-1]
    return {
        "family": family,
        "resolution": resolution,
        "steps": result["steps"],
        "seconds": round(time.monotonic() - started, 1),
        "base_intact": result["base_intact"],
        "encoders": [own["slot"] for own in result["encoders"]],
        "cosine_to_initializer": result["cosine_to_initializer"],
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def main() -> None:
    """Build in one process and train in another, so that only training counts."""
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--steps", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=("build", "train"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)) / given.family
        if given.only == "build":
            build(given.family, folder, given.resolution)
        elif given.only == "train":
            print(json.dumps(train(given.family, folder, given.resolution, given.steps)))
        else:
            for part in ("build", "train"):
                subprocess.run(
                    [sys.executable, "-m", "benchmarks.real_shapes", *sys.argv[1:], "--only", part]
                    + ([] if given.folder else ["--folder", temporary]),
                    check=True,
                )


if __name__ == "__main__":
    main()
