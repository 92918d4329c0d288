"""An embedding carried by a picture, as the WebUI writes it: JSON in a text chunk, or hidden in the pixels."""

import base64
import binascii
import json
import re

from hub.formats.contents import Contents
from hub.formats.data import Tensor
from hub.formats.errors import FormatError
from hub.formats.image_frame import read_frame, refusal
from hub.formats.limits import MAX_CARRIED_BYTES, MAX_ELEMENTS, MAX_JSON_DEPTH
from hub.formats.structures import unfold
from hub.formats.values import packed_floats

_KEYWORD = b"sd-ti-embedding"
_TENSOR = "TORCHTENSOR"
# A string is one part, even one that never ends: each byte is looked at once.
_PARTS = re.compile(rb'"(?:[^"\\]|\\.)*+\\?(?:"|\Z)|[\[\]{}]', re.DOTALL)
_MAX_PARTS = 10_000
_MAX_DIGITS = 300  # as a float a number of so many digits is still finite


def read_image(data: bytes) -> Contents:
    """What a PNG or WebP carries. FormatError: F6 for an unsafe one, U6 when there is no embedding in it."""
    frame = read_frame(data, _KEYWORD)
    if len(frame.texts) > 1:
        raise refusal("The picture carries two embeddings as text.")
    payload = _decoded(frame.texts[0]) if frame.texts else _pixels(frame.pixels)
    if payload is None:
        raise FormatError("not_an_embedding", "There is no embedding in this image.", rule="U6")
    root = _json(payload)
    if not isinstance(root, dict) or "string_to_param" not in root:
        raise refusal("The picture carries data, but no embedding.")
    return unfold(root)


def preload() -> None:
    """Load the picture decoders; without this they are loaded with the first picture."""
    # Pillow is loaded for pictures alone: all other files are read by the standard library.
    from hub.formats.image_pixels import preload as load_decoders

    load_decoders()


def _pixels(data: bytes) -> bytes | None:
    from hub.formats.image_pixels import hidden_payload

    return hidden_payload(data)


def _decoded(text: bytes) -> bytes:
    try:
        decoded = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise refusal("The embedding in the picture's text is not base64.") from None
    if len(decoded) > MAX_CARRIED_BYTES:
        raise refusal(f"The embedding in the picture has over {MAX_CARRIED_BYTES} bytes.")
    return decoded


def _json(payload: bytes) -> object:
    """The object, with tensors where lists of numbers stood. FormatError (F6) for what is not plain JSON."""
    _check_nesting(payload)
    try:
        return json.loads(payload.decode(), object_pairs_hook=_object, parse_int=_number)
    except (ValueError, RecursionError):
        raise refusal("The embedding in the picture is not valid JSON.") from None


def _check_nesting(payload: bytes) -> None:
    """Before anything is built: not deep, not many parts, not more numbers than an embedding may have."""
    if payload.count(b",") > MAX_ELEMENTS:
        raise refusal(f"The picture carries over {MAX_ELEMENTS} numbers.")
    depth = 0
    for parts, match in enumerate(_PARTS.finditer(payload), 1):
        found = match[0]
        depth += 1 if found in b"[{" else -1 if found in b"]}" else 0
        if depth > MAX_JSON_DEPTH or parts > _MAX_PARTS:
            raise refusal("The embedding in the picture nests too deep, or has too many parts.")


def _object(pairs: list[tuple[str, object]]) -> object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise refusal("The embedding in the picture sets a key twice.")
    return _tensor(found[_TENSOR]) if set(found) == {_TENSOR} else found


def _number(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise refusal("The embedding in the picture holds a number of absurd length.")
    return int(digits)


def _tensor(rows: object) -> Tensor:
    """Nested lists of numbers as an F32 tensor."""
    if not isinstance(rows, list):
        raise refusal("The picture's tensor is not a list of numbers.")
    table = rows if rows and all(isinstance(row, list) for row in rows) else [rows]
    width = len(table[0])
    if any(len(row) != width for row in table):
        raise refusal("The rows of the picture's tensor have different lengths.")
    numbers = [number for row in table for number in row]
    if not all(type(number) in (int, float) for number in numbers):
        raise refusal("The picture's tensor holds something that is no number.")
    shape = (len(table), width) if table is rows else (width,)
    return Tensor("F32", shape, packed_floats(numbers))
