"""Pictures to train from: each is checked and prepared once, then waits for its owner's run."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db.models.functions import Now

from hub.access import Viewer, require
from hub.services import ingest
from trainer.models import TrainingImage
from trainer.services import limits

PREPARED_SIDE = 1024
SMALL_SIDE = 256
WAITING_TIME = timedelta(days=7)


def add(viewer: Viewer, *, path: Path, filename: str) -> TrainingImage:
    """Check, prepare and keep one picture for the viewer's next run.

    Raises UnacceptableFile with the reason and the rule; then nothing is kept.
    """
    require(viewer, "start_run", viewer.user)
    limits.check_kept_pictures(viewer)
    image = unsaved(viewer, prepare(viewer, path=path, filename=filename), filename)
    image.save(force_insert=True)
    return image


def remove(viewer: Viewer, *, picture_id: UUID) -> None:
    """Drop a picture that no run uses. Silent when it is gone already."""
    require(viewer, "start_run", viewer.user)
    assert viewer.user is not None
    TrainingImage.objects.filter(pk=picture_id, owner_id=viewer.user.owner_id, run=None).delete()


def purge() -> int:
    """Drop pictures that waited a week for a run (rule L1); their bytes go with the next gc. Returns how many."""
    old = TrainingImage.objects.filter(run=None, created_at__lt=Now() - WAITING_TIME)
    return old.delete()[0]


def prepare(viewer: Viewer, *, path: Path, filename: str) -> ingest.IngestedPicture:
    """The picture turned, stripped, re-encoded and stored. Raises UnacceptableFile."""
    return ingest.picture(viewer, path=path, filename=filename, max_side=PREPARED_SIDE)


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
    """What the maker should know about a picture that is good enough to be taken."""
    found = [str(note) for note in image.facts.get("notes") or []]
    if min(image.width, image.height) < SMALL_SIDE:
        found.append(f"Only {min(image.width, image.height)} pixels on the short side.")
    if max(image.width, image.height) > 3 * min(image.width, image.height):
        found.append("Very long: only the middle is used.")
    return found
