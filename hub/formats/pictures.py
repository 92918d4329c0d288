"""Strangers' pictures, decoded and encoded anew: upright, sRGB, opaque unless asked, small, without metadata.

Rules P1 to P3. Runs in the sandbox child; the decoders are JPEG, PNG and WebP only. Beside the new bytes come
facts that advice on a set of training pictures is built from.
"""

import io
import os
import warnings
from dataclasses import asdict, dataclass

from PIL import (
    Image,
    ImageCms,
    ImageFilter,
    ImageOps,
    ImageStat,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from hub.formats.detect import sniff
from hub.formats.errors import FormatError
from hub.formats.limits import MAX_PICTURE_BYTES, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE, MIB, MIN_PICTURE_SIDE
from hub.formats.looks import look_at

# Named so that the decoders are loaded before files may no longer be opened; TIFF is how EXIF is stored, and
# phones write JPEGs with a second picture inside (MPO).
_DECODERS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)
# What Pillow calls an opened file, and what it is to people.
_FORMATS = {"JPEG": "JPEG", "MPO": "JPEG", "PNG": "PNG", "WEBP": "WebP"}
_THUMB = 256
_MEGAPIXELS = MAX_PICTURE_PIXELS // 1_000_000
_LAPLACE = (0, 1, 0, 1, -4, 1, 0, 1, 0)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture made by us from a stranger's, and facts about it.

    `width` and `height` are those of `data`; the `original_…` ones, `min_side` among them, are of the upright
    upload. `dhash64` is a perceptual hash of 16 hex digits; `sharpness` the variance of the Laplacian at 256
    pixels; `mean_colour` three numbers of 0 to 255; `notes` what was changed, in words; `look`, where it was asked
    for, what advice on a set is made from (hub.formats.looks).
    """

    data: bytes
    width: int
    height: int
    format: str
    original_format: str
    original_width: int
    original_height: int
    min_side: int
    dhash64: str
    mean_colour: tuple[int, int, int]
    contrast: float
    sharpness: float
    notes: tuple[str, ...]
    look: dict[str, object] | None = None

    @property
    def facts(self) -> dict[str, object]:
        """Everything but the bytes."""
        facts = asdict(self)
        del facts["data"]
        if self.look is None:
            del facts["look"]
        return facts


def preload() -> None:
    """Register the decoders while modules may still be loaded."""
    Image.preinit()
    ImageCms.createProfile("sRGB")
    with io.BytesIO() as scratch:
        for name in ("WEBP", "PNG"):
            Image.new("RGB", (1, 1)).save(scratch, name)


def reencode_descriptor(
    descriptor: int, *, max_side: int, form: str, **asked: bool
) -> tuple[dict[str, object], bytes]:
    """The sandbox child's reader: an open picture file in, facts and new bytes out."""
    data = bytearray()
    while block := os.read(descriptor, 1 << 20):
        data += block
        if len(data) > MAX_PICTURE_BYTES:
            break
    picture = reencode(bytes(data), max_side=max_side, form=form, **asked)
    return picture.facts, picture.data


def reencode(
    data: bytes,
    *,
    max_side: int = 2048,
    form: str = "webp",
    look: bool = False,
    as_mask: bool = False,
    keep_clear: bool = False,
) -> Picture:
    """The picture in these bytes, made anew as `webp` or `png`, no side longer than `max_side`.

    With `look` it is looked at for advice as well, which takes about as long again as a small picture. With
    `as_mask` it is made grey, and black where it is clear: white is what counts. With `keep_clear` it stays clear
    where it was, and its facts are those of the picture on white; else it is put on white.

    FormatError `picture_too_large` (P2) over the byte limit, `bad_mask` for a mask that is black all over,
    `invalid_image` (P1, P2) for everything else.
    """
    if len(data) > MAX_PICTURE_BYTES:
        raise FormatError(
            "picture_too_large",
            f"The picture is larger than {MAX_PICTURE_BYTES // MIB} MiB.",
            rule="P2",
            detail={"limit": MAX_PICTURE_BYTES},
        )
    if not data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")) and not (
        data.startswith(b"RIFF") and data[8:12] == b"WEBP"
    ):
        raise _refusal("P1", f"Pictures are JPEG, PNG or WebP. {_what(data)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
                return _remade(image, max_side, form, look, as_mask, keep_clear)
    except FormatError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _refusal("P2", f"The picture has more than {_MEGAPIXELS} megapixels, the limit.") from error
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, Warning) as error:
        raise _refusal("P2", "The picture is damaged or cut short; it cannot be decoded.") from error
    except (ArithmeticError, RuntimeError, AttributeError) as error:
        raise _refusal("P2", "The picture cannot be decoded.") from error


