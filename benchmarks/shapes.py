"""Bases of the real shapes of a family with random weights: numbers about memory and time, never about quality."""

import json
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
    """Write a base of the family's real shapes, its UNet in half precision; its pictures take two steps."""
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
    record = {"name": family, "resolution": resolution, "sampler": "ddim", "guidance": 5.0, "steps": 2}
    (folder / "glossa.json").write_text(json.dumps(record))


def text_config(tokenizer: Any, shape: tuple[int, int, int, int]) -> CLIPTextConfig:
    """The config of a text encoder. The bundled base has CLIP's whole vocabulary, so the table is of real size too."""
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
