"""An embedding inside a picture, as A1111 and Forge read it: a card with the word on it that carries the vectors.

They are in it twice: as a text chunk, and in the pixels of the two spines left and right of the card, from where
they survive a site that strips chunks. Lossy encoding destroys the pixels, never the look.
"""

import base64
import io
import json
import zlib
from collections.abc import Iterator
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

from hub.formats.data import Tensor
from hub.formats.values import Floats, floats_of

TEXT_KEY = "sd-ti-embedding"
_SIDE = 512
_SPINE_COLUMNS = 12
_CHANNELS = 3
# The spines' colour lives in the high half of each byte, the data in the low half. No half is zero, so that a
# reader that cuts black borders off leaves them whole.
_SPINE = (0xA0, 0x20, 0x10)
_PAPER, _INK, _SOFT, _RULE, _RUBRIC = "#fbf9f4", "#17191e", "#545b66", "#d9d4c7", "#a8201a"
_MARGIN = 44


def write_image(
    tensor: Tensor, *, name: str, note: str, step: int | None = None, checkpoint: str | None = None
) -> bytes:
    """A PNG of one F32 tensor [vectors, width] that A1111 loads from its embeddings folder under `name`.

    `note` is the line below the word: the family, the number of vectors. The same input is the same bytes.
    """
    payload = _payload(tensor, name, step, checkpoint)
    image = _bound(_card(tensor, name, note), zlib.compress(payload, 9))
    texts = PngImagePlugin.PngInfo()
    texts.add_text(TEXT_KEY, base64.b64encode(payload).decode("ascii"))
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=texts, compress_level=9)
    return out.getvalue()


def _payload(tensor: Tensor, name: str, step: int | None, checkpoint: str | None) -> bytes:
    """What A1111 saves after training, as JSON; a tensor is `{"TORCHTENSOR": rows}`."""
    values, width = floats_of(tensor), tensor.width
    rows = (values[start : start + width] for start in range(0, len(values), width))
    numbers = "],[".join(",".join(map(_number, row)) for row in rows)
    facts = {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": {"TORCHTENSOR": None}},
        "name": name,
        "step": step,
        "sd_checkpoint": None,
        "sd_checkpoint_name": checkpoint,
    }
    text = json.dumps(facts, separators=(",", ":"))
    return text.replace('"TORCHTENSOR":null', f'"TORCHTENSOR":[[{numbers}]]', 1).encode("ascii")


def _number(value: float) -> str:
    """Nine digits are enough to name every single-precision number; a JSON integer would lose the sign of -0."""
    text = f"{value:.9g}"
    return "-0.0" if text == "-0" else text


def _bound(card: Image.Image, data: bytes) -> Image.Image:
    """The card between its spines, a black line on either side of it."""
    columns = max(_SPINE_COLUMNS, -(-len(data) // (_SIDE * _CHANNELS)))
    data = data.ljust(columns * _SIDE * _CHANNELS, b"\0")
    low, high = (_spine(bytes(half)) for half in ((byte & 15 for byte in data), (byte >> 4 for byte in data)))
    image = Image.new("RGB", (2 * columns + 2 + card.width, _SIDE))
    image.paste(low, (0, 0))
    image.paste(card, (columns + 1, 0))
    image.paste(high, (columns + 2 + card.width, 0))
    return image


def _spine(halves: bytes) -> Image.Image:
    """A block of pixels whose low halves are these, hidden under the key stream."""
    pixels = bytes(
        _SPINE[place % _CHANNELS] | half ^ key
        for place, (half, key) in enumerate(zip(halves, _key_stream(), strict=False))
    )
    return Image.frombytes("RGB", (len(pixels) // (_SIDE * _CHANNELS), _SIDE), pixels)


def _key_stream() -> Iterator[int]:
    state = 0
    while True:
        state = (1664525 * state + 1013904223) % (1 << 32)
        yield state % 255 & 15


def _card(tensor: Tensor, name: str, note: str) -> Image.Image:
    """A dictionary's card: the word, what it fits, and its vectors as rows of ink."""
    image = Image.new("RGB", (_SIDE, _SIDE), _PAPER)
    draw = ImageDraw.Draw(image)
    right = _SIDE - _MARGIN
    draw.text((_MARGIN, 48), "TEXTUAL INVERSION", font=ImageFont.load_default(15), fill=_RUBRIC)
    draw.text((_MARGIN, 150), name, font=_fitting(name, right - _MARGIN), fill=_INK, anchor="ls")
    draw.line((_MARGIN, 172, right, 172), fill=_RULE, width=2)
    draw.text((_MARGIN, 188), note, font=ImageFont.load_default(18), fill=_SOFT)
    _draw_vectors(draw, tensor, (_MARGIN, 240, right, _SIDE - 84))
    draw.text((_MARGIN, _SIDE - 60), "Keep this PNG as it is: the picture is the file.", fill=_SOFT,
              font=ImageFont.load_default(14))  # fmt: skip
    return image


def _fitting(word: str, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The largest font in which the word is no wider than that."""
    for size in range(64, 10, -2):
        font = ImageFont.load_default(size)
        if font.getlength(word) <= width:
            break
    return font


def _draw_vectors(draw: ImageDraw.ImageDraw, tensor: Tensor, box: tuple[int, int, int, int]) -> None:
    """Each vector a row of cells, the darker the larger its numbers are there: no two embeddings look alike."""
    left, top, right, bottom = box
    rows = min(tensor.vectors, 16)
    cells = 53
    strengths = [_strengths(floats_of(tensor), row, tensor.width, cells) for row in range(rows)]
    largest = max(max(row) for row in strengths) or 1.0
    height = min(40.0, (bottom - top) / rows)
    step = (right - left) / cells
    for row, values in enumerate(strengths):
        for cell, value in enumerate(values):
            shade = tuple(round(251 - (251 - ink) * value / largest) for ink in (0x17, 0x19, 0x1E))
            x, y = left + cell * step, top + row * height
            draw.rectangle((x, y, x + step - 2, y + height - 3), fill=shade)


def _strengths(values: Floats, row: int, width: int, cells: int) -> list[float]:
    """The mean magnitude of one vector in each of so many stretches."""
    start = row * width
    edges = [start + cell * width // cells for cell in range(cells + 1)]
    return [sum(map(abs, values[begin:end])) / max(1, end - begin) for begin, end in pairwise(edges)]
