"""Content-addressed bytes: what is stored under a SHA-256 has that SHA-256, is complete, and stays.

One interface over two stores, a folder and an S3 bucket; `STORAGES["blobs"]` chooses. Knows no rows:
`hub.services` keeps those. Every function raises `Unavailable` when the store is out.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from django.core.files.storage import FileSystemStorage, storages

from hub.blobs.disk import DiskStore
from hub.blobs.names import StoredBlob, absent, check_name, digest_of
from hub.blobs.s3 import BucketStorage, S3Store
from hub.errors import Invalid, Unavailable

__all__ = ["StoredBlob", "delete", "exists", "open", "put", "read", "size", "sweep", "url", "walk"]


def _store() -> DiskStore | S3Store:
    storage = storages["blobs"]
    if isinstance(storage, FileSystemStorage):
        return DiskStore(Path(storage.location))
    assert isinstance(storage, BucketStorage)
    return S3Store(storage)


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
        raise Unavailable("blob_damaged", "The stored bytes are damaged; the operator has to restore them.")
    return data


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
