"""Training pictures as pixels: upright, in sRGB, on a plain ground, with the mask that weighs their parts."""

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageCms, ImageOps
from torch import Tensor

from trainer.engine.events import recipe_fault
from trainer.engine.framing import Box, Frame

MAX_PIXELS = 40_000_000
MIN_SIDE = 16
FORMATS = ("JPEG", "PNG", "WEBP")
WHITE = "#ffffff"
_CLEAR = ("RGBA", "LA", "PA", "RGBa", "La")
_ORIENTATION = 0x0112
_LYING = (5, 6, 7, 8)
_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N")


@dataclass(frozen=True)
class Picture:
    """A training picture: where it lies, its caption, digest, focus box (shares of its sides) and mask."""

    path: Path
    caption: str | None
    sha256: str
    focus: Box | None = None
    mask: Path | None = None
    mask_sha256: str = ""


def picture_from(values: dict[str, Any]) -> Picture:
    """A picture as named in a command; its digest is measured where the command has none."""
    path = Path(values["path"])
    digest = _digest(path)
    if values.get("sha256") not in (None, digest):
        raise recipe_fault("picture_changed", f"The picture '{path.name}' is not the one that was checked.")
    mask = Path(values["mask"]) if values.get("mask") else None
    focus = _focus(values.get("focus"), path.name)
    return Picture(path, values.get("caption"), digest, focus, mask, _digest(mask) if mask else "")


def load(picture: Picture, background: str = WHITE) -> Image.Image:
    """The picture upright, in sRGB, on the background where it is transparent. Raises a recipe fault."""
    return on_ground(background, upright(picture.path))


def upright_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture file as it is meant to be seen, from its header alone."""
    with _opened(path) as image:
        turned = image.getexif().get(_ORIENTATION, 1) in _LYING
        return (image.height, image.width) if turned else image.size


def upright(path: Path) -> Image.Image:
    """A picture file as the camera held it, transparency kept. Raises a recipe fault."""
    with _opened(path) as image:
        return _eight_bits(_in_srgb(ImageOps.exif_transpose(image)))


def on_ground(background: str, image: Image.Image) -> Image.Image:
    """The picture without transparency: the colour shows where it was clear."""
    image = _with_alpha(image)
    if image.mode == "RGBA":
        return Image.alpha_composite(Image.new("RGBA", image.size, background), image).convert("RGB")
    return image.convert("RGB")


def weights(picture: Picture, image: Image.Image, mode: str, outside: float) -> Image.Image | None:
    """How much each pixel counts as a grey picture, 255 for fully; None where all count alike.

    `image` is the picture as `upright` gives it. Raises a recipe fault for a mask that covers nothing.
    """
    name = picture.path.name
    if mode == "alpha" and "A" in (clear := _with_alpha(image)).getbands():
        mask = clear.getchannel("A")
    elif mode == "file" and picture.mask is not None:
        mask = upright(picture.mask)
        if _apart(mask, image) > 0.02:
            raise recipe_fault("bad_mask", f"The mask of '{name}' has another shape than the picture.")
        mask = on_ground("#000000", mask).convert("L").resize(image.size, Image.Resampling.BILINEAR)
    else:
        return None
    if mask.getextrema() == (0, 0):
        raise recipe_fault("bad_mask", f"The mask of '{name}' leaves nothing of the picture.")
    return mask.point([round(255 * (outside + (1 - outside) * value / 255)) for value in range(256)])


def to_pixels(image: Image.Image, frame: Frame) -> Tensor:
    """What the frame shows, as a tensor in -1..1."""
    shown = image.resize(frame.size, Image.Resampling.LANCZOS, box=frame.box)
    values = torch.frombuffer(bytearray(shown.tobytes()), dtype=torch.uint8)
    return values.view(frame.size[1], frame.size[0], 3).permute(2, 0, 1).float() / 127.5 - 1


def to_weights(mask: Image.Image | None, frame: Frame, factor: int) -> Tensor:
    """The mask at the size of the latents, [1, y, x], with mean 1, so that the rate keeps its meaning."""
    width, height = frame.size[0] // factor, frame.size[1] // factor
    if mask is None:
        return torch.ones(1, height, width)
    small = mask.resize((width, height), Image.Resampling.BOX, box=frame.box)
    values = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8).view(1, height, width).float()
    return values / values.mean().clamp(min=1e-3)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    name = path.name
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(path, formats=FORMATS) as image:
                _check(image, name)
                yield image
    except (OSError, ValueError, SyntaxError, Warning, Image.DecompressionBombError):
        raise recipe_fault("bad_picture", f"'{name}' is not a readable JPEG, PNG or WebP picture.") from None


def _check(image: Image.Image, name: str) -> None:
    """Refuse by the header alone, before anything is decoded."""
    width, height = image.size
    if getattr(image, "is_animated", False):
        raise recipe_fault("bad_picture", f"'{name}' is animated; use a still picture.")
    if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
        raise recipe_fault("bad_picture", f"'{name}' is {width} x {height}: too small or too large.")


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise recipe_fault("picture_missing", f"The picture '{path.name}' cannot be read.") from None


def _focus(values: Any, name: str) -> Box | None:
    if values is None:
        return None
    if isinstance(values, list | tuple) and len(values) == 4:
        left, top, right, bottom = (float(value) for value in values)
        if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
            return left, top, right, bottom
    raise recipe_fault(
        "bad_focus", f"The focus of '{name}' must be left, top, right, bottom as shares from 0 to 1."
    )


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


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits a pixel as eight; plain conversion would make everything white."""
    if image.mode in _DEEP:
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image


def _with_alpha(image: Image.Image) -> Image.Image:
    return image.convert("RGBA") if image.mode in _CLEAR or "transparency" in image.info else image


def _apart(one: Image.Image, other: Image.Image) -> float:
    """How far two pictures differ in shape: 0.02 is two pixels in a hundred."""
    return abs(one.width * other.height / (one.height * other.width) - 1)
