"""Content-addressed bytes: what is stored under a SHA-256 has that SHA-256, is complete, and stays.

One interface over two stores, a folder and an S3 bucket; `STORAGES["blobs"]` chooses. Knows no rows:
`hub.services` keeps those. Every function raises `Unavailable` when the store is out.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, Final

from django.core.files.storage import FileSystemStorage, storages

from hub.blobs.disk import DiskStore
from hub.blobs.names import StoredBlob, absent, check_name, digest_of
from hub.blobs.s3 import BucketStorage, S3Store
from hub.errors import Invalid, Unavailable

__all__ = ["StoredBlob", "delete", "exists", "open", "put", "read", "size", "sweep", "url", "walk"]

COMPARED_SECONDS: Final = 86_400.0
MOST_COMPARED: Final = 10_000
_compared: dict[str, tuple[tuple[int, ...], float]] = {}


def _store() -> DiskStore | S3Store:
    storage = storages["blobs"]
    if isinstance(storage, FileSystemStorage):
        return _in_folder(str(storage.location))
    assert isinstance(storage, BucketStorage)
    return S3Store(storage)


@lru_cache(8)
def _in_folder(location: str) -> DiskStore:
    return DiskStore(Path(location))


def put(source: bytes | Path, *, sha256: str | None = None) -> StoredBlob:
    """Store bytes, or a file's bytes, under their SHA-256; durable when this returns, and safe to repeat.

    An existing blob is compared and, if it is damaged, healed. Raises Invalid `digest_mismatch` when
    `sha256` is given and the bytes have another, Full when there is no room.
    """
    digest, length = digest_of(source)
    if sha256 is not None and sha256 != digest:
        raise Invalid("digest_mismatch", "These bytes do not have the announced SHA-256.", field="sha256")
    _store().put(source, digest, length)
    return StoredBlob(digest, length)


def open(sha256: str) -> BinaryIO:
    """The blob as a seekable file, to be closed by the caller. Raises NotFound."""
    return _store().open(check_name(sha256))


def read(sha256: str) -> bytes:
    """The whole blob, compared with its name. Raises NotFound, and Unavailable `blob_damaged`."""
    with open(sha256) as file:
        data = file.read()
    if digest_of(data)[0] != sha256:
        raise _damaged()
    return data


def checked(sha256: str) -> BinaryIO:
    """The blob as `open` gives it, its bytes compared with its name.

    A file that has not changed since is compared once a day in a process. Raises as `read`.
    """
    file = open(sha256)
    try:
        identity = _identity(file)
        known, since = _compared.get(sha256, (None, 0.0))
        if identity is None or identity != known or time.monotonic() - since > COMPARED_SECONDS:
            found = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]  # files have readinto
            if found.hexdigest() != sha256:
                raise _damaged()
            file.seek(0)
            if identity is not None:
                if len(_compared) >= MOST_COMPARED:
                    _compared.clear()
                _compared[sha256] = (identity, time.monotonic())
    except BaseException:
        file.close()
        raise
    return file


def _identity(file: BinaryIO) -> tuple[int, ...] | None:
    """What changes with every write to the file; None for a copy of something elsewhere."""
    if not isinstance(_store(), DiskStore):
        return None
    facts = os.fstat(file.fileno())
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _damaged() -> Unavailable:
    return Unavailable("blob_damaged", "The stored bytes are damaged; the operator has to restore them.")


def exists(sha256: str) -> bool:
    """Whether the blob is there."""
    return _store().size(check_name(sha256)) is not None


def size(sha256: str) -> int:
    """Length in bytes. Raises NotFound."""
    length = _store().size(check_name(sha256))
    if length is None:
        raise absent(sha256)
    return length


def delete(sha256: str) -> None:
    """Remove the blob; no error when it is already gone. Only gc may call this, after its row says so."""
    _store().delete(check_name(sha256))


def walk() -> Iterator[str]:
    """The name of every stored blob, in order."""
    return _store().walk()


def url(sha256: str, *, filename: str, content_type: str) -> str | None:
    """A signed address that serves the blob under `filename` for some minutes; None where the site must."""
    return _store().url(check_name(sha256), filename, content_type)


def sweep(max_age_seconds: float = 3600) -> int:
    """Remove what interrupted writes left behind that long ago; answers how many."""
    return _store().sweep(max_age_seconds)
