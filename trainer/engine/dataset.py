"""Pictures to cached latents, and prompts to token ids: everything a run reads, prepared once.

The mean and the deviation of each latent are kept for both orientations and sampled afresh each step, which
gives the same objective as encoding every time.
"""

import hashlib
import io
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.events import recipe_fault
from trainer.engine.tokens import prompt_ids, training_ids
from trainer.prompts import templates, training_prompts
from trainer.recipe import Recipe

MAX_PIXELS = 40_000_000
MIN_SIDE = 16
FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True)
class Picture:
    """A training picture: where it lies, its caption, and the digest of its bytes."""

    path: Path
    caption: str | None
    sha256: str


@dataclass
class Dataset:
    """Prepared data.

    `means` and `deviations` are [orientation, picture, channel, y, x]; `ids` holds one tensor of distinct
    prompts per encoder; `choices` says which prompts each picture may be shown with.
    """

    means: Tensor
    deviations: Tensor
    ids: list[Tensor]
    prompts: list[str]
    choices: list[list[int]]
    empty_prompt: int
    digest: str

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return int(self.means.shape[1])


def prepare(
    base: BaseModel,
    recipe: Recipe,
    pictures: Sequence[Picture],
    should_stop: Callable[[], bool] = lambda: False,
) -> Dataset | None:
    """Load, check and encode the pictures and tokenise every distinct prompt; None when asked to stop.

    Raises a recipe fault for a picture or prompt that cannot be trained with.
    """
    if not pictures:
        raise recipe_fault("no_pictures", "A run needs at least one picture.")
    encoded = []
    for picture in pictures:
        if should_stop():
            return None
        pixels = to_pixels(load(picture), recipe.resolution)
        orientations = [pixels, pixels.flip(-1)] if recipe.flip else [pixels]
        encoded.append([base.to_latents(orientation.unsqueeze(0)) for orientation in orientations])
    means = torch.stack([torch.cat([o[0] for o in turn]) for turn in zip(*encoded, strict=True)])
    deviations = torch.stack([torch.cat([o[1] for o in turn]) for turn in zip(*encoded, strict=True)])
    if not bool(torch.isfinite(means).all() and torch.isfinite(deviations).all()):
        raise recipe_fault("bad_picture", "A picture cannot be encoded by this base model.")
    prompts, choices = _prompts(base, recipe, pictures)
    ids = [
        torch.tensor(
            [
                training_ids(encoder.tokenizer, prompt, recipe.vectors_per_token)
                if prompt
                else _empty(encoder)
                for prompt in prompts
            ],
            device=base.device,
        )
        for encoder in base.encoders
    ]
    return Dataset(means, deviations, ids, prompts, choices, prompts.index(""), dataset_digest(pictures))


def dataset_digest(pictures: Sequence[Picture]) -> str:
    """SHA-256 over the pictures' digests and captions, in order of digest."""
    lines = sorted(json.dumps([p.sha256, p.caption or ""], ensure_ascii=False) for p in pictures)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def picture_from(values: dict[str, Any]) -> Picture:
    """A picture as named in a command; its digest is measured where the command has none."""
    path = Path(values["path"])
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise recipe_fault("picture_missing", f"The picture '{path.name}' cannot be read.") from None
    if values.get("sha256") not in (None, digest):
        raise recipe_fault("picture_changed", f"The picture '{path.name}' is not the one that was checked.")
    return Picture(path, values.get("caption"), digest)


def load(picture: Picture) -> Image.Image:
    """The picture upright, in sRGB, on white where it is transparent. Raises a recipe fault."""
    name = picture.path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(picture.path, formats=FORMATS) as image:
                _check(image, name)
                return _on_white(_in_srgb(ImageOps.exif_transpose(image)))
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        raise recipe_fault("bad_picture", f"'{name}' is not a readable JPEG, PNG or WebP picture.") from None


def _check(image: Image.Image, name: str) -> None:
    """Refuse by the header alone, before anything is decoded."""
    width, height = image.size
    if getattr(image, "is_animated", False):
        raise recipe_fault("bad_picture", f"'{name}' is animated; use a still picture.")
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
        raise recipe_fault("bad_picture", f"'{name}' is {width} x {height}: too small or too large.")


def to_pixels(image: Image.Image, side: int) -> Tensor:
    """A square of `side` pixels cut from the middle, aspect kept, as a tensor in -1..1."""
    square = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    values = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8)
    return values.view(side, side, 3).permute(2, 0, 1).float() / 127.5 - 1


def _in_srgb(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return image
    mode = "RGBA" if image.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        turned = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except ImageCms.PyCMSError:
        return image
    return turned or image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _prompts(
    base: BaseModel, recipe: Recipe, pictures: Sequence[Picture]
) -> tuple[list[str], list[list[int]]]:
    """Distinct prompts, the empty one first, and each picture's share of them."""
    lines = recipe.templates or templates(recipe.kind, base.facts.record)
    places = {"": 0}
    choices = []
    for picture in pictures:
        caption = picture.caption if recipe.captions else None
        own = training_prompts(lines, caption)
        choices.append([places.setdefault(prompt, len(places)) for prompt in own])
    return list(places), choices


def _empty(encoder: Any) -> list[int]:
    return prompt_ids(encoder.tokenizer, "", 0)
