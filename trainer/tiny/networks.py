"""The four networks' shapes in the exact Stable Diffusion 1.x structure, and where their pictures' latents lie."""

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

VOCABULARY = 49408
BOS, EOS = 49406, 49407
TEXT_WIDTH = 128
RESOLUTION = 64


def build_vae() -> AutoencoderKL:
    """An untrained autoencoder: 64x64 pictures to 16x16x4 latents."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        sample_size=RESOLUTION,
        latent_channels=4,
        layers_per_block=1,
        block_out_channels=(16, 32, 64),
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
    )


def build_text_encoder(rows: int = VOCABULARY, bos: int = BOS, eos: int = EOS) -> CLIPTextModel:
    """An untrained text encoder; training uses a short table with the rows in use, shipping the whole vocabulary."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=rows,
            hidden_size=TEXT_WIDTH,
            intermediate_size=4 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=77,
            hidden_act="quick_gelu",
            projection_dim=TEXT_WIDTH,
            bos_token_id=bos,
            eos_token_id=eos,
            pad_token_id=eos,
        )
    )


def build_unet() -> UNet2DConditionModel:
    """An untrained denoiser, cross-attention at 8x8 and 4x4."""
    return UNet2DConditionModel(
        sample_size=RESOLUTION // 4,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(32, 64, 96),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )


def build_scheduler() -> DDIMScheduler:
    """The noise schedule: v-prediction, zero terminal signal, trailing steps."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )


def to_input(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 pictures (N, H, W, 3) as the networks see them: floats in -1..1, (N, 3, H, W)."""
    return pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1.0)
