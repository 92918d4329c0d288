"""Large files on their way: announced, sent in one piece or several, and kept until a commit names them.

What they hold is not looked at here; that is done when the commit comes, as with any other file. Whoever sent them
straight to the file store is believed nothing: length and SHA-256 are those of the bytes, or they are removed. What no
commit names within a day is swept.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from hub import blobs
from hub.access import Viewer, require, visible
from hub.catalog import gates
from hub.errors import Conflict, Invalid, NotFound, TooLarge, Unacceptable
from hub.formats.limits import MIB
from hub.models import Embedding, File, PendingPart, PendingUpload, Version
from hub.services.pushing import direct
from hub.services.upkeep import gc, quota
from hub.services.versions import ingest

LIFE_HOURS: Final = 24
MOST_OPEN: Final = 32


def largest() -> int:
    """Bytes of the largest file that can be pushed."""
    return MIB * max(int(settings.HUB["HUB_MAX_UPLOAD_MB"]), int(settings.HUB["HUB_MAX_PICTURE_MB"]))


def announce(viewer: Viewer, *, embedding: Embedding, sha256: str, size: int) -> PendingUpload | None:
    """Make room for a file that the viewer is about to send; None when they have no need to send it.

    TooLarge over the ceiling or the quota, Unacceptable for a digest that is none, Conflict with MOST_OPEN under way.
    """
    require(viewer, "publish_version", embedding)
    assert viewer.user is not None
    _check_digest(sha256)
    if size > largest():
        most = largest() // MIB
        raise TooLarge(
            "file_too_large", f"The file has {size / MIB:.1f} MiB; this hub takes up to {most} MiB."
        )
    if _own_file(embedding, sha256) is not None:
        return None
    others = PendingUpload.objects.filter(embedding__owner=embedding.owner_id).exclude(sha256=sha256)
    under_way = others.aggregate(total=Sum("size"))["total"] or 0
    quota.check(embedding.owner, more=size + under_way)
    with transaction.atomic():
        Embedding.objects.select_for_update().get(pk=embedding.pk)
        open_now = PendingUpload.objects.filter(user=viewer.user)
        row = open_now.filter(embedding=embedding, sha256=sha256).first()
        if row is not None and row.size == size:
            return row if row.blob_id is None else None
        if row is not None:
            row.delete()  # the same name with another length: one of them was no truth
        if open_now.count() >= MOST_OPEN:
            raise Conflict(
                "too_many_uploads",
                f"You have {MOST_OPEN} uploads without a commit; commit them, or wait a day.",
            )
        return PendingUpload.objects.create(user=viewer.user, embedding=embedding, sha256=sha256, size=size)


def opened(viewer: Viewer, *, upload_id: int) -> PendingUpload:
    """The upload that a link was made for. NotFound for anybody else's, and for one that was swept."""
    rows = PendingUpload.objects.select_related("embedding__owner")
    row = rows.filter(pk=upload_id, user=viewer.user).first() if viewer.user is not None else None
    if row is None:
        raise NotFound("This upload is over. Start the push again.")
    require(viewer, "publish_version", row.embedding)
    return row


def receive(upload: PendingUpload, *, path: Path, sha256: str, size: int) -> None:
    """The whole file. Invalid `digest_mismatch` or `length_mismatch` for other bytes than were announced."""
    if size != upload.size:
        message = f"The file was announced with {upload.size} bytes, and {size} came."
        raise Invalid("length_mismatch", message)
    if sha256 != upload.sha256:
        raise Invalid("digest_mismatch", "These bytes do not have the announced SHA-256.", field="sha256")
    stored = ingest.put(path)
    with transaction.atomic():
        row = PendingUpload.objects.select_for_update().filter(pk=upload.pk).first()
        if row is None:
            raise NotFound("This upload is over. Start the push again.")
        row.blob = ingest.row(stored)
        row.save(update_fields=["blob"])
        _drop_parts(row)


def receive_part(upload: PendingUpload, *, number: int, path: Path) -> str:
    """One part of a file; the same number again replaces it. Its digest."""
    stored = ingest.put(path)
    with transaction.atomic():
        if not PendingUpload.objects.select_for_update().filter(pk=upload.pk).exists():
            raise NotFound("This upload is over. Start the push again.")
        blob = ingest.row(stored)
        PendingPart.objects.update_or_create(upload=upload, number=number, defaults={"blob": blob})
    return stored.sha256


