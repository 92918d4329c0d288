"""Taking the word as it was earlier: a kept snapshot of a finished run becomes the draft."""

import tempfile
import uuid
from pathlib import Path

from hub import blobs
from hub.access import Viewer, require
from hub.errors import Conflict, NotFound
from hub.models import Version
from hub.services.versions import drafting, ingest, publishing
from trainer.models import Snapshot, TrainingRun


def take(viewer: Viewer, *, run: TrainingRun, label: str) -> Version:
    """Make the snapshot of this label the run's draft, and have its sheet drawn again.

    The run's draft gets its values; where that was published already, or thrown away, it is a draft of its own.
    Taking it again changes nothing. NotFound without such a snapshot, Conflict `state_conflict` while the run goes on.
    """
    require(viewer, "publish_version", run.embedding)
    if not run.is_over:
        raise Conflict("state_conflict", "This run still goes on.")
    snapshot = run.snapshots.filter(label=label).first()
    if snapshot is None:
        raise NotFound()
    ingested = _ingested(viewer, run, snapshot)
    provenance = {**_made_by(run), "snapshot": snapshot.label, "steps": snapshot.step}
    draft = run.version
    if draft is not None and draft.state == Version.State.DRAFT:
        return drafting.replace_values(viewer, version=draft, ingested=ingested, provenance=provenance)
    version = publishing.add_draft(
        viewer,
        embedding=run.embedding,
        ingested=ingested,
        trigger=run.trigger,
        licence=run.licence,
        base_model=run.base_model,
        provenance=provenance,
        run_key=uuid.uuid5(run.id, snapshot.label),
        initializer=str(run.recipe["initializer"]),
    )
    drafting.draw_again(version)
    return version


def taken(run: TrainingRun) -> str:
    """The label of the snapshot that the run's draft holds; empty for the engine's own choice."""
    return str(run.version.provenance.get("snapshot", "")) if run.version is not None else ""


def _ingested(viewer: Viewer, run: TrainingRun, snapshot: Snapshot) -> ingest.IngestedEmbedding:
    """The snapshot's file, through the same door as everybody's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{run.trigger}.safetensors"
        path.write_bytes(blobs.read(snapshot.blob_id))
        return ingest.embedding(viewer, path=path, filename=path.name)


def _made_by(run: TrainingRun) -> dict[str, object]:
    known = run.version.provenance if run.version is not None else run.result.get("provenance") or {}
    return {**known, "run": str(run.id)}
