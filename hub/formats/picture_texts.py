"""The texts that lie beside a picture's pixels: PNG text chunks, EXIF of JPEG, PNG and WebP.

Walks the frames alone and decodes no pixel. What is broken is left out: a picture without readable text is an
ordinary picture.
"""

import struct
import zlib
from collections.abc import Iterator

_MAX_TEXT = 4 << 20
_MAX_TEXTS = 64
_MAX_PARTS = 20_000
_EXIF_TEXTS = {0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x9286: "UserComment"}
_EXIF_FOLDER = 0x8769
_TYPE_SIZES = {1: 1, 2: 1, 7: 1}
# ComfyUI has no text chunk in WebP and writes `prompt:{…}` and `workflow:{…}` into fields meant for cameras.
_PREFIXES = ("prompt", "workflow")


def texts_of(data: bytes) -> dict[str, str]:
    """Texts by their keyword or EXIF name; the first of each name counts. Empty for what is no picture."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        pairs = _png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        pairs = _jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        pairs = _webp(data)
    else:
        return {}
    found: dict[str, str] = {}
    room = _MAX_TEXT
    for name, text in pairs:
        if name in found or len(text) > room:
            continue
        room -= len(text)
        found[name] = text
        if len(found) >= _MAX_TEXTS:
            break
    return found


def _png(data: bytes) -> Iterator[tuple[str, str]]:
    at = 8
    for _ in range(_MAX_PARTS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        if kind == b"IEND" or len(body) < length:
            return
        if kind == b"eXIf":
            yield from _exif(body)
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            pair = _png_text(kind, body)
            if pair is not None:
                yield pair


def _png_text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    keyword, zero, rest = body.partition(b"\0")
    if not zero or not 0 < len(keyword) < 80:
        return None
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, rest.decode("latin-1")
    if kind == b"zTXt":
        return (name, _inflated(rest[1:]).decode("latin-1")) if rest[:1] == b"\0" else None
    parts = rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        return None
    text = _inflated(parts[2]) if rest[:1] == b"\1" else parts[2]
    return name, text.decode("utf-8", "replace")


def _inflated(data: bytes) -> bytes:
    """Inflated as far as the limit allows; nothing when it is longer or broken."""
    machine = zlib.decompressobj()
    try:
        text = machine.decompress(data, _MAX_TEXT)
    except zlib.error:
        return b""
    return b"" if machine.unconsumed_tail else text


def _jpeg(data: bytes) -> Iterator[tuple[str, str]]:
    at = 2
    for _ in range(_MAX_PARTS):
        if at + 4 > len(data) or data[at] != 0xFF or data[at + 1] in (0xD9, 0xDA):
            return
        marker, length = data[at + 1], struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : at + 2 + length]
        at += 2 + max(2, length)
        if marker == 0xE1 and body.startswith(b"Exif\0\0"):
            yield from _exif(body[6:])


def _webp(data: bytes) -> Iterator[tuple[str, str]]:
    at = 12
    for _ in range(_MAX_PARTS):
        if at + 8 > len(data):
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            yield from _exif(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + length % 2


def _exif(data: bytes) -> Iterator[tuple[str, str]]:
    """The texts of a TIFF's first folder and of its Exif folder."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None or len(data) < 8:
        return
    folders = [struct.unpack_from(f"{order}I", data, 4)[0]]
    for _ in range(2):
        if not folders:
            return
        start = folders.pop()
        if start + 2 > len(data):
            continue
        count = min(struct.unpack_from(f"{order}H", data, start)[0], 500)
        for number in range(count):
            place = start + 2 + 12 * number
            if place + 12 > len(data):
                break
            tag, kind, size = struct.unpack_from(f"{order}HHI", data, place)
            (value,) = struct.unpack_from(f"{order}I", data, place + 8)
            if tag == _EXIF_FOLDER:
                folders.append(value)
            elif tag in _EXIF_TEXTS and kind in _TYPE_SIZES:
                offset = place + 8 if size <= 4 else value
                yield _named(_EXIF_TEXTS[tag], data[offset : offset + min(size, _MAX_TEXT)], order)


def _named(name: str, body: bytes, order: str) -> tuple[str, str]:
    text = _comment(body, order) if name == "UserComment" else body.rstrip(b"\0").decode("utf-8", "replace")
    for prefix in _PREFIXES:
        if text[: len(prefix) + 1].lower() == f"{prefix}:":
            return prefix, text[len(prefix) + 1 :]
    return name, text


def _comment(body: bytes, order: str) -> str:
    """EXIF's UserComment: eight bytes name the encoding, and writers disagree about the byte order of UTF-16."""
    code, text = body[:8], body[8:]
    if code.startswith(b"UNICODE"):
        # The zero byte of the ASCII letters that such a text begins with tells which half comes first.
        high_first = text[:1] == b"\0" if text[:2].count(0) == 1 else order == ">"
        return text.decode("utf-16-be" if high_first else "utf-16-le", "replace").rstrip("\0")
    if code.startswith((b"ASCII", b"\0\0\0\0")):
        return text.rstrip(b"\0").decode("utf-8", "replace")
    return body.rstrip(b"\0").decode("utf-8", "replace")
