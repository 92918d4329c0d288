"""Which container a file is, by its first bytes, never by its name; and whether it is a second one as well.

What no reader reads is still recognised, so that the refusal can say what the file is and what to do.
"""

import codecs
import pickletools
import re
import struct
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_HEADER_BYTES
from hub.formats.names import stem_and_suffix

_RESAVE = "Save it as .safetensors and upload that."
_UNPACK = "Unpack it and upload the .safetensors inside."
_MAGIC: tuple[tuple[int, bytes, str, str, str], ...] = (
    (0, b"PK\x05\x06", "zip", "an empty zip archive", ""),
    (257, b"ustar", "torch-tar", "a tar archive, which PyTorch wrote before 2017", _RESAVE),
    (0, b"\xff\xd8\xff", "jpeg", "a JPEG picture", ""),
    (0, b"GIF8", "gif", "a GIF picture", ""),
    (0, b"II*\0", "tiff", "a TIFF picture", ""),
    (0, b"MM\0*", "tiff", "a TIFF picture", ""),
    (4, b"ftypheic", "heic", "a HEIC picture", ""),
    (4, b"ftypavif", "avif", "an AVIF picture", ""),
    (0, b"\x93NUMPY", "npy", "a NumPy file, which can hide a pickle", _RESAVE),
    (0, b"GGUF", "gguf", "a GGUF file", "Upload the .safetensors it was made from."),
    (0, b"\x1f\x8b", "gzip", "a gzip archive", _UNPACK),
    (0, b"7z\xbc\xaf\x27\x1c", "7z", "a 7z archive", _UNPACK),
    (0, b"Rar!", "rar", "a RAR archive", _UNPACK),
    (0, b"\xfd7zXZ", "xz", "an xz archive", _UNPACK),
    (0, b"BZh", "bzip2", "a bzip2 archive", _UNPACK),
    (0, b"\x89HDF", "hdf5", "an HDF5 file", ""),
    (0, b"%PDF", "pdf", "a PDF document", ""),
    (0, b"\x7fELF", "program", "a program", ""),
    (0, b"MZ", "program", "a program", ""),
)
_TEXT_STARTS: tuple[tuple[tuple[bytes, ...], str, str, str], ...] = (
    ((b"version https://git-lfs",), "pointer", "a Git LFS pointer", "Fetch the real file with git lfs pull."),
    (
        (b"<!doctype", b"<html", b"<head"),
        "page",
        "a web page",
        "The download met a sign-in or error page; fetch it again.",
    ),
    ((b"<?xml", b"<svg"), "xml", "an XML or SVG document", ""),
)
_READ = (
    (b"PK\x03\x04", "torch-zip"),
    (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "torch-legacy"),
    (b"\x89PNG\r\n\x1a\n", "image"),
)
_TORCH_NAMES = (".pt", ".bin", ".pth", ".ckpt")
# The names that agree with each container, the right one first. (Replicate names safetensors .pti.)
_SUFFIXES = {
    "safetensors": (".safetensors", ".sft", ".pti", *_TORCH_NAMES),
    "torch-zip": _TORCH_NAMES,
    "torch-legacy": _TORCH_NAMES,
    "image": (".png", ".webp"),
}
_NAMES = {
    "safetensors": "safetensors",
    "torch-zip": "a PyTorch file",
    "torch-legacy": "an old PyTorch file",
    "image": "a picture",
}
_NUMBER_OPCODES = frozenset({"INT", "LONG", "FLOAT", "PUT", "GET"})
_NUMBER = re.compile(rb"\s*[+-]?[0-9][0-9_.eE+-]*L?\s*|\s*[+-]?(inf|nan|infinity)\s*", re.IGNORECASE)
# What can be called has to come from somewhere: REDUCE and its like run nothing that none of these brought.
_IMPORTING = frozenset({"GLOBAL", "INST", "STACK_GLOBAL"})
# How many bytes before a text say how long it is.
_TEXT_PREFIX = {
    "UNICODE": 0, "BINUNICODE": 4, "SHORT_BINUNICODE": 1, "BINUNICODE8": 8,
    "STRING": 0, "BINSTRING": 4, "SHORT_BINSTRING": 1,
}  # fmt: skip
_NAME = re.compile(rb"['\"]?[\w.]{2,200}['\"]?\r?\n?")
_TWO_NAMES = re.compile(rb"[\w.]+\r?\n[\w.<>]+\r?\n")
_OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
_COUNT_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_MAX_OPCODES = 100_000


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A container id; for the ones that are not read, a name for people and what to do about it."""

    container: str
    name: str = ""
    advice: str = ""


def sniff(data: bytes) -> Sniffed:
    """What the bytes are. Safetensors first: its length bytes can look like the start of a pickle."""
    if not data:
        return Sniffed("empty", "an empty file")
    if _looks_like_safetensors(data):
        return Sniffed("safetensors")
    for start, container in _READ:
        if data.startswith(start):
            return Sniffed(container)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Sniffed("image")
    for offset, magic, container, name, advice in _MAGIC:
        if data.startswith(magic, offset):
            return Sniffed(container, name, advice)
    if data[:1] == b"\x80" and data[1:2] in b"\x00\x01\x02\x03\x04\x05":
        return Sniffed("pickle", "a Python pickle, which can run code", _RESAVE)
    return _sniff_text(data)


def container_of(data: bytes) -> str:
    """The container id of a file that has a reader; FormatError (F1) in words for every other one."""
    found = sniff(data)
    if not found.name:
        return found.container
    message = f"This is {found.name}, not an embedding file. {found.advice}".strip()
    raise FormatError("unsupported_container", message, rule="F1", detail={"container": found.container})


def refuse_wrong_name(container: str, filename: str) -> None:
    """FormatError (U4) when the name of a file contradicts its content."""
    suffix = stem_and_suffix(filename)[1].lower()
    agreeing = _SUFFIXES[container]
    if suffix not in ("", *agreeing):
        raise FormatError(
            "type_mismatch",
            f"The content is {_NAMES[container]}, but the name ends in {suffix[:20]!a}. Rename it to {agreeing[0]}.",
            rule="U4",
            detail={"container": container, "suffix": suffix[:20]},
        )


def wrong_suffix(container: str, filename: str) -> bool:
    """Whether a safetensors file is named like a PyTorch one, which some tools then fail to read."""
    return container == "safetensors" and filename.lower().endswith(_TORCH_NAMES)


def refuse_polyglot(data: bytes, container: str) -> None:
    """FormatError (F1) for a file that a zip, tar or pickle reader would accept as another one."""
    for is_also, other in (
        (container != "torch-zip" and _is_zip(data), "zip archive"),
        (_is_tar(data), "tar archive"),
        (container == "safetensors" and _is_pickle(data), "pickle that runs code"),
    ):
        if is_also:
            raise FormatError(
                "unsafe_file",
                f"The file is {_NAMES[container]} and a {other} at once.",
                rule="F1",
                detail={"also": other},
            )


def _looks_like_safetensors(data: bytes) -> bool:
    if len(data) < 9:
        return False
    (length,) = struct.unpack("<Q", data[:8])
    # A text file has printable bytes where a sane header length has zeros.
    binary_start = any(byte < 9 or byte > 126 for byte in data[:8])
    nearly = 0 < length <= MAX_HEADER_BYTES and data[8:9] in b" \t\r\n["
    return nearly or (data[8:9] == b"{" and binary_start)


def _sniff_text(data: bytes) -> Sniffed:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for starts, container, name, advice in _TEXT_STARTS:
        if start.startswith(starts):
            return Sniffed(container, name, advice)
    # A character may be cut in two where the look ends.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data[:4096])
    if "\ufffd" not in text and all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text):
        return Sniffed("text", "plain text")
    return Sniffed("unknown", "a file of unknown kind")


def _is_zip(data: bytes) -> bool:
    tail = data[-(65_535 + 22) :]
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        return False
    comment = int.from_bytes(tail[end + 20 : end + 22], "little")
    return comment == len(tail) - end - 22 or b"PK\x01\x02" in data


def _is_tar(data: bytes) -> bool:
    if len(data) < 512:
        return False
    block = data[:512]
    try:
        declared = int(block[148:156].strip(b" \0") or b"x", 8)
    except ValueError:
        return block[257:262] == b"ustar"
    return declared == sum(block) - sum(block[148:156]) + 8 * 32


def _is_pickle(data: bytes) -> bool:
    """Whether a pickle machine, started on these bytes, would come to an opcode that can call something."""
    at, texts = 0, 0
    for _ in range(_MAX_OPCODES):
        opcode = _OPCODES.get(data[at]) if at < len(data) else None
        if opcode is None or opcode.code == ".":
            return False
        texts += _is_name(data, at + 1, opcode)
        # Before the header the stack holds at most bytes of the length: nothing there can be called.
        if at >= 8 and opcode.name in _IMPORTING and _imports(data, at + 1, opcode, texts):
            return True
        if not _is_argument(data, at + 1, opcode):
            return False
        at = _after_argument(data, at + 1, opcode)
    return True


def _is_name(data: bytes, at: int, opcode: pickletools.OpcodeInfo) -> bool:
    """Whether the opcode brings a text that could name a module or something in it."""
    if opcode.name not in _TEXT_PREFIX:
        return False
    text = data[at + _TEXT_PREFIX[opcode.name] : _after_argument(data, at, opcode)]
    return _NAME.fullmatch(text) is not None


def _imports(data: bytes, at: int, opcode: pickletools.OpcodeInfo, texts: int) -> bool:
    """Whether the opcode finds a name to look up: numbers of a tensor hold any byte, but no names."""
    if opcode.name in ("GLOBAL", "INST"):
        return _TWO_NAMES.match(data, at, at + 1000) is not None
    return opcode.name != "STACK_GLOBAL" or texts > 0


def _is_argument(data: bytes, at: int, opcode: pickletools.OpcodeInfo) -> bool:
    """Whether a machine goes on after this opcode: a line that should be a number and is none ends it."""
    if opcode.arg is None or opcode.arg.n != pickletools.UP_TO_NEWLINE:
        return True
    line = data[at : data.find(b"\n", at) + 1] or data[at:]
    return opcode.name not in _NUMBER_OPCODES or _NUMBER.fullmatch(line[:100]) is not None


def _after_argument(data: bytes, at: int, opcode: pickletools.OpcodeInfo) -> int:
    """Where the next opcode stands. Arguments are stepped over, never decoded."""
    size = opcode.arg.n if opcode.arg else 0
    if size >= 0:
        return at + size
    if size == pickletools.UP_TO_NEWLINE:
        end = data.find(b"\n", at)
        return end + 1 if end >= 0 else len(data)
    width = _COUNT_BYTES[size]
    return at + width + int.from_bytes(data[at : at + width], "little")
