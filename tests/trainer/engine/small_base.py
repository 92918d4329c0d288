"""A base model of the real structure with random weights, small enough to train a few steps in a second."""

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

_SENTENCES = """
a photo picture drawing of the in style red blue star circle flat old house cat dog on white plain
small big moss striped heart by lake
"""
WORDS = tuple(_SENTENCES.split())


def byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes that CLIP's tokenizer uses."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + n) for n in range(256 - len(plain))]


def small_tokenizer() -> CLIPTokenizer:
    """A CLIP tokenizer that knows the letters and WORDS."""
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        left = word[0]
        for place, letter in enumerate(word[1:], start=1):
            right = letter + "</w>" if place == len(word) - 1 else letter
            if (left, right) not in merges:
                merges.append((left, right))
            left += right
    letters = byte_alphabet()
    tokens = [*letters, *(letter + "</w>" for letter in letters), *(a + b for a, b in merges)]
    tokens = [*dict.fromkeys(tokens), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77, pad_token="<|endoftext|>")


def build(folder: Path, *, prediction: str = "v_prediction", resolution: int = 64, layers: int = 2) -> Path:
    """Write the base into `folder` as diffusers would save it, with the record of the bundled one."""
    torch.manual_seed(0)
    tokenizer = small_tokenizer()
    size = len(tokenizer)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=size,
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=layers,
            num_attention_heads=4,
            projection_dim=128,
            bos_token_id=size - 2,
            eos_token_id=size - 1,
            pad_token_id=size - 1,
        )
    )
    vae = AutoencoderKL(
        sample_size=64,
        latent_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16, 16),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
    )
    unet = UNet2DConditionModel(
        sample_size=resolution // 4,
        layers_per_block=1,
        block_out_channels=(16, 32),
        cross_attention_dim=128,
        attention_head_dim=4,
        norm_num_groups=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
        prediction_type=prediction,
        rescale_betas_zero_snr=prediction == "v_prediction",
        timestep_spacing="trailing",
    )
    pipeline = StableDiffusionPipeline(
        vae,
        text,
        tokenizer,
        unet,
        scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    record = {"name": "small", "resolution": resolution, "sampler": "ddim", "guidance": 3.0, "steps": 4}
    (folder / "glossa.json").write_text(json.dumps(record))
    return folder
