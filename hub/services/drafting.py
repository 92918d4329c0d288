"""Drafts whose values change before they are published."""

from typing import Any

from django.db import transaction

from hub import jobs
from hub.access import Viewer, require
from hub.errors import Conflict, NotFound
from hub.models import Version
from hub.services import audit, freezing, ingest


def replace_values(
    viewer: Viewer, *, version: Version, ingested: ingest.IngestedEmbedding, provenance: dict[str, Any]
) -> Version:
    """Give a draft other values and the account of how they were made; its pictures are drawn again.

    The values it has already change nothing. Conflict `state_conflict` for anything but a draft.
    """
    require(viewer, "publish_version", version.embedding)
    stored = ingest.put(ingested.canonical)
    with transaction.atomic():
        row = (
            Version.objects.select_for_update(of=("self",))
            .select_related("embedding__owner", "base_model")
            .filter(pk=version.pk)
            .first()
        )
        if row is None:
            raise NotFound()
        if row.state != Version.State.DRAFT:
            raise Conflict("state_conflict", "Only a draft can still change.")
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
