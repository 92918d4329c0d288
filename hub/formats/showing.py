"""Our own pictures for tools that show no WebP and take a small picture for a broken one: a PNG, large enough.

Only for bytes that this hub drew or encoded itself; strangers' pictures are read by `hub.formats.pictures`.
"""

import io
from typing import Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

# Part of the name under which such a picture is cached.
WRITER_VERSION: Final = "png-1"
LEAST_SIDE, LEAST_BYTES, MOST_SIDE = 256, 1024, 2048


def shown_size(width: int, height: int) -> tuple[int, int]:
    """Width and height of the picture as it is shown: so many times larger that no side is under LEAST_SIDE."""
    times = -(-LEAST_SIDE // max(1, min(width, height)))
    times = max(1, min(times, MOST_SIDE // max(width, height, 1)))
    return width * times, height * times


def is_fit(content_type: str, width: int, height: int, size: int) -> bool:
    """Whether a stored picture can be shown as it is."""
    is_large = size >= LEAST_BYTES and (width, height) == shown_size(width, height)
    return content_type == "image/png" and is_large


def shown(data: bytes) -> bytes:
    """The picture as a PNG of its shown size, with the parameters that were written into it."""
    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP", "JPEG")) as image:
        texts = PngInfo()
        for key, value in image.info.items():
            if image.format == "PNG" and isinstance(value, str):
                texts.add_text(str(key), value)
        picture = image.convert("RGB").resize(shown_size(*image.size), Image.Resampling.LANCZOS)
    made = _written(picture, texts, level=6)
    return made if len(made) >= LEAST_BYTES else _written(picture, texts, level=0)


def _written(picture: Image.Image, texts: PngInfo, *, level: int) -> bytes:
    with io.BytesIO() as out:
        picture.save(out, "PNG", pnginfo=texts, compress_level=level)
        return out.getvalue()