def _remade(
    image: Image.Image, max_side: int, form: str, look: bool, as_mask: bool, keep_clear: bool
) -> Picture:
    _check_frame(image)
    original_format = _FORMATS[image.format or ""]
    turned = image.getexif().get(0x0112, 1)
    width, height = image.size[::-1] if turned in (5, 6, 7, 8) else image.size
    notes: list[str] = ["turned upright"] if turned in range(2, 9) else []
    if image.format in ("JPEG", "MPO"):
        image.draft("RGB" if image.mode == "RGB" else None, (max_side, max_side))
    profile = image.info.get("icc_profile")
    plain = _plain(image, max_side)
    if isinstance(profile, bytes) and profile:
        plain, note = _to_srgb(plain, profile)
        notes.append(note)
    if turned in range(2, 9):
        ImageOps.exif_transpose(plain, in_place=True)
    clear = None
    if plain.mode in ("RGBA", "LA") and plain.getchannel("A").getextrema() != (255, 255):
        ground = "black" if as_mask else "white"
        clear = plain.convert("RGBA") if keep_clear else None
        if clear:  # with no colours hidden below
            clear.paste((255, 255, 255, 0), mask=clear.getchannel("A").point([255] + [0] * 255))
        plain = _on(ground, plain)
        notes.append("transparency kept, shown on white" if clear else f"transparency put on {ground}")
    rgb = _grey(plain) if as_mask else plain.convert("RGB")
    if max(rgb.size) < max(width, height):
        notes.append(f"made smaller, from {width} x {height}")
    mean_colour, contrast, sharpness = _measured(rgb)
    return Picture(
        data=_encoded(clear or rgb, form),
        width=rgb.width,
        height=rgb.height,
        format="PNG" if form == "png" else "WebP",
        original_format=original_format,
        original_width=width,
        original_height=height,
        min_side=min(width, height),
        notes=tuple(notes),
        dhash64=dhash(rgb),
        mean_colour=mean_colour,
        contrast=contrast,
        sharpness=sharpness,
        look=look_at(rgb) if look else None,
    )


def _check_frame(image: Image.Image) -> None:
    width, height = image.size
    if not (min(width, height) >= MIN_PICTURE_SIDE and max(width, height) <= MAX_PICTURE_SIDE):
        raise _refusal(
            "P2",
            f"The picture is {width} x {height}; sides are {MIN_PICTURE_SIDE} to {MAX_PICTURE_SIDE} pixels.",
            width=width,
            height=height,
        )
    if width * height > MAX_PICTURE_PIXELS:
        raise _refusal(
            "P2",
            f"The picture has {width * height / 1e6:.0f} megapixels; {_MEGAPIXELS} is the limit.",
            width=width,
            height=height,
        )
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise _refusal("P1", "The picture is animated; only still pictures are taken.")


def _plain(image: Image.Image, max_side: int) -> Image.Image:
    """Decoded, eight bits a channel, no palette, and already small: later steps then cost little memory."""
    image.load()
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        # Sixteen-bit grey: a plain conversion would clip it to white.
        plain = image.convert("I").point(lambda value: value / 256).convert("L")
    elif mode in ("P", "PA") or (mode in ("L", "RGB", "1") and "transparency" in image.info):
        plain = image.convert("RGBA")
    elif mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        plain = image.copy() if max(image.size) <= max_side else image
    else:
        plain = image.convert("RGB")
    plain.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return plain


def _to_srgb(image: Image.Image, profile: bytes) -> tuple[Image.Image, str]:
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    colours = image.convert("L" if image.mode == "LA" else "RGB") if alpha else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            colours, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, "unreadable colour profile dropped"
    if converted is None:
        return image, "colour profile dropped"
    if alpha:
        converted.putalpha(alpha)
    # Turning the picture still needs its EXIF, which the conversion does not carry over.
    converted.info["exif"] = image.info.get("exif", b"")
    return converted, "colours converted to sRGB"


def _on(ground: str, image: Image.Image) -> Image.Image:
    whole = Image.new("RGBA", image.size, ground)
    whole.alpha_composite(image.convert("RGBA"))
    return whole


def _grey(image: Image.Image) -> Image.Image:
    """A mask without its colours; FormatError when nothing would count."""
    grey = image.convert("RGB").convert("L")
    if grey.getextrema() == (0, 0):
        raise FormatError(
            "bad_mask", "The mask is black all over, so that nothing would count: paint white what counts."
        )
    return grey.convert("RGB")


def _encoded(image: Image.Image, form: str) -> bytes:
    # From its pixels alone: nothing of the upload's info can follow.
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    out = io.BytesIO()
    if form == "png":
        clean.save(out, "PNG", optimize=False, compress_level=6)
    else:
        clean.save(out, "WEBP", quality=92, method=4)
    return out.getvalue()


def _measured(image: Image.Image) -> tuple[tuple[int, int, int], float, float]:
    """Mean colour, contrast and sharpness, at a size that makes pictures comparable."""
    small = image.copy()
    small.thumbnail((_THUMB, _THUMB), Image.Resampling.BOX)
    grey = small.convert("L")
    laplacian = grey.filter(ImageFilter.Kernel((3, 3), _LAPLACE, scale=1, offset=128))
    inner = ImageOps.crop(laplacian, 1)  # the filter leaves the border as it was
    red, green, blue = (round(value) for value in ImageStat.Stat(small).mean)
    contrast = ImageStat.Stat(grey).stddev[0]
    return (red, green, blue), round(contrast, 2), round(ImageStat.Stat(inner).var[0], 2)


def dhash(image: Image.Image) -> str:
    """Difference hash: which of nine grey columns are darker than the next, in eight rows; 16 hex digits."""
    pixels = image.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for column in range(8):
            here = row * 9 + column
            bits = bits << 1 | (pixels[here] < pixels[here + 1])
    return f"{bits:016x}"


def _what(data: bytes) -> str:
    found = sniff(data)
    return f"This is {found.name}." if found.name else "This is a safetensors file."


def _refusal(rule: str, message: str, **detail: object) -> FormatError:
    return FormatError("invalid_image", message, rule=rule, detail=detail)
