"""Recipe presets as data: what each quality, family and kind starts from.

Pure data. The reasons for the values are in docs/training.md; a recipe stores the values, never the name
alone, so a change here changes no past run.
"""

from typing import Any

PRESETS = ("quick", "standard", "thorough", "classic")
FAMILIES = ("tiny", "sd1", "sd2", "sdxl")

# What each preset changes. `classic` is the published reference command, kept so that anyone can compare.
_PRESET_FIELDS: dict[str, dict[str, Any]] = {
    "quick": {},
    "standard": {},
    "thorough": {},
    "classic": {
        "vectors_per_token": 1,
        "lr_schedule": "constant",
        "warmup": 0.0,
        "weight_decay": 1e-2,
        "early_stop": False,
        "norm": "off",
        "average": 0.0,
        "timesteps": "uniform",
        "min_snr_gamma": None,
        "grad_clip": None,
        "flip": True,
    },
}
_PRESET_STEPS = {
    "tiny": {"quick": 250, "standard": 800, "thorough": 2000, "classic": 500},
    "other": {"quick": 300, "standard": 1000, "thorough": 3000, "classic": 3000},
}
_FAMILY_FIELDS: dict[str, dict[str, Any]] = {
    "tiny": {
        "lr": 8e-3,
        "batch": 8,
        "resolution": 64,
        "min_snr_gamma": None,
        "norm": "off",
        "early_stop": False,
    },
    "sd1": {"lr": 2e-3, "batch": 4, "resolution": 512},
    "sd2": {"lr": 2e-3, "batch": 4, "resolution": 512},
    "sdxl": {"lr": 1e-3, "batch": 2, "accumulate": 2, "resolution": 1024},
}
_KIND_VECTORS = {
    "tiny": {"style": 3, "object": 3, "subject": 3, "negative": 3},
    "other": {"style": 4, "object": 2, "subject": 2, "negative": 6},
}
_KIND_FLIP = {"style": True, "object": False, "subject": False, "negative": True}


def preset_settings(preset: str, family: str, kind: str) -> dict[str, Any]:
    """The settings in which a preset differs from the recipe's own defaults. Unknown names: KeyError."""
    group = family if family in _PRESET_STEPS else "other"
    return {
        "vectors_per_token": _KIND_VECTORS[group][kind],
        "flip": _KIND_FLIP[kind],
        "max_steps": _PRESET_STEPS[group][preset],
        **_FAMILY_FIELDS[family],
        **_PRESET_FIELDS[preset],
    }