def write_parts(upload: PendingUpload, *, numbers: Iterable[int], target: Path) -> None:
    """Write the parts into one file, in order. Invalid `part_missing` for one that did not come."""
    parts = {part.number: part for part in upload.parts.select_related("blob")}
    with target.open("wb") as whole:
        for number in numbers:
            if number not in parts:
                raise Invalid("part_missing", f"Part {number} of the file did not come; send it again.")
            whole.write(blobs.read(parts[number].blob_id))


def finish(upload: PendingUpload, *, tags: Mapping[int, str], count: int) -> None:
    """Take in a file whose parts were sent straight to the store. Invalid `part_missing`, and as `receive`."""
    direct.put_together(upload, tags=tags, count=count)
    take(upload)


def take(upload: PendingUpload) -> bool:
    """Take in what was sent straight to the store, if anything. Invalid as `receive`: other bytes are removed."""
    with direct.fetched(upload) as sent:
        if sent is None:
            return False
        try:
            receive(upload, path=sent.path, sha256=sent.sha256, size=sent.size)
        except Invalid:
            direct.drop(upload)
            raise
    direct.drop(upload)
    return True


def is_here(viewer: Viewer, *, embedding: Embedding, sha256: str, size: int) -> bool:
    """Whether all bytes of a file that this viewer sent, or that the embedding has, are here. Raises as `take`."""
    if _own_file(embedding, sha256) is not None:
        return True
    row = PendingUpload.objects.filter(
        user=viewer.user, embedding=embedding, sha256=sha256, size=size
    ).first()
    return row is not None and (row.blob_id is not None or take(row))


def write(viewer: Viewer, *, embedding: Embedding, sha256: str, target: Path) -> None:
    """Write the bytes of a file that a commit names by its digest.

    Unacceptable `upload_missing` unless the viewer sent them for this embedding, or may pull them from some version:
    to know a digest gives nobody the bytes.
    """
    _check_digest(sha256)
    row = PendingUpload.objects.filter(user=viewer.user, embedding=embedding, sha256=sha256).first()
    sent = row is not None and (row.blob_id is not None or take(row))
    if not sent and _own_file(embedding, sha256) is None:
        # Their digests are told to everybody; the bytes behind a gate are not.
        versions = gates.open_to(viewer, visible(Version.objects.resolvable(), viewer))
        if not File.objects.filter(blob=sha256, version__in=versions).exists():
            raise Unacceptable(
                "upload_missing", f"The file {sha256[:12]}… has not been uploaded; push it again."
            )
    target.write_bytes(blobs.read(sha256))


def forget(viewer: Viewer, *, embedding: Embedding, digests: Iterable[str]) -> None:
    """Let go of uploads that a commit has taken in."""
    rows = PendingUpload.objects.filter(user=viewer.user, embedding=embedding, sha256__in=list(digests))
    _remove(list(rows))


def sweep(*, max_age_hours: float = LIFE_HOURS) -> int:
    """Remove uploads that no commit has named in that time, and their bytes; answers how many."""
    old = timezone.now() - timedelta(hours=max_age_hours)
    rows = list(PendingUpload.objects.filter(created_at__lt=old))
    _remove(rows)
    return len(rows) + direct.sweep()


def _remove(rows: list[PendingUpload]) -> None:
    for row in rows:
        with transaction.atomic():
            digests = [row.blob_id, *row.parts.values_list("blob_id", flat=True)]
            if row.blob_id is None:
                direct.drop(row)
            row.delete()
        for sha256 in digests:
            if sha256:
                gc.remove(sha256)


def _drop_parts(row: PendingUpload) -> None:
    """The parts have served; their bytes go once the transaction is through."""
    digests = list(row.parts.values_list("blob_id", flat=True))
    row.parts.all().delete()
    for sha256 in digests:
        transaction.on_commit(lambda sha256=sha256: gc.remove(sha256))  # type: ignore[misc]  # bound now


def _own_file(embedding: Embedding, sha256: str) -> File | None:
    return File.objects.filter(blob=sha256, version__embedding=embedding).first()


def _check_digest(sha256: str) -> None:
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise Unacceptable(
            "malformed_digest", "An object is named by its SHA-256, in 64 small hexadecimal digits."
        )
