"""From a file to a frozen version. Bytes first, made durable; then one transaction that is whole or absent."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from hub import blobs
from hub.access import Viewer, require
from hub.errors import Conflict, NotFound
from hub.formats import may_be_half, read
from hub.killpoints import kill_point
from hub.models import BaseModel, Embedding, Owner, Version
from hub.services import audit
from hub.services.embeddings import bases, details, names
from hub.services.embeddings.details import check_name_free, create_embedding, update_details
from hub.services.upkeep import quota
from hub.services.versions import checks, digests, files, freezing, ingest
from hub.services.versions.lifecycle import delete_embedding, delete_version, discard_draft, unyank, yank

__all__ = [
    "add_draft",
    "check_file",
    "check_name_free",
    "create_embedding",
    "delete_embedding",
    "delete_version",
    "discard_draft",
    "keep_draft",
    "publish",
    "publish_file",
    "unyank",
    "update_details",
    "yank",
]

_TRIES = 5


def check_file(
    viewer: Viewer, *, path: Path, filename: str, half: tuple[Path, str] | None = None
) -> dict[str, Any]:
    """All facts about an upload, or about the two halves of one, for the page; nothing is stored.

    Adds `vectors`, `is_half` where a second file may belong to it, and `existing`: full name, number and trigger of
    versions with the same values that this viewer may see. UnacceptableFile when the file is refused.
    """
    require(viewer, "create_embedding", viewer.user.owner if viewer.user else None)
    ingested = ingest.embedding(viewer, path=path, filename=filename, half=half)
    existing = [
        {"name": one.name, "number": one.number, "trigger": one.trigger}
        for one in checks.twins(viewer, ingested.tensor_digest)
    ]
    is_half = half is None and may_be_half(ingested.facts["family"], ingested.facts["layout"])
    return {**ingested.facts, "vectors": ingested.data.vectors, "is_half": is_half, "existing": existing}


def add_draft(
    viewer: Viewer,
    *,
    embedding: Embedding,
    ingested: ingest.IngestedEmbedding,
    trigger: str,
    licence: str,
    base_model: BaseModel | None = None,
    notes: str = "",
    label: str = "",
    provenance: dict[str, Any] | None = None,
    run_key: UUID | None = None,
    initializer: str = "",
) -> Version:
    """A draft: tensors and form fields, seen by who may publish it. The same `run_key` again is the same draft.

    Raises Unacceptable `metadata_mismatch` for a base model of another family.
    """
    require(viewer, "publish_version", embedding)
    return keep_draft(
        viewer, embedding=embedding, ingested=ingested, trigger=trigger, licence=licence, base_model=base_model,
        notes=notes, label=label, provenance=provenance, run_key=run_key, initializer=initializer,
    )  # fmt: skip


def keep_draft(
    viewer: Viewer,
    *,
    embedding: Embedding,
    ingested: ingest.IngestedEmbedding,
    run_key: UUID | None = None,
    **fields: Any,
) -> Version:
    """The same of work that was allowed when it began, whatever its maker may do now."""
    earlier = Version.objects.filter(run_key=run_key).first() if run_key else None
    if earlier is not None:
        return earlier
    version = unsaved(viewer, embedding, ingested, run_key=run_key, **fields)
    checks.base_fits(version)
    checks.words_are_clean(version)
    tensors = ingest.put(ingested.canonical)
    with transaction.atomic():
        Embedding.objects.select_for_update().get(pk=embedding.pk)
        earlier = Version.objects.filter(run_key=run_key).first() if run_key else None
        if earlier is not None:
            return earlier
        checks.label_is_free(version)
        version.base_model = bases.keep(version.base_model)
        version.tensors = ingest.row(tensors)
        version.save(force_insert=True)
        digests.remember(version, "", ingested.facts["digests"])
        audit.record(viewer, "add_draft", embedding, version=version.pk, run=run_key)
    return version


def publish(
    viewer: Viewer,
    *,
    version: Version,
    trigger: str | None = None,
    notes: str | None = None,
    label: str | None = None,
    licence: str | None = None,
) -> Version:
    """Freeze a draft as the embedding's next version; a version that is published already is returned as it is.

    Raises Conflict `state_conflict`, `version_exists` or `label_taken`, Unacceptable with field and rule.
    """
    draft = Version.objects.select_related("embedding__owner", "base_model").filter(pk=version.pk).first()
    if draft is None:
        raise NotFound()
    require(viewer, "publish_version", draft.embedding)
    if draft.is_published:
        return draft
    given = {"trigger": trigger, "notes": notes, "label": label, "licence": licence}
    for field, value in given.items():
        if value is not None:
            setattr(draft, field, value)
    checks.publishable(draft)
    checks.values_are_new(draft)
    checks.label_is_free(draft)
    assert draft.tensors_id is not None
    data = read(blobs.read(draft.tensors_id))
    for _ in range(_TRIES):
        tags = details.tag_slugs(draft.embedding)
        prepared = freezing.prepare(draft.embedding, draft, data, tags)
        try:
            with transaction.atomic():
                published = freezing.freeze(viewer, draft, prepared)
                kill_point("K9")
            return published
        except freezing.Moved:
            draft.embedding.refresh_from_db()
    raise _too_busy()


def publish_file(
    viewer: Viewer,
    *,
    path: Path,
    filename: str,
    trigger: str,
    licence: str,
    half: tuple[Path, str] | None = None,
    name: str = "",
    owner: Owner | None = None,
    embedding: Embedding | None = None,
    title: str = "",
    kind: str = "",
    summary: str = "",
    card: str = "",
    tags: Iterable[str] = (),
    visibility: str = "public",
    base_model: BaseModel | None = None,
    notes: str = "",
    label: str = "",
    initializer: str = "",
    may_be_open: bool = True,
) -> Version:
    """A file as version 1 of a new embedding (`name`, `title`, `kind`, …), or as the next version of `embedding`.

    A new one stands under the viewer's own name, or under that of an `owner` they may write for.

    An embedding that a tool made without a `kind` gets one with its first version.
    `half` is the other file (path and filename) of an SDXL embedding that lies in two.
    With `may_be_open` False a file that several base models could have made needs one of them (`base_model`).
    All or nothing: a refused file, field or name leaves no row and no blob. The same request again gives the
    version it made. Raises UnacceptableFile, Unacceptable with the field, Conflict `name_taken`,
    `name_too_similar`, `version_exists` or `label_taken`.
    """
    if embedding is None:
        owner = keeper = names.owner_for(viewer, "publish_version", owner)
    else:
        require(viewer, "publish_version", embedding)
        keeper = embedding.owner
    ingested = ingest.embedding(viewer, path=path, filename=filename, half=half)
    repeated = _repeated(owner, embedding, name, ingested, trigger=trigger, licence=licence, label=label)
    if repeated is not None:
        return repeated
    quota.check(keeper, more=len(ingested.canonical))
    if embedding is not None and kind and not embedding.kind:
        embedding = update_details(viewer, embedding=embedding, kind=kind)
    slugs = details.tag_slugs(embedding) if embedding else []
    is_new = embedding is None
    if embedding is None:
        embedding, slugs = details.unsaved(
            viewer, name=name, owner=owner, title=title or name, kind=kind, summary=summary, card=card,
            tags=tags, visibility=visibility,
        )  # fmt: skip
    version = unsaved(
        viewer, embedding, ingested, trigger=trigger, licence=licence, base_model=base_model, notes=notes,
        label=label, initializer=initializer,
    )  # fmt: skip
    checks.publishable(version)
    if not may_be_open:
        checks.question_is_answered(version)
    if not is_new:
        checks.values_are_new(version)
        checks.label_is_free(version)
    published = _publish_whole(viewer, version, ingested, slugs, is_new=is_new)
    kill_point("K8")
    return published


def _publish_whole(
    viewer: Viewer, version: Version, ingested: ingest.IngestedEmbedding, slugs: list[str], *, is_new: bool
) -> Version:
    """Embedding where it is new, version, files and commit in one transaction."""
    for _ in range(_TRIES):
        embedding = version.embedding
        tensors = ingest.put(ingested.canonical)
        prepared = freezing.prepare(embedding, version, ingested.data, slugs)
        kill_point("K6")
        try:
            with transaction.atomic():
                if is_new:
                    details.save_new(viewer, embedding, slugs)
                version.embedding = embedding
                version.base_model = bases.keep(version.base_model)
                version.tensors = ingest.row(tensors)
                version.save(force_insert=True)
                digests.remember(version, "", ingested.facts["digests"])
                kill_point("K7")
                published = freezing.freeze(viewer, version, prepared)
                kill_point("K9")
            return published
        except freezing.Moved:
            version.pk = None
            embedding.refresh_from_db()
            slugs = details.tag_slugs(embedding)
    raise _too_busy()


def unsaved(
    viewer: Viewer, embedding: Embedding, ingested: ingest.IngestedEmbedding, **fields: Any
) -> Version:
    """A draft of these tensors that is not stored yet."""
    facts = ingested.facts
    if fields.get("provenance") is None:
        fields["provenance"] = files.claimed_provenance(ingested.data)
    return Version(
        embedding=embedding,
        family=facts["family"],
        vectors=ingested.data.vectors,
        encoders=facts["encoders"],
        tensor_digest=ingested.tensor_digest,
        source_name=ingested.filename,
        source_sha256=ingested.source_sha256,
        source_container=facts["container"],
        source_layout=facts["layout"],
        warnings=list(facts["warnings"]),
        created_by=viewer.user,
        **fields,
    )


def _repeated(
    owner: Owner | None,
    embedding: Embedding | None,
    name: str,
    ingested: ingest.IngestedEmbedding,
    *,
    trigger: str,
    licence: str,
    label: str,
) -> Version | None:
    """The version that this very request made before: same bytes, word, licence and, if it asks for one, label (R5)."""
    versions = Version.objects.select_related("embedding__owner", "base_model").resolvable()
    if embedding is not None:
        versions = versions.filter(embedding=embedding)
    else:
        versions = versions.filter(embedding__owner=owner, embedding__name=name, embedding__deleted_at=None)
    asked = {"trigger": trigger, "licence": licence, **({"label": label} if label else {})}
    return versions.filter(source_sha256=ingested.source_sha256, **asked).order_by("-number").first()


def _too_busy() -> Conflict:
    return Conflict("state_conflict", "This embedding is being changed by somebody else; try again.")
