"""Pictures to train from: each is checked and prepared once, then waits for its owner's run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now

from hub.access import Viewer, require
from hub.errors import Conflict
from hub.killpoints import kill_point
from hub.models import Blob
from hub.services.upkeep import gc
from hub.services.upkeep.references import is_referenced
from hub.services.versions import ingest
from trainer.advice import Finding, Look, advise
from trainer.models import OVER, TrainingImage, TrainingRun
from trainer.services import limits

PREPARED_SIDE = 1024
WAITING_TIME = timedelta(days=7)


def add(viewer: Viewer, *, path: Path, filename: str) -> TrainingImage:
    """Check, prepare and keep one picture for the viewer's next run.

    Raises UnacceptableFile with the reason and the rule; then nothing is kept.
    """
    require(viewer, "start_run", viewer.user)
    limits.check_kept_pictures(viewer)
    image = unsaved(viewer, prepare(viewer, path=path, filename=filename, look=True), filename)
    image.save(force_insert=True)
    return image


def remove(viewer: Viewer, *, picture_id: UUID) -> None:
    """Drop a picture that no run uses. Silent when it is gone already."""
    require(viewer, "start_run", viewer.user)
    assert viewer.user is not None
    TrainingImage.objects.filter(pk=picture_id, owner_id=viewer.user.owner_id, run=None).delete()


def lay_out(viewer: Viewer, *, run: TrainingRun) -> int:
    """Keep the pictures of a run for the viewer's next one, too; those that wait already stay. Returns how many wait.

    None for a run from a bundled set. Conflict `state_conflict` when they were deleted.
    """
    require(viewer, "start_run", viewer.user)
    require(viewer, "see_training_images", run)
    assert viewer.user is not None
    if run.bundled_set:
        return 0
    if is_purged(run):
        raise Conflict("state_conflict", "The pictures of this run were deleted; add them again.")
    waiting = TrainingImage.objects.filter(owner_id=viewer.user.owner_id, run=None)
    there = set(waiting.values_list("blob_id", flat=True))
    for image in run.images.order_by("position"):
        if image.blob_id not in there:
            limits.check_kept_pictures(viewer)
            copy_of(image, run=None, owner_id=viewer.user.owner_id).save(force_insert=True)
    return waiting.filter(blob_id__in=run.picture_digests).count()


def copy_of(image: TrainingImage, *, run: TrainingRun | None, owner_id: int) -> TrainingImage:
    """The row of the same picture for another run; the bytes are shared and go when the last row does."""
    return TrainingImage(
        owner_id=owner_id,
        run=run,
        position=image.position,
        blob_id=image.blob_id,
        mask_id=image.mask_id,
        content_type=image.content_type,
        width=image.width,
        height=image.height,
        source_name=image.source_name,
        caption=image.caption,
        facts=image.facts,
    )


def purge() -> int:
    """Drop pictures that waited a week for a run, and those of runs that ended long ago (rule L1). Returns how many.

    Their bytes follow at once, unless something else still shows them. Safe to interrupt and to run twice.
    """
    unused = TrainingImage.objects.filter(run=None, created_at__lt=Now() - WAITING_TIME)
    kept_for = timedelta(days=settings.HUB["HUB_TRAINING_IMAGE_DAYS"])
    old = TrainingImage.objects.filter(run__state__in=OVER, run__finished_at__lt=Now() - kept_for)
    dropped = _drop(unused) + _drop(old)
    confirm()
    return dropped


def forget(viewer: Viewer, *, run: TrainingRun) -> int:
    """Delete the pictures of a run that is over, at its owner's wish. Conflict `state_conflict` before its end."""
    require(viewer, "delete_training_images", run)
    if not run.is_over:
        raise Conflict("state_conflict", "The run still learns from its pictures; stop it first.")
    dropped = _drop(run.images.all())
    confirm()
    return dropped


def confirm() -> None:
    """Mark the runs whose pictures are gone from the store too, or belong to something else as well."""
    waiting = TrainingRun.objects.filter(state__in=OVER, pictures_purged_at=None, images=None).exclude(
        picture_digests=[]
    )
    for run in waiting[:200]:
        left = Blob.objects.filter(pk__in=run.picture_digests)
        if all(is_referenced(blob) for blob in left):
            TrainingRun.objects.filter(pk=run.pk).update(pictures_purged_at=Now())


def is_purged(run: TrainingRun) -> bool:
    """Whether the run had pictures that are deleted now."""
    return not run.images.exists()


def delete_on(run: TrainingRun) -> datetime | None:
    """When the pictures of an ended run are going to be deleted."""
    if run.finished_at is None:
        return None
    return run.finished_at + timedelta(days=settings.HUB["HUB_TRAINING_IMAGE_DAYS"])


def _drop(images: QuerySet[TrainingImage]) -> int:
    """Rows first, then the bytes that nothing needs any more."""
    rows = images.values_list("blob_id", "mask_id")
    digests = dict.fromkeys(sha256 for row in rows for sha256 in row if sha256)
    count = images.count()
    images.delete()
    kill_point("K40")
    for sha256 in digests:
        if gc.mark(sha256):
            gc.sweep(sha256)
    return count


def prepare(viewer: Viewer, *, path: Path, filename: str, look: bool) -> ingest.IngestedPicture:
    """The picture turned, stripped, re-encoded and stored, and looked at for advice. Raises UnacceptableFile.

    What is transparent stays so: whether it weighs the loss, and what shows through, the recipe says later.
    """
    return ingest.picture(
        viewer, path=path, filename=filename, max_side=PREPARED_SIDE, look=look, keep_clear=True
    )


def unsaved(viewer: Viewer, picture: ingest.IngestedPicture, filename: str) -> TrainingImage:
    """The row of a prepared picture, to be saved by the caller."""
    assert viewer.user is not None
    return TrainingImage(
        owner_id=viewer.user.owner_id,
        blob_id=picture.sha256,
        content_type=picture.content_type,
        width=picture.width,
        height=picture.height,
        source_name=Path(filename).name[:120],
        facts=picture.facts,
    )


def remarks(image: TrainingImage) -> list[str]:
    """What was changed about a picture when it was prepared."""
    return [str(note) for note in image.facts.get("notes") or []]


def advice(images: Sequence[TrainingImage], *, kind: str, resolution: int) -> list[Finding]:
    """What their maker should know about pictures that are good enough to be taken. It never stops anybody."""
    looks = [
        Look.of(image.facts, digest=image.blob_id, width=image.width, height=image.height) for image in images
    ]
    return advise(looks, kind=kind, resolution=resolution)
