"""The frame of a PNG or WebP that may carry an embedding: checked to its last byte before anything is decoded (F6)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_CARRIED_BYTES, MAX_CARRIER_PIXELS, MAX_PICTURE_SIDE, MAX_TEXT_CHUNKS

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_ANIMATION, _VP8_START, _VP8L_START = 0x02, b"\x9d\x01\x2a", b"\x2f"


@dataclass(frozen=True, slots=True)
class Frame:
    """A sound picture file: the bytes that pixels are decoded from, and the texts under one keyword."""

    pixels: bytes
    texts: list[bytes]


def read_frame(data: bytes, keyword: bytes) -> Frame:
    """The frame of a PNG or WebP. FormatError (F6, F1 for bytes after the end) when it is not sound."""
    return _png(data, keyword) if data.startswith(_SIGNATURE) else Frame(_webp(data), [])


def inflated(data: bytes) -> bytes:
    """A zlib stream unpacked. FormatError (F6) when it is damaged, goes on after its end, or is over the limit."""
    machine = zlib.decompressobj()
    try:
        text = machine.decompress(data, MAX_CARRIED_BYTES + 1)
    except zlib.error:
        raise refusal("A compressed text in the picture is damaged.") from None
    if len(text) > MAX_CARRIED_BYTES:
        raise refusal(f"A text in the picture unpacks to over {MAX_CARRIED_BYTES} bytes.")
    if not machine.eof or machine.unused_data:
        raise refusal("A compressed text in the picture is cut short or goes on after its end.")
    return text


def refusal(message: str, *, rule: str = "F6", **detail: object) -> FormatError:
    """The refusal of a picture that carries, or could carry, an embedding."""
    return FormatError("unsafe_file", message, rule=rule, detail=detail)


def _png(data: bytes, keyword: bytes) -> Frame:
    kept, texts, count = [_SIGNATURE], [], 0
    for kind, body, whole in _chunks(data):
        if (kind == b"IHDR") != (len(kept) == 1) or (kind == b"IHDR" and len(body) != 13):
            raise refusal("The picture does not begin with its size.")
        if kind == b"IHDR":
            _check_size(*struct.unpack(">2L", body[:8]))
        if kind in _PIXEL_CHUNKS:
            kept.append(whole)
        count += kind in _TEXT_CHUNKS
        if count > MAX_TEXT_CHUNKS:
            raise refusal(f"The picture has over {MAX_TEXT_CHUNKS} texts.")
        if kind in _TEXT_CHUNKS and body.startswith(keyword + b"\0"):
            texts.append(_text(kind, body[len(keyword) + 1 :]))
    return Frame(b"".join(kept), texts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, body and whole bytes of each chunk, to the last one, which must end the file."""
    at = len(_SIGNATURE)
    while True:
        if len(data) - at < 12:
            raise refusal("The picture ends in the middle.")
        length, kind = struct.unpack(">L4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data) or not kind.isalpha():
            raise refusal(f"A part of the picture at byte {at} reaches past its end, or has no name.", at=at)
        body = data[at + 8 : end - 4]
        if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
            raise refusal(f"The part of the picture at byte {at} does not match its checksum.", at=at)
        yield kind, body, data[at:end]
        at = end
        if kind == b"IEND":
            break
    if at < len(data):
        raise refusal(f"{len(data) - at} bytes follow the end of the picture.", rule="F1", at=at)


def _text(kind: bytes, body: bytes) -> bytes:
    """The text of a chunk, after its keyword."""
    packed = kind == b"zTXt"
    if kind == b"zTXt":
        method, body = body[:1], body[1:]
    elif kind == b"iTXt":
        flags, (language, *rest) = body[:2], body[2:].split(b"\0", 2)
        if len(rest) != 2 or flags[:1] not in (b"\0", b"\1") or len(language) > 80:
            raise refusal("A text of the picture is damaged.")
        packed, method, body = flags[:1] == b"\1", flags[1:], rest[1]
    if len(body) > MAX_CARRIED_BYTES:
        raise refusal(f"A text in the picture has over {MAX_CARRIED_BYTES} bytes.")
    if packed and method != b"\0":
        raise refusal("A text of the picture is packed in an unknown way.")
    return inflated(body) if packed else body


def _webp(data: bytes) -> bytes:
    """The file itself, once its chunks fill it exactly and its size is known."""
    (size,) = struct.unpack("<L", data[4:8])
    if size + 8 > len(data):
        raise refusal("The picture ends in the middle.")
    if size + 8 < len(data):
        raise refusal(f"{len(data) - size - 8} bytes follow the end of the picture.", rule="F1", at=size + 8)
    at, sized = 12, False
    while at < len(data):
        kind, (length,) = data[at : at + 4], struct.unpack("<L", data[at + 4 : at + 8].ljust(4, b"\xff"))
        body = data[at + 8 : at + 8 + length]
        if len(body) != length or at + 8 + length + length % 2 > len(data):
            raise refusal(f"A part of the picture at byte {at} reaches past its end.", at=at)
        found = _webp_size(kind, body)
        if found:
            _check_size(*found)
            sized = True
        at += 8 + length + length % 2
    if not sized:
        raise refusal("The picture does not say its size.")
    return data


def _webp_size(kind: bytes, body: bytes) -> tuple[int, int] | None:
    if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and body[:1] and body[0] & _ANIMATION):
        raise refusal("The picture is animated; an embedding is carried by a still one.")
    if kind == b"VP8X" and len(body) >= 10:
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body.startswith(_VP8L_START) and len(body) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == _VP8_START and len(body) >= 10:
        width, height = struct.unpack("<2H", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _check_size(width: int, height: int) -> None:
    if (
        not width
        or not height
        or max(width, height) > MAX_PICTURE_SIDE
        or width * height > MAX_CARRIER_PIXELS
    ):
        raise refusal(
            f"The picture is {width} x {height}; sides up to {MAX_PICTURE_SIDE} and "
            f"{MAX_CARRIER_PIXELS // 1_000_000} megapixels are read.",
            width=width,
            height=height,
        )
