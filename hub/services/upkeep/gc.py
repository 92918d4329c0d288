"""Collecting what nobody needs: mark in the database first, bytes later, so that no order of events loses any.

An upload that meets a marked row writes the bytes again and takes the mark off (services.ingest.row); both sides
act under the row's lock.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from hub import blobs
from hub.errors import NotFound, Unavailable
from hub.killpoints import kill_point
from hub.models import Appeal, Blob, Commit, Embedding, Version
from hub.services.upkeep.references import is_referenced, unreferenced
from hub.services.versions import ingest

GRACE_HOURS = 24
DELETED_DAYS = 7
# So long a taking down can be appealed, and its bytes are there to be given back.
TAKEN_DOWN_DAYS = 30


@dataclass
class Collected:
    """What one run did, or would do."""

    released_versions: int = 0
    adopted: int = 0
    removed: int = 0
    bytes_removed: int = 0
    temporary_files: int = 0

    @property
    def as_dict(self) -> dict[str, int]:
        """For the command's JSON."""
        return asdict(self)


def collect(*, grace_hours: float = GRACE_HOURS, dry_run: bool = False) -> Collected:
    """Let go of withdrawn versions, take stray bytes into the books, and remove what has had no use for the grace.

    Safe while the site runs, safe to interrupt and to run twice at once.
    """
    done = Collected()
    now = timezone.now()
    for version in [*_long_deleted(now - timedelta(days=DELETED_DAYS)), *_long_taken_down(now)]:
        done.released_versions += 1
        if not dry_run:
            release(version)
    for sha256 in _strays():
        done.adopted += 1
        if not dry_run:
            adopt(sha256)
    candidates = unreferenced().filter(created_at__lt=now - timedelta(hours=grace_hours))
    for blob in list(candidates | unreferenced().filter(deleting=True)):
        if dry_run or remove(blob.sha256):
            done.removed += 1
            done.bytes_removed += blob.size
    if not dry_run:
        done.temporary_files = blobs.sweep()
    return done


def release(version: Version) -> None:
    """Let go of everything that a deleted or taken down version holds; its tombstone stays."""
    with transaction.atomic():
        version.files.all().delete()
        version.conversions.all().delete()
        version.previews.all().delete()
        Version.objects.filter(pk=version.pk).update(tensors=None)
        embedding = version.embedding
        if embedding.deleted_at is not None:
            Commit.objects.filter(embedding=embedding).update(readme=None)
            Embedding.objects.filter(pk=embedding.pk).update(card="", summary="", title=embedding.name)


def _long_deleted(before: datetime) -> Iterator[Version]:
    rows = Version.objects.filter(
        state=Version.State.DELETED, tensors__isnull=False, state_changed_at__lt=before
    )
    yield from rows.select_related("embedding")


def _long_taken_down(now: datetime) -> Iterator[Version]:
    """Those that nobody can appeal any more; not while an appeal waits for its answer."""
    rows = Version.objects.filter(
        state=Version.State.TAKEN_DOWN,
        tensors__isnull=False,
        state_changed_at__lt=now - timedelta(days=TAKEN_DOWN_DAYS),
    )
    waiting = Appeal.objects.filter(settled_at=None, ruling__version__isnull=False)
    yield from rows.exclude(pk__in=waiting.values("ruling__version")).select_related("embedding")


def _strays() -> Iterator[str]:
    """Stored bytes without a row: left by an upload that died before its transaction, or under way right now."""
    batch: list[str] = []
    for sha256 in blobs.walk():
        batch.append(sha256)
        if len(batch) == 500:
            yield from _without_row(batch)
            batch = []
    yield from _without_row(batch)


def _without_row(batch: list[str]) -> list[str]:
    known = set(Blob.objects.filter(pk__in=batch).values_list("pk", flat=True))
    return [sha256 for sha256 in batch if sha256 not in known]


def adopt(sha256: str) -> None:
    """Give stray bytes a row; from now on their grace time runs. Damaged ones are left for fsck to tell of."""
    try:
        ingest.store(blobs.read(sha256))
    except (NotFound, Unavailable):
        return


def remove(sha256: str) -> bool:
    """Mark, then remove bytes and row; False when somebody needs them, or came to need them meanwhile."""
    if not mark(sha256):
        return False
    kill_point("K35")
    kill_point("K37")
    removed = sweep(sha256)
    kill_point("K36")
    return removed


def mark(sha256: str) -> bool:
    """Say in the database that these bytes are about to go; False when they are needed."""
    with transaction.atomic():
        blob = Blob.objects.select_for_update().filter(pk=sha256).first()
        if blob is None or is_referenced(blob):
            return False
        Blob.objects.filter(pk=sha256).update(deleting=True)
        return True


def sweep(sha256: str) -> bool:
    """Remove marked bytes and then their row; False when the mark was taken off or somebody refers to them."""
    with transaction.atomic():
        blob = Blob.objects.select_for_update().filter(pk=sha256, deleting=True).first()
        if blob is None or is_referenced(blob):
            return False
        blobs.delete(sha256)
        kill_point("K38")
        blob.delete()
        return True
