"""The table of options: what each setting of a recipe may be, and the two that are written as text.

Pure standard library. docs/training.md explains every line; a test holds the two together.
"""

import math
import re

KINDS = ("style", "object", "subject", "negative")
SCHEDULES = ("constant", "cosine", "linear")
MAX_SEED = 2**63 - 1
MAX_TEXT = 400

# Settings that are one of a few words.
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "optimizer": ("adamw", "prodigy"),
    "initializer_mode": ("word", "random", "cross", "file"),
    "norm": ("off", "cap", "preserve", "soft"),
    "crop": ("centre", "focus", "buckets"),
    "mask": ("off", "alpha", "file"),
    "long_prompts": ("cut", "chunks"),
    "precision": ("auto", "fp32", "bf16", "fp16"),
}

# Settings that are lines of prompts, with how many each has at most. A preview prompt is drawn four times.
LINES: dict[str, int] = {"templates": 200, "preview_prompts": 4}

# Settings that are numbers, with both ends of their range; None, where a setting has it, means off.
RANGES: dict[str, tuple[float, float]] = {
    "vectors_per_token": (1, 16),
    "lr": (0, 1),
    "warmup": (0, 0.5),
    "weight_decay": (0, 0.1),
    "batch": (1, 16),
    "accumulate": (1, 16),
    "max_steps": (1, 10000),
    "patience": (3, 1000),
    "average": (0, 0.5),
    "min_snr_gamma": (1, 20),
    "noise_offset": (0, 0.1),
    "grad_clip": (0.1, 10),
    "resolution": (64, 1536),
    "mask_outside": (0, 1),
    "caption_drop": (0, 0.3),
    "tag_drop": (0, 0.5),
    "context_reg": (0, 1),
    "clip_skip": (1, 2),
    "seed": (0, MAX_SEED),
}

# What AdamW may be given; Prodigy finds the rate itself and takes a factor of up to 1.
MOST_ADAMW = 0.1

# Families whose users also render with the last layer of the text encoder left out.
SKIPPING = ("tiny", "sd1")

# Settings that came after the first recipes and are off unless asked for: a recipe is written without them then.
LATER = frozenset({"preview_prompts", "context_reg", "compile"})


def parse_piecewise(text: str) -> list[tuple[float, int]]:
    """Read A1111's rate text, `0.005:100, 1e-3:500, 1e-4`: each rate holds up to and including its step.

    The last rate may stand alone and then holds to the end. Raises ValueError on anything else.
    """
    parts = [part.strip() for part in text.split(",")]
    stages: list[tuple[float, int]] = []
    for number, part in enumerate(parts):
        rate_text, colon, until_text = part.partition(":")
        rate = float(rate_text)
        if not colon and number != len(parts) - 1:
            raise ValueError("only the last rate may stand without a step")
        until = int(until_text) if colon else 2**31
        if not (math.isfinite(rate) and 0 <= rate <= 1) or until <= (stages[-1][1] if stages else 0):
            raise ValueError("rates must be between 0 and 1 and steps must rise")
        stages.append((rate, until))
    return stages


def parse_timesteps(text: str) -> tuple[float, float]:
    """The share of the noise schedule that is trained: (0, 1) for a named mode, else `lo-hi` of 1000."""
    if text in ("uniform", "stratified"):
        return 0.0, 1.0
    match = re.fullmatch(r"(\d{1,4})-(\d{1,4})", text)
    if not match or not int(match[1]) < int(match[2]) <= 1000:
        raise ValueError("use uniform, stratified, or a range such as 100-900")
    return int(match[1]) / 1000, int(match[2]) / 1000
