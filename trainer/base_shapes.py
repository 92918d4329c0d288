"""The published shapes of each family: what a single-file checkpoint does not say about the networks inside it.

Pure data, no torch: the site hands a plan to the engine, which builds the configs of a diffusers folder from it and
holds every tensor against them.
"""

from typing import Any

_BETAS: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "num_train_timesteps": 1000,
    "clip_sample": False,
    "set_alpha_to_one": False,
    "steps_offset": 1,
}
_UNETS: dict[str, dict[str, Any]] = {
    "sd1": {"cross_attention_dim": 768, "attention_head_dim": 8},
    "sd2": {
        "cross_attention_dim": 1024,
        "attention_head_dim": [5, 10, 20, 20],
        "use_linear_projection": True,
        # SD 2.1 overflows in half precision without it, and SD 2.0 loses nothing by it.
        "upcast_attention": True,
    },
    "sdxl": {
        "cross_attention_dim": 2048,
        "attention_head_dim": [5, 10, 20],
        "block_out_channels": [320, 640, 1280],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 2, 10],
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816,
    },
}
_VAE: dict[str, Any] = {
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "latent_channels": 4,
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}
_SCALING = {"sd1": 0.18215, "sd2": 0.18215, "sdxl": 0.13025}
# Pad, activation, the numbers of _TEXT. OpenCLIP pads with the first entry of the vocabulary and takes the exact gelu.
_CLIP_L = ("<|endoftext|>", "quick_gelu", (768, 3072, 12, 12, 768))
_OPEN_H = ("!", "gelu", (1024, 4096, 23, 16, 512))
_OPEN_G = ("!", "gelu", (1280, 5120, 32, 20, 1280))
_ENCODERS = {
    "sd1": [("cond_stage_model.transformer.", _CLIP_L)],
    # 23 of OpenCLIP's 24 layers: SD 2.x reads the last layer but one.
    "sd2": [("cond_stage_model.model.", _OPEN_H)],
    "sdxl": [("conditioner.embedders.0.transformer.", _CLIP_L), ("conditioner.embedders.1.model.", _OPEN_G)],
}
_TEXT = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "projection_dim")


def plan_of(family: str, *, prediction: str, zero_snr: bool, resolution: int) -> dict[str, Any]:
    """What to build from a checkpoint, as plain JSON: a config for each part, and where its tensors are."""
    schedule = {**_BETAS, "prediction_type": prediction}
    if zero_snr:
        schedule |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    is_xl = family == "sdxl"
    return {
        "pipeline": "StableDiffusionXLPipeline" if is_xl else "StableDiffusionPipeline",
        "unet": {"sample_size": resolution // 8, **_UNETS[family]},
        "vae": {
            **_VAE,
            "sample_size": resolution,
            "scaling_factor": _SCALING[family],
            "force_upcast": is_xl,
        },
        "encoders": [
            {
                "prefix": prefix,
                "pad": pad,
                "config": {"hidden_act": act, **dict(zip(_TEXT, shape, strict=True))},
            }
            for prefix, (pad, act, shape) in _ENCODERS[family]
        ],
        "scheduler": schedule,
    }
