"""A version's file in any layout that a door hands out: stored ones as they are, others made once and kept."""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.db import DatabaseError, transaction

from hub import blobs
from hub.access import ANONYMOUS, Viewer, can_see, visible
from hub.catalog import gates
from hub.errors import Full, Invalid, NotFound, ReadOnly, Unavailable
from hub.formats import LAYOUTS, FormatError, served_layouts, write_layout
from hub.formats.tool_files import WRITER_VERSION, Layout
from hub.models import File, Version
from hub.models.digest import Conversion
from hub.services.versions import ingest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConvertedFile:
    """A file of a version in one layout, ready for `hub.wire.files.send`.

    `file_id` is the stored file that its pulls are counted by. `data` holds the bytes where they could not be
    stored. `is_immutable` is False for what a later writer may make differently.
    """

    path: str
    layout: str
    sha256: str
    size: int
    content_type: str
    version: Version
    file_id: int
    is_public: bool
    is_immutable: bool
    gate: gates.Behind | None = None
    data: bytes | None = None


def file_in(viewer: Viewer, *, version: Version, layout: str) -> ConvertedFile:
    """The version's file in that layout. A pure result of its canonical file, made once and found again.

    NotFound when the viewer may not see the version; Invalid `unknown_layout` with the layouts there are, and
    `layout_not_served` for the one that is a pickle. Who may have it behind a gate is asked by whoever hands it out.
    """
    if not visible(Version.objects.resolvable(), viewer).filter(pk=version.pk).exists():
        raise NotFound(code="revision_not_found")
    return _file_in(version, layout)


@dataclass(frozen=True)
class ConvertedUpload:
    """Somebody's own file in another layout; it is stored nowhere."""

    path: str
    content_type: str
    data: bytes


def upload_in(
    viewer: Viewer, *, path: Path, filename: str, layout: str, half: tuple[Path, str] | None = None
) -> ConvertedUpload:
    """A file that somebody has, in a layout of its family, under the word that it suggests. Stores nothing.

    UnacceptableFile when the file is refused; Invalid `unknown_layout` and `layout_not_served` as `file_in`.
    """
    ingested = ingest.embedding(viewer, path=path, filename=filename, half=half)
    wanted = _served(layout, ingested.data.family)
    # The suggested word is legal, and so a plain file name.
    trigger = str(ingested.facts["trigger"])
    try:
        data = write_layout(ingested.data, wanted.id, trigger=trigger)
    except FormatError as error:
        raise Invalid(error.code, error.message, rule=error.rule) from error
    return ConvertedUpload(wanted.filename.format(trigger=trigger), wanted.content_type, data)


def make_all(*, version_id: int) -> None:
    """Make every file of a version that is made on request; harmless to repeat, and for what is gone since."""
    version = Version.objects.resolvable().select_related("embedding__owner").filter(pk=version_id).first()
    if version is None:
        return
    for layout in served_layouts(version.family):
        _file_in(version, layout.id)


def _file_in(version: Version, layout: str) -> ConvertedFile:
    wanted = _served(layout, version.family)
    stored = version.files.select_related("blob").filter(layout=wanted.id).first()
    if stored is not None:
        return _answer(wanted, version, stored, stored.path, stored.blob_id, stored.blob.size)
    canonical = version.files.select_related("blob").filter(layout="canonical").first()
    if canonical is None:
        raise NotFound("The files of this version are gone.", code="entry_not_found")
    path = wanted.filename.format(trigger=version.trigger)
    kept = Conversion.objects.select_related("blob").filter(
        source=canonical.blob_id, layout=wanted.id, writer=WRITER_VERSION
    )
    found = kept.first()
    if found is not None:
        return _answer(wanted, version, canonical, path, found.blob_id, found.blob.size)
    made = _made(canonical, wanted, version.trigger)
    digest, is_kept = keep(
        version, source=canonical.blob_id, layout=wanted.id, writer=WRITER_VERSION, made=made
    )
    return _answer(wanted, version, canonical, path, digest, len(made), data=None if is_kept else made)


def _served(layout: str, family: str) -> Layout:
    """The layout of that name, if doors hand it out for this family."""
    offered = served_layouts(family)
    for known in offered:
        if known.id == layout:
            return known
    names = ", ".join(known.id for known in offered)
    known_anywhere = LAYOUTS.get(layout)
    if known_anywhere is not None and not known_anywhere.is_served:
        raise Invalid(
            "layout_not_served",
            f"{layout} is a pickle, and no door of this hub hands out pickles. Write one for yourself with "
            f"manage.py convert; here there are: {names}.",
            field="layout",
            offered=[known.id for known in offered],
        )
    raise Invalid(
        "unknown_layout",
        f"There is no layout {layout[:40]!r} for this embedding; there are: {names}.",
        field="layout",
        offered=[known.id for known in offered],
    )


def stored(sha256: str) -> bytes:
    """All bytes of a file, checked against the digest. Unavailable when they are missing."""
    try:
        return blobs.read(sha256)
    except NotFound:
        raise _missing() from None


def opened(sha256: str) -> BinaryIO:
    """The same as a file, which the caller closes."""
    try:
        return blobs.checked(sha256)
    except NotFound:
        raise _missing() from None


def _missing() -> Unavailable:
    return Unavailable("blob_missing", "The stored bytes are missing; the operator has to restore them.")


def _made(canonical: File, layout: Layout, trigger: str) -> bytes:
    """The bytes of the layout. Unavailable when the canonical ones are missing or damaged."""
    try:
        return write_layout(stored(canonical.blob_id), layout.id, trigger=trigger)
    except FormatError as error:
        log.error("%s as %s: %s", canonical, layout.id, error.message)
        raise Unavailable("blob_damaged", "The stored bytes cannot be read.") from error


def keep(version: Version, *, source: str, layout: str, writer: str, made: bytes) -> tuple[str, bool]:
    """Keep what was made of a stored file for the next who asks: its SHA-256, and whether it could be kept.

    False where there is no room: the pull itself must not fail.
    """
    try:
        stored = ingest.put(made)
        with transaction.atomic():
            Conversion.objects.get_or_create(
                source=source,
                layout=layout,
                writer=writer,
                defaults={"version": version, "blob": ingest.row(stored)},
            )
    except (Full, ReadOnly, Unavailable, DatabaseError) as error:
        log.warning("%s as %s could not be kept: %s", version, layout, error)
        return hashlib.sha256(made).hexdigest(), False
    return stored.sha256, True


def _answer(
    layout: Layout,
    version: Version,
    counted: File,
    path: str,
    sha256: str,
    size: int,
    *,
    data: bytes | None = None,
) -> ConvertedFile:
    return ConvertedFile(
        path=path,
        layout=layout.id,
        sha256=sha256,
        size=size,
        content_type=layout.content_type,
        version=version,
        file_id=counted.pk,
        is_public=can_see(ANONYMOUS, version),
        is_immutable=False,
        gate=gates.of(version.embedding),
        data=data,
    )
