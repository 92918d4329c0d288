"""What happened in a run: points of its curve, states, checkpoints, small pictures, its end.

Functions that take a run expect its row locked (`leases.held`); they join the caller's transaction.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.models import F, Max
from django.db.models.functions import Now

from hub.models import Blob
from hub.services.webhooks import events
from trainer.models import Checkpoint, CheckpointPart, GrowthPicture, RunEvent, Snapshot, TrainingRun

State = TrainingRun.State
KEPT_CHECKPOINTS = 3
MOST_TEXT = {"fault": 16, "code": 64, "message": 500, "detail": 20_000}


def add_event(run: TrainingRun, kind: str, **data: Any) -> RunEvent:
    """Add the next event of the run."""
    last = run.events.aggregate(last=Max("sequence"))["last"] or 0
    return RunEvent.objects.create(run=run, sequence=last + 1, kind=kind, data=data)


def enter(run: TrainingRun, state: str, *, stage: str = "") -> None:
    """Move a running run to another of its running states, or another stage of the same."""
    if (run.state, run.stage) == (state, stage):
        return
    moved = run.state != state
    run.state, run.stage = state, stage[:120]
    run.save(update_fields=["state", "stage"])
    if moved:
        add_event(run, "state", state=state)


def add_progress(
    run: TrainingRun,
    *,
    points: list[list[float | None]],
    latest: dict[str, Any],
    seconds: float,
) -> None:
    """Add points `[step, loss, fixed loss, rate]` of the curve, the latest numbers, and seconds worked."""
    run.progress = latest
    if points:
        run.step = int(points[-1][0] or 0)
    run.save(update_fields=["progress", "step"])
    TrainingRun.objects.filter(pk=run.pk).update(seconds=F("seconds") + seconds)
    if points:
        add_event(run, "points", points=points)


def add_checkpoint(run: TrainingRun, *, step: int, blob: Blob, parts: Iterable[str] = ()) -> None:
    """Keep a checkpoint and the digests of its parts. A later step than ever before is progress."""
    newest = run.checkpoints.aggregate(newest=Max("step"))["newest"]
    kept, _ = Checkpoint.objects.update_or_create(run=run, step=step, defaults={"blob": blob})
    set_parts(kept, parts)
    if newest is None or step > newest:
        run.attempts_without_progress = 0
        run.step = max(run.step, step)
        run.save(update_fields=["attempts_without_progress", "step"])


def set_parts(kept: Checkpoint, parts: Iterable[str]) -> None:
    """Have a checkpoint stand on the blobs of these digests."""
    kept.parts.all().delete()
    CheckpointPart.objects.bulk_create(CheckpointPart(checkpoint=kept, blob_id=part) for part in parts)


def drop_old_checkpoints(run: TrainingRun) -> None:
    """Keep the newest few; their blobs go with the next gc."""
    old = run.checkpoints.order_by("-step").values_list("pk", flat=True)[KEPT_CHECKPOINTS:]
    Checkpoint.objects.filter(pk__in=list(old)).delete()


def add_growth(run: TrainingRun, *, step: int, pictures: list[dict[str, Any]]) -> None:
    """Keep small pictures of a step: `blob`, `content_type`, `prompt`, `seed` each. Twice is once."""
    for position, picture in enumerate(pictures):
        GrowthPicture.objects.update_or_create(run=run, step=step, position=position, defaults=picture)
    add_event(run, "growth", step=step)


def set_snapshots(run: TrainingRun, snapshots: list[dict[str, Any]]) -> None:
    """Keep the word as it was on the way: `label`, `step`, `blob` each, in order."""
    for position, values in enumerate(snapshots):
        values = {**values, "position": position}
        Snapshot.objects.update_or_create(run=run, label=values.pop("label"), defaults=values)


def end(run: TrainingRun, state: str, **facts: str) -> None:
    """End a run for good: done, cancelled, or failed with `fault`, `code`, `message`, `detail`."""
    run.state, run.lease_until, run.stage = state, None, ""
    changed = ["state", "lease_until", "stage"]
    for name, value in facts.items():
        setattr(run, name, value[: MOST_TEXT[name]])
        changed.append(name)
    run.save(update_fields=changed)
    TrainingRun.objects.filter(pk=run.pk).update(finished_at=Now())
    add_event(run, "state", state=state, message=run.message)
    events.tell(f"run.{state}", run.embedding, run=str(run.pk))


def content_type(path: Path) -> str:
    """The type of a picture the engine wrote, by its suffix."""
    return {".webp": "image/webp", ".jpg": "image/jpeg"}.get(path.suffix, "image/png")
