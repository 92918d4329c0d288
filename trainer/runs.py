"""Reads of training: whose turn it is, place in line, curve, what a viewer may see."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now

from hub.access import Viewer, allows
from hub.errors import NotFound
from hub.models import BaseModel, OutboxJob
from trainer.models import RUNNING, WAITING, TrainingImage, TrainingRun

DAY = timedelta(hours=24)
MOST_RUNNING_PER_OWNER = 1
USUAL_RESOLUTION = 512


def visible(viewer: Viewer) -> QuerySet[TrainingRun]:
    """The runs this viewer may know of: one's own; all of them for moderators."""
    if viewer.user is None or not allows(viewer, "see_run", is_owner=True):
        return TrainingRun.objects.none()
    if viewer.is_moderator:
        return TrainingRun.objects.all()
    return TrainingRun.objects.filter(owner_id=viewer.user.owner_id)


def list_runs(viewer: Viewer) -> QuerySet[TrainingRun]:
    """The viewer's own runs, newest first."""
    if viewer.user is None:
        return TrainingRun.objects.none()
    return (
        visible(viewer)
        .filter(owner_id=viewer.user.owner_id)
        .select_related("embedding__owner", "base_model", "version")
        .order_by("-created_at")
    )


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


def line() -> list[UUID]:
    """The waiting runs that may start now, in the order of their turn (rule J1).

    First the owner with the least training time in 24 hours, then the oldest run. Owners who have a run in
    hand already, wait.
    """
    busy = (
        TrainingRun.objects.filter(state__in=RUNNING, lease_until__gte=Now())
        .values("owner")
        .annotate(count=Count("pk"))
        .filter(count__gte=MOST_RUNNING_PER_OWNER)
        .values_list("owner", flat=True)
    )
    waiting = list(
        TrainingRun.objects.filter(state__in=WAITING, cancel_requested=False)
        .filter(Q(not_before=None) | Q(not_before__lt=Now()))
        .exclude(owner__in=list(busy))
        .order_by("created_at")
        .values_list("pk", "owner")[:500]
    )
    spent = seconds_spent({owner for _, owner in waiting})
    return [pk for pk, owner in sorted(waiting, key=lambda entry: spent.get(entry[1], 0.0))]


def seconds_spent(owners: set[int]) -> dict[int, float]:
    """Seconds of training in the last 24 hours, by owner."""
    recent = Q(finished_at=None) | Q(finished_at__gte=Now() - DAY)
    return dict(
        TrainingRun.objects.filter(recent, owner__in=owners)
        .order_by()
        .values_list("owner")
        .annotate(total=Sum("seconds"))
    )


def place_in_line(run: TrainingRun) -> int:
    """1 for the run that starts next; 0 when it does not wait."""
    if run.state not in WAITING:
        return 0
    order = line()
    if run.pk in order:
        return order.index(run.pk) + 1
    return len(order) + 1


def is_stuck_at_broker(run: TrainingRun) -> bool:
    """Whether the message that should wake a worker could not be sent yet."""
    return OutboxJob.objects.filter(name="run_training", args=[str(run.id)], sent_at=None).exists()


def waiting_for(run: TrainingRun) -> str:
    """Why a waiting run has not started, as a sentence; empty when it does not wait."""
    if run.state == TrainingRun.State.PAUSED:
        return run.message or "The hub's disk or store is out; the run goes on by itself when it is back."
    place = place_in_line(run)
    if not place:
        return ""
    if is_stuck_at_broker(run):
        return "The job server cannot be reached. Your run is kept and starts by itself when it is back."
    ahead = place - 1 + TrainingRun.objects.filter(state__in=RUNNING, lease_until__gte=Now()).count()
    if ahead:
        return f"{ahead} {'run is' if ahead == 1 else 'runs are'} ahead of yours."
    return "Waiting for a training worker to take it."


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


def estimate(run: TrainingRun) -> float | None:
    """Seconds still to go, from the engine's own measure or from finished runs on the same base."""
    if run.is_over:
        return 0.0
    left = run.progress.get("seconds_left")
    if run.state == TrainingRun.State.TRAINING and left is not None:
        return float(left)
    if run.state == TrainingRun.State.PREVIEWING:
        return None
    done = TrainingRun.objects.filter(
        base_model=run.base_model_id,
        state=TrainingRun.State.DONE,
        seconds__gt=0,
        step__gt=0,
    ).order_by("-finished_at")[:5]
    rates = [past.seconds / past.step for past in done]
    return sum(rates) / len(rates) * (run.max_steps - run.step) if rates else None


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

    Training pictures are for their owner alone (rule P7); pictures drawn while learning for whoever sees the
    run.
    """
    if viewer.user is not None and viewer.has_scope("train"):
        own = TrainingImage.objects.filter(owner_id=viewer.user.owner_id, blob_id=sha256).first()
        if own is not None:
            return sha256, own.content_type
    growth = (
        visible(viewer).filter(growth__blob_id=sha256).values_list("growth__content_type", flat=True).first()
    )
    if growth is None:
        raise NotFound()
    return sha256, growth


def limits() -> dict[str, Any]:
    """The limits of rule J2 that pages show."""
    return {
        name: settings.HUB[f"HUB_RUN_{name.upper()}"] for name in ("max_images", "max_steps", "max_waiting")
    }


def runs_since_yesterday(owner_id: int) -> QuerySet[TrainingRun]:
    """The owner's runs of the last 24 hours."""
    return TrainingRun.objects.filter(models.Q(owner_id=owner_id), created_at__gte=Now() - DAY)
