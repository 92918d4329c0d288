"""The moment of publishing: bytes prepared beforehand become a numbered version that never changes again."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from hub import jobs
from hub.access import Viewer, require
from hub.errors import NotFound
from hub.formats import EmbeddingData
from hub.formats.digests import digests_of
from hub.killpoints import kill_point
from hub.models import BaseModel, Embedding, File, Version
from hub.services import audit, indexing
from hub.services.embeddings import details
from hub.services.versions import cards, checks, commits, digests, files, fingerprints, ingest
from hub.services.webhooks import events


class Moved(Exception):
    """The embedding changed between preparing and committing; prepare again."""


@dataclass(frozen=True)
class Prepared:
    """Everything a version will be made of, durable in the store, under the number it hopes for."""

    number: int
    files: list[files.NewFile]
    readme: ingest.Stored
    sketches: list[int]


def prepare(embedding: Embedding, version: Version, data: EmbeddingData, tags: Sequence[str]) -> Prepared:
    """Make every byte of the version durable before its transaction."""
    number = version.number = embedding.last_number + 1
    made = files.make(embedding, version, data, number=number, tags=tags)
    readme = commits.prepare(embedding, version, tags)
    version.number = None  # a hope only, until the transaction gives it
    stored = [files.NewFile(path, layout, ingest.put(body), digests_of(body)) for path, layout, body in made]
    return Prepared(number, stored, readme, fingerprints.sketches_of(data))


def freeze(viewer: Viewer, version: Version, prepared: Prepared, *, message: str = "") -> Version:
    """Give the version its number and files, move `main` to it, and say so; in the caller's transaction.

    `message` is the commit's; else it says what was published.
    """
    transaction.on_commit(lambda: kill_point("K10"))
    embedding = (
        Embedding.objects.alive()
        .select_for_update(of=("self",))
        .select_related("owner")
        .filter(pk=version.embedding_id)
        .first()
    )
    if embedding is None:
        raise NotFound()
    # Once more, under the lock: it may have got another owner, or the viewer left its team, since this began.
    require(viewer, "publish_version", embedding)
    stored = Version.objects.select_related("embedding__owner", "base_model").get(pk=version.pk)
    if stored.is_published:
        return stored
    checks.is_draft(stored)
    version.number = embedding.last_number + 1
    card = cards.readme(embedding, version, details.tag_slugs(embedding))
    if version.number != prepared.number or card != prepared.readme.source:
        raise Moved
    checks.values_are_new(version)
    checks.label_is_free(version)
    for file in prepared.files:
        File.objects.create(version=version, path=file.path, layout=file.layout, blob=ingest.row(file.stored))
        digests.remember(version, file.path, file.digests)
    _set_published(version)
    fingerprints.remember(version, prepared.sketches)
    embedding.head, embedding.last_number = version, version.number
    embedding.save(update_fields=["head", "last_number", "updated_at"])
    version.embedding = embedding
    first_line = (version.notes.splitlines() or [""])[0]
    told = message or f"Publish {version.name}. {first_line}".strip()
    commit = commits.add(viewer, embedding, version, prepared.readme, message=told)
    indexing.refresh(embedding)
    audit.record(
        viewer, "publish", embedding, version=version.number, commit=commit.sha, tensors=version.tensor_digest
    )
    events.tell("version.published", embedding, version=version.pk)
    return version


def _set_published(version: Version) -> None:
    """The version's own row becomes published, and waits for its sheet where one can be drawn."""
    version.state = Version.State.PUBLISHED
    version.published_at = version.state_changed_at = timezone.now()
    wants_sheet = version.sheet_state == Version.SheetState.NONE and base_for(version) is not None
    if wants_sheet:
        version.sheet_state = Version.SheetState.WAITING
    version.save()
    if wants_sheet:
        jobs.enqueue("render_sheet", version.pk)


def base_for(version: Version) -> BaseModel | None:
    """An installed base model that can show what this version does: the one it names, else any of its family."""
    installed = BaseModel.objects.filter(family=version.family, is_installed=True).order_by("pk")
    return next((base for base in installed if base.pk == version.base_model_id), installed.first())
