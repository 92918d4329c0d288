"""What a viewer may see of runs: the runs, their curves, their pictures."""

from uuid import UUID

from django.db.models import Q, QuerySet

from hub.access import Viewer, has_scope_for, under
from hub.errors import NotFound
from hub.models import BaseModel
from trainer.models import MASK_TYPE, TrainingImage, TrainingRun

USUAL_RESOLUTION = 512
MOST_UNSEEN = 9


def visible(viewer: Viewer) -> QuerySet[TrainingRun]:
    """The runs this viewer may know of: one's own and those of one's teams; all of them for moderators."""
    if viewer.user is None or not has_scope_for(viewer, "see_run"):
        return TrainingRun.objects.none()
    if viewer.is_moderator:
        return TrainingRun.objects.all()
    return TrainingRun.objects.filter(under(viewer, "see_run"))


def list_runs(viewer: Viewer) -> QuerySet[TrainingRun]:
    """The runs of the viewer and of their teams, newest first."""
    if viewer.user is None:
        return TrainingRun.objects.none()
    return (
        visible(viewer)
        .filter(under(viewer, "see_run"))
        .select_related("embedding__owner", "base_model", "version")
        .order_by("-created_at")
    )


def unseen(viewer: Viewer) -> list[TrainingRun]:
    """The runs that the viewer started and that ended since they last looked at them, the newest first; those they
    stopped are no news."""
    if viewer.user is None:
        return []
    ended = (TrainingRun.State.DONE, TrainingRun.State.FAILED)
    found = visible(viewer).filter(created_by=viewer.user, seen_at=None, state__in=ended)
    return list(found.order_by("-finished_at")[:MOST_UNSEEN])


def get(viewer: Viewer, *, run_id: UUID) -> TrainingRun:
    """One run. NotFound when there is none that the viewer may know of."""
    run = (
        visible(viewer)
        .select_related(
            "embedding__owner", "owner", "base_model", "version__embedding__owner", "goes_on_from"
        )
        .filter(pk=run_id)
        .first()
    )
    if run is None:
        raise NotFound()
    return run


def curve(run: TrainingRun, *, after: int = 0) -> tuple[list[list[float | None]], int]:
    """Points `[step, loss, fixed loss, rate]` of events after a sequence number, and the last such number.

    Steps done twice, because a worker was lost after them, are given once: as they were done last.
    """
    by_step: dict[float, list[float | None]] = {}
    last = after
    for sequence, kind, data in run.events.filter(sequence__gt=after).values_list("sequence", "kind", "data"):
        last = sequence
        if kind == "points":
            for point in data["points"]:
                by_step[point[0]] = point
    return [by_step[step] for step in sorted(by_step)], last


def kept_steps(run: TrainingRun) -> list[int]:
    """The steps of a run from which it can be gone on, newest first."""
    return list(run.checkpoints.order_by("-step").values_list("step", flat=True))


def pictures(run: TrainingRun) -> QuerySet[TrainingImage]:
    """The run's pictures in order."""
    return run.images.select_related("blob")


def waiting_pictures(viewer: Viewer, *, ids: list[UUID] | None = None) -> list[TrainingImage]:
    """The viewer's uploaded pictures that no run has yet; with `ids` only those, in that order."""
    if viewer.user is None:
        return []
    found = TrainingImage.objects.filter(owner_id=viewer.user.owner_id, run=None).select_related("blob")
    if ids is None:
        return list(found)
    by_id = {image.id: image for image in found.filter(pk__in=ids)}
    return [by_id[one] for one in ids if one in by_id]


def resolution_of(base: str | None) -> int:
    """The side that a base model is trained at; of one that is not here, that of the first that is."""
    installed = BaseModel.objects.filter(is_installed=True).order_by("title")
    found = installed.filter(name=base or "").first() or installed.first()
    return found.resolution if found else USUAL_RESOLUTION


def picture(viewer: Viewer, *, sha256: str) -> tuple[str, str]:
    """Digest and content type of a picture of training that this viewer may see. NotFound.

    Training pictures and their masks are for their owner alone (rule P7), in a team for its admins and whoever
    trained from them; pictures drawn while learning for whoever sees the run.
    """
    if viewer.user is not None and viewer.has_scope("train"):
        may = under(viewer, "see_training_images", maker="run__created_by")
        own = TrainingImage.objects.filter(may, Q(blob_id=sha256) | Q(mask_id=sha256)).first()
        if own is not None:
            return sha256, own.content_type if own.blob_id == sha256 else MASK_TYPE
    growth = (
        visible(viewer).filter(growth__blob_id=sha256).values_list("growth__content_type", flat=True).first()
    )
    if growth is None:
        raise NotFound()
    return sha256, growth
