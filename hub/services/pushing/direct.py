"""Large files that tools send straight to the file store: addresses for them, and what came there."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from hub.blobs import names, uploads
from hub.errors import Invalid, NotFound
from hub.models import PendingUpload


@dataclass(frozen=True)
class Addresses:
    """Where to send a file: `whole`, or else its `parts` in order."""

    whole: str = ""
    parts: Sequence[str] = ()


@dataclass(frozen=True)
class Sent:
    """What came: bytes on disk, their length and SHA-256. Of another length than announced they were not fetched."""

    path: Path
    size: int
    sha256: str = ""


def addresses(upload: PendingUpload, *, part_bytes: int | None) -> Addresses | None:
    """Where the store takes the file, in parts if it has more than `part_bytes`; None where the site must take it."""
    store = uploads.place()
    if store is None:
        return None
    if part_bytes is None or upload.size <= part_bytes:
        return Addresses(whole=store.address(_name(upload), upload.size))
    opened = store.begin(_name(upload), upload.store_upload)
    if opened != upload.store_upload:
        PendingUpload.objects.filter(pk=upload.pk).update(store_upload=opened)
    sizes = [min(part_bytes, upload.size - start) for start in range(0, upload.size, part_bytes)]
    return Addresses(
        parts=[
            store.part_address(_name(upload), opened, number, size) for number, size in enumerate(sizes, 1)
        ]
    )


def put_together(upload: PendingUpload, *, tags: Mapping[int, str], count: int) -> None:
    """Make one file of the parts that the store has. Invalid `part_missing`."""
    store = uploads.place()
    if store is None:
        raise NotFound("This upload is over. Start the push again.")
    if sorted(tags) != list(range(1, count + 1)):
        raise Invalid("part_missing", f"The file has {count} parts; name each with its ETag.", field="parts")
    store.finish(_name(upload), upload.store_upload, dict(tags))


@contextmanager
def fetched(upload: PendingUpload) -> Iterator[Sent | None]:
    """What the store has of the file, on this disk for a moment; None where nothing came."""
    store = uploads.place()
    size = store.size(_name(upload)) if store is not None else None
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / "file"
        if store is None or size is None:
            yield None
        elif size != upload.size:
            yield Sent(path, size)
        else:
            store.fetch(_name(upload), path, most=upload.size)
            digest, length = names.digest_of(path)
            yield Sent(path, length, digest)


def drop(upload: PendingUpload) -> None:
    """Remove what the store has under the address of an upload."""
    store = uploads.place()
    if store is not None:
        store.drop(_name(upload), upload.store_upload)


def sweep() -> int:
    """Remove what the store still has of uploads that nobody knows any more; answers how many."""
    store = uploads.place()
    return store.sweep() if store is not None else 0


def _name(upload: PendingUpload) -> str:
    return f"{upload.pk}-{upload.sha256[:16]}"
