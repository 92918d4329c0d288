"""How blobs are named: the SHA-256 of the bytes, in lower-case hex, two levels of folders deep."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from hub.errors import NotFound

_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class StoredBlob:
    """What `put` stored."""

    sha256: str
    size: int


def digest_of(source: bytes | Path) -> tuple[str, int]:
    """SHA-256 and length of bytes or of a file, read in pieces."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest(), len(source)
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def check_name(sha256: str) -> str:
    """The name itself; ValueError for anything that could point elsewhere in the store."""
    if not is_name(sha256):
        raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hex")
    return sha256


def is_name(text: str) -> bool:
    """Whether the text can be a blob's name."""
    return _NAME.fullmatch(text) is not None


def path_of(sha256: str) -> str:
    """Where a blob lies inside a store."""
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def absent(sha256: str) -> NotFound:
    """The error for a blob that is not in the store."""
    return NotFound("These bytes are not stored here.", code="blob_not_found", sha256=sha256)
