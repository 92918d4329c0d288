"""The table of options: what each setting of a recipe may be.

Pure data. docs/training.md explains every line; a test holds the two together.
"""

KINDS = ("style", "object", "subject", "negative")
SCHEDULES = ("constant", "cosine", "linear")
MAX_SEED = 2**63 - 1
MAX_TEXT = 400
MAX_TEMPLATES = 200

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
    "clip_skip": (1, 2),
    "seed": (0, MAX_SEED),
}

# What AdamW may be given; Prodigy finds the rate itself and takes a factor of up to 1.
MOST_ADAMW = 0.1

# Families whose users also render with the last layer of the text encoder left out.
SKIPPING = ("tiny", "sd1")
