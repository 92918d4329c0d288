"""Which container a file is, from its first bytes, never from its name; and whether it is a second one as well.

What is not read here is still recognised, so that the refusal can say what the file is and what to do.
"""

import pickletools
import struct
from dataclasses import dataclass
from pathlib import PurePosixPath

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_HEADER_BYTES

_RESAVE = "Save it as .safetensors and upload that."
_MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (
        0,
        b"PK\x03\x04",
        "torch-zip",
        f"This is a zip archive, as PyTorch writes for .pt and .bin. {_RESAVE}",
    ),
    (0, b"PK\x05\x06", "zip", "This is an empty zip archive."),
    (
        0,
        b"\x80\x02\x8a\x0a",
        "torch-legacy",
        f"This is an old PyTorch pickle file. {_RESAVE}",
    ),
    (
        257,
        b"ustar",
        "torch-tar",
        f"This is a tar archive, which PyTorch wrote before 2017. {_RESAVE}",
    ),
    (
        0,
        b"\x89PNG\r\n\x1a\n",
        "image",
        "This is a PNG picture, not a .safetensors embedding.",
    ),
    (0, b"\xff\xd8\xff", "jpeg", "This is a JPEG picture, not an embedding."),
    (0, b"GIF8", "gif", "This is a GIF picture, not an embedding."),
    (
        0,
        b"\x93NUMPY",
        "npy",
        f"This is a NumPy file, which can hide a pickle. {_RESAVE}",
    ),
    (
        0,
        b"GGUF",
        "gguf",
        "This is a GGUF file. Upload the .safetensors it was made from.",
    ),
    (
        0,
        b"\x1f\x8b",
        "gzip",
        "This is a gzip archive. Unpack it and upload the .safetensors inside.",
    ),
    (
        0,
        b"7z\xbc\xaf\x27\x1c",
        "7z",
        "This is a 7z archive. Unpack it and upload the .safetensors inside.",
    ),
    (
        0,
        b"Rar!",
        "rar",
        "This is a RAR archive. Unpack it and upload the .safetensors inside.",
    ),
    (
        0,
        b"\xfd7zXZ",
        "xz",
        "This is an xz archive. Unpack it and upload the .safetensors inside.",
    ),
    (
        0,
        b"BZh",
        "bzip2",
        "This is a bzip2 archive. Unpack it and upload the .safetensors inside.",
    ),
    (0, b"\x89HDF", "hdf5", "This is an HDF5 file, not an embedding."),
    (0, b"%PDF", "pdf", "This is a PDF document, not an embedding."),
    (0, b"\x7fELF", "program", "This is a program, not an embedding."),
    (0, b"MZ", "program", "This is a program, not an embedding."),
)
_SAFETENSORS_NAMES = (".safetensors", ".sft", ".pti")
_TORCH_NAMES = (".pt", ".bin", ".pth", ".ckpt")
_CODE_OPCODES = frozenset(
    [
        "GLOBAL",
        "STACK_GLOBAL",
        "REDUCE",
        "BUILD",
        "INST",
        "OBJ",
        "NEWOBJ",
        "NEWOBJ_EX",
        "PERSID",
        "BINPERSID",
        "EXT1",
        "EXT2",
        "EXT4",
    ]
)
_MAX_OPCODES = 100_000


@dataclass(frozen=True, slots=True)
class Sniffed:
    """A container id, and the sentence that refuses it (empty for the one that is read)."""

    container: str
    refusal: str = ""


def sniff(data: bytes) -> Sniffed:
    """What the bytes are. Safetensors first: its length bytes can look like the start of a pickle."""
    if _looks_like_safetensors(data):
        return Sniffed("safetensors")
    for offset, magic, container, refusal in _MAGIC:
        if data.startswith(magic, offset):
            return Sniffed(container, refusal)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Sniffed("image", "This is a WebP picture, not a .safetensors embedding.")
    if data[:1] == b"\x80" and data[1:2] in b"\x00\x01\x02\x03\x04\x05":
        return Sniffed("pickle", f"This is a Python pickle, which can run code. {_RESAVE}")
    return _sniff_text(data)


def refuse_unread(data: bytes, filename: str) -> str:
    """The container id of a file that can be read; FormatError (F1, U4) in words for every other one."""
    if not data:
        raise FormatError(
            "unsupported_container",
            "The file is empty.",
            rule="F1",
            detail={"container": "empty"},
        )
    found = sniff(data)
    if found.refusal:
        raise FormatError(
            "unsupported_container",
            found.refusal,
            rule="F1",
            detail={"container": found.container},
        )
    suffix = PurePosixPath(filename.replace("\\", "/")).suffix.lower()
    if suffix not in ("", *_SAFETENSORS_NAMES, *_TORCH_NAMES):
        raise FormatError(
            "type_mismatch",
            f"The content is safetensors, but the name ends in {suffix!a}. Rename it to .safetensors.",
            rule="U4",
            detail={"container": found.container, "suffix": suffix},
        )
    return found.container


def wrong_suffix(filename: str) -> bool:
    """Whether a safetensors file is named like a PyTorch one, which some tools then fail to read."""
    return filename.lower().endswith(_TORCH_NAMES)


def refuse_polyglot(data: bytes) -> None:
    """FormatError (F1) for a safetensors file that a zip, tar or pickle reader would accept too."""
    for is_also, other in (
        (_is_zip, "zip archive"),
        (_is_tar, "tar archive"),
        (_is_pickle, "pickle that runs code"),
    ):
        if is_also(data):
            raise FormatError(
                "unsafe_file",
                f"The file is safetensors and a {other} at once.",
                rule="F1",
                detail={"also": other},
            )


def _looks_like_safetensors(data: bytes) -> bool:
    if len(data) < 9:
        return False
    (length,) = struct.unpack("<Q", data[:8])
    # A text file has printable bytes where a sane header length has zeros.
    binary_start = any(byte < 9 or byte > 126 for byte in data[:8])
    return (data[8:9] == b"{" and binary_start) or 0 < length <= MAX_HEADER_BYTES


def _sniff_text(data: bytes) -> Sniffed:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"version https://git-lfs"):
        return Sniffed(
            "pointer",
            "This is a Git LFS pointer, not the file. Fetch the real file with git lfs pull.",
        )
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<svg")):
        return Sniffed(
            "page",
            "This is a web page, not the file: the download met a sign-in or error page.",
        )
    try:
        text = data[:4096].decode()
    except UnicodeDecodeError as error:
        if error.start < min(len(data), 4096) - 4:
            return Sniffed("unknown", "This is not a file format that holds embeddings.")
        text = data[: error.start].decode()
    if all(char.isprintable() or char in "\t\r\n\f" for char in text):
        return Sniffed("text", "This is plain text, not an embedding.")
    return Sniffed("unknown", "This is not a file format that holds embeddings.")


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
    try:
        for count, (opcode, _argument, _position) in enumerate(pickletools.genops(data)):
            if opcode.name in _CODE_OPCODES:
                return True
            if count > _MAX_OPCODES:
                return True
    except (ValueError, UnicodeError, struct.error, OverflowError):
        return False  # stopped at the first byte that is no opcode, as nearly every file does
    return False
