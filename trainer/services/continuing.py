"""Going on: a new run that begins where an ended one was, at any step that was kept, linked to the old one."""

import json
import struct
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from hub import blobs
from hub.access import Viewer, require
from hub.errors import Conflict, Unacceptable
from hub.services.versions import ingest
from trainer import runs
from trainer.models import Checkpoint, TrainingRun
from trainer.recipe import Recipe, RecipeError
from trainer.services import leases, limits, recording
from trainer.services.pictures import copy_of, is_purged

_MARK = "glossa.checkpoint"


def go_on(
    viewer: Viewer, *, run: TrainingRun, step: int, max_steps: int | None = None, key: UUID | None = None
) -> TrainingRun:
    """A queued run that goes on from `step` of an ended one, up to `max_steps` (as the old one, when None).

    With more steps than before it trains to the last of them, since the old run may have stopped because it had
    learned. The same `key` again gives the same run. Raises Conflict `state_conflict` while the old run goes on, or
    when its pictures or that step are gone; Unacceptable with the field; RateLimited `too_many_runs`;
    NotFound where the viewer may not know of the old run.
    """
    # In this order: of a run that one may not know of, nothing is said but that it is not there.
    runs.get(viewer, run_id=run.pk)
    require(viewer, "resume_run", run)
    require(viewer, "publish_version", run.embedding)
    assert viewer.user is not None
    earlier = runs.list_runs(viewer).filter(submission_key=key).first() if key else None
    if earlier is not None:
        return earlier
    kept = _kept(run, step)
    limits.check_account(viewer)
    recipe = _recipe(run, step, max_steps)
    limits.check_recipe(recipe)
    data = adopted(blobs.read(kept.blob_id), recipe) if recipe.to_dict() != run.recipe else None
    try:
        return _store(viewer, run, kept, recipe, ingest.put(data) if data is not None else None, key)
    except IntegrityError:
        earlier = runs.list_runs(viewer).filter(submission_key=key).first() if key else None
        if earlier is None:
            raise
        return earlier


def adopted(data: bytes, recipe: Recipe) -> bytes:
    """A checkpoint that names this recipe as its own; rows, moments, step and history stay as they are.

    Conflict `state_conflict` when the bytes are no checkpoint of ours.
    """
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        state = json.loads(header["__metadata__"][_MARK])
        state["recipe"] = recipe.to_json()
        header["__metadata__"][_MARK] = json.dumps(state)
    except (struct.error, ValueError, KeyError, TypeError):
        raise Conflict("state_conflict", "This step cannot be read any more; choose another.") from None
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _kept(run: TrainingRun, step: int) -> Checkpoint:
    if not run.is_over:
        raise Conflict("state_conflict", "This run still goes on; stop it first.")
    if is_purged(run):
        raise Conflict("state_conflict", "The pictures of this run were deleted, so it cannot go on.")
    kept = run.checkpoints.filter(step=step).first()
    if kept is None:
        raise Conflict("state_conflict", f"Step {step} was not kept; choose another.", field="step")
    return kept


def _recipe(run: TrainingRun, step: int, max_steps: int | None) -> Recipe:
    """The old recipe, with more steps where they are asked for."""
    changes: dict[str, Any] = {}
    if max_steps is not None and max_steps != run.recipe["max_steps"]:
        changes = {"max_steps": max_steps, "early_stop": False}
    elif run.state == TrainingRun.State.DONE:
        raise Unacceptable(
            "field_invalid", "This run is done: give it more steps to make.", field="max_steps"
        )
    try:
        recipe = Recipe.from_dict({**run.recipe, **changes})
    except RecipeError as error:
        raise Unacceptable("field_invalid", error.message, field=error.field) from None
    if recipe.max_steps <= step:
        raise Unacceptable(
            "field_invalid", f"Give more than the {step} steps it has made.", field="max_steps"
        )
    return recipe


def _store(
    viewer: Viewer,
    run: TrainingRun,
    kept: Checkpoint,
    recipe: Recipe,
    stored: ingest.Stored | None,
    key: UUID | None,
) -> TrainingRun:
    """The new run with its pictures, its first checkpoint and its promise, in one transaction."""
    assert viewer.user is not None
    with transaction.atomic():
        limits.one_at_a_time(run.owner_id, person=viewer.user)
        limits.check_queue(run.owner_id, person=viewer.user)
        made = TrainingRun.objects.create(
            owner_id=run.owner_id,
            created_by=viewer.user,
            embedding_id=run.embedding_id,
            base_model_id=run.base_model_id,
            submission_key=key,
            recipe=recipe.to_dict(),
            warnings=run.warnings,
            licence=run.licence,
            consent=run.consent,
            bundled_set=run.bundled_set,
            picture_digests=run.picture_digests,
            start=run.start,
            goes_on_from=run,
            goes_on_at=kept.step,
            step=kept.step,
            max_steps=recipe.max_steps,
        )
        for image in run.images.order_by("position"):
            copy_of(image, run=made, owner_id=made.owner_id).save(force_insert=True)
        blob = ingest.row(stored) if stored is not None else kept.blob
        recording.set_parts(
            Checkpoint.objects.create(run=made, step=kept.step, blob=blob),
            kept.parts.values_list("blob_id", flat=True),
        )
        recording.add_event(made, "state", state=made.state)
        leases.send(made)
    return made
