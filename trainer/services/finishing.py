"""The end of a run: learned vectors become a draft version like any stranger's file, then get their sheet."""

from pathlib import Path
from typing import Any

from hub import blobs
from hub.access import Viewer
from hub.killpoints import kill_point
from hub.models import Version
from hub.services.versions import ingest, previews, publishing
from trainer.models import TrainingRun
from trainer.recipe import Recipe
from trainer.services import recording
from trainer.services.continuing import adopted
from trainer.services.leases import Claim, give_back, held

State = TrainingRun.State
# What of the engine's result is shown with the version; the rest stays with the run.
INSIGHTS = ("losses", "encoders", "cosine_to_initializer", "capped_steps", "chosen", "steps", "stopped_by")


def keep_result(claim: Claim, run: TrainingRun, result: dict[str, Any]) -> Version:
    """Store the learned vectors as the one draft version of this run; doing it again gives the same draft.

    Raises LeaseLost, and UnacceptableFile when the engine wrote something the hub would take from nobody.
    """
    viewer = Viewer(user=run.created_by)
    ingested = ingest.embedding(viewer, path=Path(result["embedding"]), filename=f"{run.trigger}.safetensors")
    snapshots = [
        {"label": kept["label"], "step": kept["step"], "blob": ingest.store(Path(kept["path"]))}
        for kept in result.get("growth") or []
    ]
    kill_point("K28")
    with held(claim) as row:
        # Who started it was allowed to then; the run is its owner's, whoever has left a team since.
        version = publishing.keep_draft(
            viewer,
            embedding=row.embedding,
            ingested=ingested,
            trigger=row.trigger,
            licence=row.licence,
            base_model=row.base_model,
            provenance=_provenance(row, result),
            run_key=row.id,
            initializer=row.recipe["initializer"],
        )
        recording.set_snapshots(row, snapshots)
        row.version = version
        row.step = int(result["steps"])
        row.attempts_without_progress = 0
        row.result = {
            key: value for key, value in result.items() if key not in ("embedding", "growth", "event", "id")
        }
        row.save(update_fields=["version", "step", "attempts_without_progress", "result"])
        recording.enter(row, State.PREVIEWING, stage="Drawing the preview sheet")
        kill_point("K29")
    kill_point("K30")
    return version


def keep_sheet(claim: Claim, run: TrainingRun, sheet: dict[str, Any]) -> None:
    """Store the preview sheet of the run's draft and end the run. Raises LeaseLost."""
    assert run.version_id is not None
    previews.record_sheet(
        version_id=run.version_id,
        images=sheet["images"],
        sheet=composite(sheet),
        insights=insights(run.result, sheet),
    )
    kill_point("K31")
    with held(claim) as row:
        recording.end(row, State.DONE)


def insights(result: dict[str, Any], sheet: dict[str, Any]) -> dict[str, Any]:
    """What a version's page tells of its vectors and its sheet, from the engine's two answers."""
    return {
        **{key: result[key] for key in INSIGHTS if key in result},
        "intact": sheet["intact"],
        "base_digest": sheet["base_digest"],
        "measures": sheet.get("measures") or {},
    }


def end_without_sheet(claim: Claim, run: TrainingRun, *, message: str) -> None:
    """The vectors are good, the sheet could not be drawn: the draft stands alone. Raises LeaseLost."""
    assert run.version_id is not None
    previews.mark(version_id=run.version_id, state=Version.SheetState.FAILED, message=message[:280])
    with held(claim) as row:
        recording.end(
            row, State.DONE, message="The word is learned, but its preview sheet could not be drawn."
        )


def fail(claim: Claim, *, fault: str, code: str, message: str, detail: str = "") -> None:
    """End a run that cannot go on, saying whose fault it was. Raises LeaseLost."""
    with held(claim) as row:
        recording.end(row, State.FAILED, fault=fault, code=code, message=message, detail=detail)


def shrink(claim: Claim) -> bool:
    """Let a run that ran out of memory wait again with half its batch, taken twice as often: the same samples a step.

    Once, and only where its maker allowed it; False when it may not or cannot. The change is told on the page and in
    the record; what was learned is kept. Raises LeaseLost.
    """
    with held(claim) as row:
        batch = int(row.recipe["batch"])
        if not row.may_shrink or batch < 2 or batch % 2:
            return False
        recipe = Recipe.from_dict(
            {**row.recipe, "batch": batch // 2, "accumulate": int(row.recipe["accumulate"]) * 2}
        )
        told = f"Memory ran out, so pictures are taken {recipe.batch} at a time instead of {batch}."
        row.recipe, row.may_shrink, row.warnings = recipe.to_dict(), False, [*row.warnings, told]
        row.save(update_fields=["recipe", "may_shrink", "warnings"])
        for kept in row.checkpoints.all():
            kept.blob = ingest.store(adopted(blobs.read(kept.blob_id), recipe))
            kept.save(update_fields=["blob"])
        recording.add_event(row, "note", step=row.step, text=told)
        row.attempts_without_progress = max(row.attempts_without_progress - 1, 0)
        give_back(row, message=told)
    return True


def end_cancelled(claim: Claim) -> None:
    """End a run that its owner stopped; its last checkpoint is kept. Raises LeaseLost."""
    kill_point("K34")
    with held(claim) as row:
        recording.end(row, State.CANCELLED)


def composite(sheet: dict[str, Any]) -> dict[str, Any] | None:
    """The picture of the whole sheet as `record_sheet` takes it, None where the engine made none."""
    if not sheet.get("sheet"):
        return None
    whole = sheet["sheet"]
    return dict(whole) if isinstance(whole, dict) else {"path": whole}


def _provenance(run: TrainingRun, result: dict[str, Any]) -> dict[str, Any]:
    """How the version was made, for strangers to check and repeat: the engine's account and the hub's."""
    return {
        **result["provenance"],
        "run": str(run.id),
        "base_model": run.base_model.name,
        "bundled_set": run.bundled_set,
        "picture_digests": list(run.images.values_list("blob_id", flat=True)),
        "licence": run.licence,
        "consent": run.consent,
        "seconds": result.get("seconds"),
        "attempts": run.attempts,
    }
