"""Drafts before they are published: made from a file, described anew, given other values."""

from enum import Enum
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from hub import jobs
from hub.access import Viewer, require
from hub.errors import Conflict, NotFound, Unacceptable
from hub.models import BaseModel, Embedding, Version
from hub.services import audit
from hub.services.embeddings import bases
from hub.services.upkeep import quota
from hub.services.versions import checks, freezing, ingest, publishing


class Keep(Enum):
    """Says that a base model stays as it is: None says that it is not known."""

    KEPT = "kept"


KEPT: Final = Keep.KEPT
# What is asked of everything that is said of a draft.
_SAID: Final = (
    checks.trigger_is_legal,
    checks.licence_is_known,
    checks.words_are_clean,
    checks.base_fits,
    checks.label_is_free,
)


def add_file(
    viewer: Viewer,
    *,
    embedding: Embedding,
    path: Path,
    filename: str,
    half: tuple[Path, str] | None = None,
    **fields: Any,
) -> Version:
    """A file as a draft, seen by its owner alone; its sheet is drawn where a base of its family is installed.

    `fields` are those of `publishing.add_draft`. What publishing would refuse is refused now; nothing is left then.
    """
    require(viewer, "publish_version", embedding)
    ingested = ingest.embedding(viewer, path=path, filename=filename, half=half)
    trial = publishing.unsaved(viewer, embedding, ingested, **fields)
    for check in (*_SAID, checks.values_are_new):
        check(trial)
    quota.check(embedding.owner, more=len(ingested.canonical))
    draft = publishing.add_draft(viewer, embedding=embedding, ingested=ingested, **fields)
    draw_again(draft)
    return draft


def describe(
    viewer: Viewer,
    *,
    version: Version,
    trigger: str | None = None,
    licence: str | None = None,
    notes: str | None = None,
    label: str | None = None,
    base_model: BaseModel | Keep | None = KEPT,
) -> Version:
    """Change what is given of a draft; with another base model its sheet is drawn again.

    Raises Unacceptable with the field, Conflict `label_taken`, `state_conflict` for anything but a draft.
    """
    require(viewer, "publish_version", version.embedding)
    given = {"trigger": trigger, "licence": licence, "notes": notes, "label": label}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with transaction.atomic():
        row = _locked(version)
        if base_model is not KEPT and base_model != row.base_model:
            if row.run_key is not None:
                message = "This word was trained here; its base model is the one it was trained on."
                raise Unacceptable("field_invalid", message, field="base_model")
            changes["base_model"] = bases.keep(base_model)
        drawn_with = freezing.base_for(row)
        for name, value in changes.items():
            setattr(row, name, value)
        for check in _SAID:
            check(row)
        row.save(update_fields=list(changes))
        if freezing.base_for(row) != drawn_with:
            draw_again(row)
        audit.record(viewer, "describe_draft", row.embedding, version=row.pk, changed=sorted(changes))
    return row


def _locked(version: Version) -> Version:
    """The draft as it is now, held to the end of the transaction. NotFound; Conflict when it is none any more."""
    rows = Version.objects.select_for_update(of=("self",)).select_related("embedding__owner", "base_model")
    row = rows.filter(pk=version.pk).first()
    if row is None:
        raise NotFound()
    if row.state != Version.State.DRAFT:
        raise Conflict("state_conflict", "Only a draft can still change.")
    return row


def replace_values(
    viewer: Viewer, *, version: Version, ingested: ingest.IngestedEmbedding, provenance: dict[str, Any]
) -> Version:
    """Give a draft other values and the account of how they were made; its pictures are drawn again.

    The values it has already change nothing. Conflict `state_conflict` for anything but a draft.
    """
    require(viewer, "publish_version", version.embedding)
    stored = ingest.put(ingested.canonical)
    with transaction.atomic():
        row = _locked(version)
        if row.family != ingested.facts["family"]:
            raise Conflict("state_conflict", "These values are for another family.")
        row.provenance = provenance
        row.save(update_fields=["provenance"])
        if row.tensor_digest == ingested.tensor_digest:
            return row
        row.tensors = ingest.row(stored)
        row.vectors, row.encoders = ingested.data.vectors, ingested.facts["encoders"]
        row.tensor_digest, row.source_sha256 = ingested.tensor_digest, ingested.source_sha256
        row.save(update_fields=["tensors", "vectors", "encoders", "tensor_digest", "source_sha256"])
        audit.record(viewer, "replace_draft", row.embedding, version=row.pk, tensors=row.tensor_digest)
        draw_again(row)
    return row


def draw_again(version: Version) -> None:
    """Take the sheet of a draft away and promise a new one, where a base of its family is installed."""
    with transaction.atomic():
        version.previews.exclude(role="upload").delete()
        base = freezing.base_for(version)
        version.sheet_state = Version.SheetState.WAITING if base else Version.SheetState.NONE
        version.sheet_message, version.insights = "", {}
        version.save(update_fields=["sheet_state", "sheet_message", "insights"])
        if base is not None:
            jobs.enqueue("render_sheet", version.pk)
