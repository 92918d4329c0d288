"""The safetensors container, read more strictly than by the library (rule F5), written with stable bytes.

A header is eight bytes of length, then JSON; the tensors follow without holes. Reading checks the whole frame
before any tensor is looked at, so what is left to the caller is only what the names and numbers mean.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from hub.formats.contents import Contents
from hub.formats.data import Tensor
from hub.formats.errors import FormatError
from hub.formats.limits import (
    MAX_HEADER_BYTES,
    MAX_METADATA_KEYS,
    MAX_METADATA_VALUE_BYTES,
)
from hub.formats.names import check_name, shown
from hub.formats.values import ITEM_SIZE

# Bits per element of every dtype the format knows; only ITEM_SIZE's are allowed in an embedding.
_FOREIGN_BITS = {
    **dict.fromkeys(("I64", "U64", "C64"), 64),
    **dict.fromkeys(("I32", "U32"), 32),
    **dict.fromkeys(("I16", "U16"), 16),
    **dict.fromkeys(("I8", "U8", "BOOL", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
}
_BITS = {**_FOREIGN_BITS, **{name: 8 * size for name, size in ITEM_SIZE.items()}}
_THUMBNAIL = "modelspec.thumbnail"


@dataclass(frozen=True, slots=True)
class Entry:
    """One tensor as the header declares it, known to lie inside the file; its rank is not yet judged."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class SafetensorsFile:
    """A file whose frame is sound: header entries, metadata, and the bytes they point into."""

    entries: dict[str, Entry]
    metadata: dict[str, str]
    body: bytes

    def contents(self) -> Contents:
        """The same for those who do not care which container it was."""
        shapes = {name: entry.shape for name, entry in self.entries.items()}
        return Contents(shapes, self.tensor, metadata=self.metadata, body=self.body)

    def tensor(self, name: str) -> Tensor:
        """The named tensor as stored. FormatError (F5) when its dtype or shape is no embedding's."""
        entry = self.entries[name]
        if entry.dtype not in ITEM_SIZE:
            raise _refusal(
                f"The tensor {shown(name)} has dtype {entry.dtype}; embeddings hold F16, BF16, F32 or F64.",
                tensor=name,
                dtype=entry.dtype,
            )
        if not 1 <= len(entry.shape) <= 2 or 0 in entry.shape:
            raise _refusal(
                f"The tensor {shown(name)} has shape {list(entry.shape)}; an embedding has [width] or "
                "[vectors, width].",
                tensor=name,
                shape=list(entry.shape),
            )
        return Tensor(entry.dtype, entry.shape, self.body[entry.begin : entry.end])


def read_safetensors(data: bytes) -> SafetensorsFile:
    """The frame of a safetensors file. FormatError (F5) for what this strict reading forbids."""
    if len(data) < 8:
        raise _refusal("The file ends before its header length.")
    (length,) = struct.unpack("<Q", data[:8])
    if length > MAX_HEADER_BYTES:
        raise _refusal(
            f"The header claims {length} bytes; {MAX_HEADER_BYTES} is the limit.",
            header=length,
        )
    if length > len(data) - 8:
        raise _refusal(
            f"The header claims {length} bytes, the file has {len(data) - 8}.",
            header=length,
        )
    header = _json(data[8 : 8 + length])
    metadata = _metadata(header.pop("__metadata__", {}))
    if not header:
        raise _refusal("The file holds no tensors.")
    body = data[8 + length :]
    entries = {check_name(name): _entry(name, value) for name, value in header.items()}
    _check_spans(entries, len(body))
    return SafetensorsFile(entries, metadata, body)


def write_safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file of these tensors in this order: the same input is the same bytes, always.

    (The reference library writes metadata in random order.)
    """
    header: dict[str, object] = {"__metadata__": dict(sorted(metadata.items()))} if metadata else {}
    offset = 0
    for name, tensor in tensors.items():
        end = offset + len(tensor.data)
        header[name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(tensor.data for tensor in tensors.values())


def _json(raw: bytes) -> dict[str, object]:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise _refusal("The header is not UTF-8.") from None
    if not text.startswith("{") or not text.rstrip(" ").endswith("}"):
        raise _refusal("The header is not a JSON object from its first byte to its last.")
    try:
        header = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_no_number,
            parse_constant=_no_number,
        )
    except (ValueError, RecursionError):
        raise _refusal("The header is not valid JSON.") from None
    if not isinstance(header, dict):
        raise _refusal("The header is not a JSON object.")
    return header


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _refusal("A name appears twice in the header.")
    return result


def _no_number(text: str) -> object:
    raise _refusal(f"The header holds the number {text[:20]}; only whole numbers belong there.")


def _metadata(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _refusal("The metadata is not an object.")
    if len(value) > MAX_METADATA_KEYS:
        raise _refusal(
            f"The metadata has {len(value)} keys; {MAX_METADATA_KEYS} is the limit.",
            keys=len(value),
        )
    for key, text in value.items():
        if not isinstance(text, str):
            raise _refusal(f"The metadata value {shown(key)} is not a string.", key=shown(key))
        if key != _THUMBNAIL and len(text.encode(errors="surrogatepass")) > MAX_METADATA_VALUE_BYTES:
            raise _refusal(
                f"The metadata value {shown(key)} is over {MAX_METADATA_VALUE_BYTES} bytes.",
                key=shown(key),
            )
    return value


def _entry(name: str, value: object) -> Entry:
    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise _refusal(
            f"The entry of {shown(name)} has other fields than dtype, shape and data_offsets.",
            tensor=name,
        )
    dtype, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise _refusal(f"The tensor {shown(name)} has no known dtype.", tensor=name)
    if not _whole_numbers(shape) or not _whole_numbers(offsets) or len(offsets) != 2:
        raise _refusal(
            f"Shape or offsets of {shown(name)} are not lists of whole numbers.",
            tensor=name,
        )
    bits = _BITS[dtype]
    for size in shape:
        bits *= size
    begin, end = offsets
    if bits != 8 * (end - begin):
        raise _refusal(
            f"The shape {shape[:8]} of {shown(name)} needs {bits // 8} bytes; its span is {end - begin}.",
            tensor=name,
        )
    return Entry(dtype, tuple(shape), begin, end)


def _whole_numbers(value: object) -> bool:
    # bool is an int to Python, but not to the format
    return (
        isinstance(value, list)
        and len(value) <= 16
        and all(type(item) is int and 0 <= item < 1 << 48 for item in value)
    )


def _check_spans(entries: Mapping[str, Entry], size: int) -> None:
    expected = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.begin != expected:
            kind = "overlaps the one before it" if entry.begin < expected else "leaves a hole before it"
            raise _refusal(f"The tensor {shown(name)} {kind}.", tensor=name)
        expected = entry.end
    if expected > size:
        raise _refusal(
            f"The tensors need {expected} bytes, the file has {size}.",
            needed=expected,
            found=size,
        )
    if expected < size:
        raise _refusal(
            f"{size - expected} bytes follow the last tensor.",
            needed=expected,
            found=size,
        )


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("unsafe_file", message, rule="F5", detail=detail)
