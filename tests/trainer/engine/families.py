"""Small random bases with the structure and the text widths of the real families, as diffusers saves them."""

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

from tests.trainer.engine.small_base import small_tokenizer

POOLED = 32
TIME_WIDTH = 8
SCHEDULE: dict[str, Any] = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def build(folder: Path, family: str, *, prediction: str = "epsilon", end_id: int | None = None) -> Path:
    """Write a base of `family` (sd1, sd2 or sdxl) into `folder`; 64 pixels a side.

    `end_id` is what the config of SDXL's second encoder calls the end mark; real folders hold a wrong 2.
    """
    torch.manual_seed(0)
    make = _sdxl if family == "sdxl" else _classic
    make(family, prediction, end_id).save_pretrained(folder)
    (folder / "glossa.json").write_text(json.dumps({"name": "small", "resolution": 64, "steps": 4}))
    return folder


def _classic(family: str, prediction: str, _end_id: int | None) -> Any:
    width = {"sd1": 768, "sd2": 1024}[family]
    # OpenCLIP pads with an exclamation mark and uses exact gelu.
    tokenizer = padded("!") if family == "sd2" else small_tokenizer()
    text = CLIPTextModel(
        text_config(tokenizer, width, layers=1, act="gelu" if family == "sd2" else "quick_gelu")
    )
    scheduler = DDIMScheduler(
        **SCHEDULE, clip_sample=False, set_alpha_to_one=False, steps_offset=1, prediction_type=prediction
    )
    return StableDiffusionPipeline(
        small_vae(0.18215),
        text,
        tokenizer,
        UNet2DConditionModel(**unet_config(width)),
        scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl(_family: str, prediction: str, end_id: int | None) -> Any:
    first, second = small_tokenizer(), padded("!")
    extra = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": TIME_WIDTH,
        "projection_class_embeddings_input_dim": 6 * TIME_WIDTH + POOLED,
        "use_linear_projection": True,
    }
    return StableDiffusionXLPipeline(
        vae=small_vae(0.13025),
        text_encoder=CLIPTextModel(text_config(first, 768, layers=2)),
        text_encoder_2=CLIPTextModelWithProjection(
            text_config(second, 1280, layers=2, act="gelu", projection=POOLED, end_id=end_id)
        ),
        tokenizer=first,
        tokenizer_2=second,
        unet=UNet2DConditionModel(**unet_config(2048), **extra),
        scheduler=EulerDiscreteScheduler(**SCHEDULE, steps_offset=1, prediction_type=prediction),
        add_watermarker=False,
    )


def padded(pad: str) -> CLIPTokenizer:
    """The small tokenizer with another padding token."""
    tokenizer = small_tokenizer()
    tokenizer.pad_token = pad
    return tokenizer


def text_config(
    tokenizer: CLIPTokenizer,
    width: int,
    *,
    layers: int,
    act: str = "quick_gelu",
    projection: int = 64,
    end_id: int | None = None,
) -> CLIPTextConfig:
    """A text encoder of real width, thin inside."""
    size = len(tokenizer)
    return CLIPTextConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=64,
        num_hidden_layers=layers,
        num_attention_heads=4,
        projection_dim=projection,
        hidden_act=act,
        bos_token_id=size - 2,
        eos_token_id=size - 1 if end_id is None else end_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def small_vae(scaling: float) -> AutoencoderKL:
    """A VAE that makes one latent place of 8 by 8 pixels."""
    return AutoencoderKL(
        sample_size=64,
        latent_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 8, 16, 16),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        scaling_factor=scaling,
    )


def unet_config(width: int) -> dict[str, Any]:
    """A UNet of two levels that reads text of this width."""
    return {
        "sample_size": 8,
        "layers_per_block": 1,
        "block_out_channels": (16, 32),
        "cross_attention_dim": width,
        "attention_head_dim": 4,
        "norm_num_groups": 8,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }
