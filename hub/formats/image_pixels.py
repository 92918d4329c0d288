"""An embedding hidden in pixels, as the WebUI draws it so that it survives sites that strip texts.

Two panels beside the picture, parted from it by columns without low bits, carry the low and the high halves of
the bytes of a zlib stream.
"""

import io
import warnings
import zlib
from collections.abc import Iterator

from PIL import Image, ImageChops, PngImagePlugin, WebPImagePlugin

from hub.formats.image_frame import refusal
from hub.formats.limits import MAX_CARRIED_BYTES

# Named so that the decoders are loaded before files may no longer be opened.
_DECODERS = (PngImagePlugin, WebPImagePlugin)
_LOW_BITS = bytes(value & 15 for value in range(256))
_BLOCK = 1 << 15
Panels = tuple[bytes, bytes]


def preload() -> None:
    """Let Pillow load what it loads at its first picture."""
    Image.preinit()


def hidden_payload(data: bytes) -> bytes | None:
    """The bytes that a picture's pixels carry, or None for an ordinary picture. FormatError (F6) if damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            panels = _panels(_bands(data))
    except (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, Warning) as error:
        raise refusal("The picture is damaged or cut short; it cannot be decoded.") from error
    except (ArithmeticError, RuntimeError, AttributeError) as error:
        raise refusal("The picture cannot be decoded.") from error
    return _unpacked(*panels) if panels else None


def _bands(data: bytes) -> list[Image.Image]:
    """Red, green and blue of the picture, cut to the box in which none of them is zero."""
    with Image.open(io.BytesIO(data), formats=("PNG", "WEBP")) as image:
        image.load()
        # Colours named by a palette may come with transparency, which is not looked at.
        plain = "RGBA" if image.mode in ("P", "PA") else "RGB"
        colours = image if image.mode in ("RGB", "RGBA") else image.convert(plain)
        bands = [colours.getchannel(number) for number in range(3)]
    box = ImageChops.darker(ImageChops.darker(bands[0], bands[1]), bands[2]).getbbox()
    return [band.crop(box) for band in bands] if box else []


def _panels(bands: list[Image.Image]) -> Panels | None:
    """The low halves of the pixels left of the first and right of the last empty column, if they match."""
    if not bands:
        return None
    low = [band.point(_LOW_BITS) for band in bands]
    brightest = ImageChops.lighter(ImageChops.lighter(low[0], low[1]), low[2])
    width, height = brightest.size
    columns = brightest.transpose(Image.Transpose.TRANSPOSE).tobytes()
    empty = bytes(height)
    parted = [x for x in range(width) if columns[x * height : (x + 1) * height] == empty]
    if len(parted) < 2 or parted[0] == 0 or parted[0] != width - parted[-1] - 1:
        return None
    left, right = (0, 0, parted[0], height), (parted[-1] + 1, 0, width, height)
    lower, upper = (Image.merge("RGB", [band.crop(box) for band in low]).tobytes() for box in (left, right))
    return lower, upper


def _unpacked(lower: bytes, upper: bytes) -> bytes | None:
    """The zlib stream of the two panels, unpacked. None when there is none: the columns were dark by chance."""
    machine, out, keys = zlib.decompressobj(), bytearray(), _key_stream()
    for start in range(0, len(lower), _BLOCK):
        low, high = lower[start : start + _BLOCK], upper[start : start + _BLOCK]
        block = _joined(low, high, bytes(next(keys) for _ in low))
        if start == 0 and (block[0] & 15 != 8 or int.from_bytes(block[:2], "big") % 31):
            return None
        try:
            out += machine.decompress(block, MAX_CARRIED_BYTES + 1 - len(out))
        except zlib.error:
            if start == 0:
                return None
            raise refusal("The embedding in the pixels is damaged; the picture was changed.") from None
        if len(out) > MAX_CARRIED_BYTES:
            raise refusal(f"The pixels unpack to over {MAX_CARRIED_BYTES} bytes.")
        if machine.eof:
            return bytes(out)
    raise refusal("The embedding in the pixels is cut short.")


def _joined(low: bytes, high: bytes, keys: bytes) -> bytes:
    """Halves of bytes, put together after taking the key off both; whole blocks at a time, as long numbers."""
    key = int.from_bytes(keys, "little")
    value = (int.from_bytes(high, "little") ^ key) << 4 | (int.from_bytes(low, "little") ^ key)
    return value.to_bytes(len(low), "little")


def _key_stream() -> Iterator[int]:
    state = 0
    while True:
        state = (1664525 * state + 1013904223) & 0xFFFFFFFF
        yield state % 255 & 15
