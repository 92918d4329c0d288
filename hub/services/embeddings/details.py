"""The named thing itself: making an embedding, and changing what its owner says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction

from hub.access import Viewer, require
from hub.errors import NotFound, Unacceptable
from hub.killpoints import kill_point
from hub.models import Embedding, Owner, Tag
from hub.models.registry import Gate, Kind, Visibility
from hub.services import audit, indexing, texts
from hub.services.embeddings import names
from hub.services.moderation import lookalikes
from hub.services.versions import commits


def check_name_free(
    viewer: Viewer, *, name: str, owner: Owner | None = None, reuse_unpublished: bool = False
) -> None:
    """Nothing when the viewer could make an embedding of this name, their own or the owner's; stores nothing.

    Raises Unacceptable (N1), Conflict `name_taken` or `name_too_similar`. With `reuse_unpublished` a name of an
    embedding that has no version yet counts as free.
    """
    owner = names.owner_for(viewer, "create_embedding", owner)
    unpublished = Embedding.objects.alive().filter(owner=owner, name=name, last_number=0)
    if not (reuse_unpublished and unpublished.exists()):
        names.check_embedding_name(owner, name)


def create_embedding(
    viewer: Viewer,
    *,
    name: str,
    title: str,
    owner: Owner | None = None,
    kind: str = "",
    summary: str = "",
    card: str = "",
    tags: Iterable[str] = (),
    visibility: str = "public",
) -> Embedding:
    """An embedding without a version, which strangers do not see until one is published.

    It stands under the viewer's own name, or under that of an `owner` they may write for. What kind it
    is may stay open until then.

    Raises Unacceptable with the field, Conflict `name_taken` or `name_too_similar`.
    """
    embedding, slugs = unsaved(
        viewer,
        name=name,
        title=title,
        owner=owner,
        kind=kind,
        summary=summary,
        card=card,
        tags=tags,
        visibility=visibility,
    )
    readme = commits.prepare(embedding, None, slugs)
    with transaction.atomic():
        save_new(viewer, embedding, slugs)
        commits.add(viewer, embedding, None, readme, message="Create the embedding")
    return embedding


def unsaved(
    viewer: Viewer,
    *,
    name: str,
    title: str,
    owner: Owner | None = None,
    kind: str = "",
    summary: str = "",
    card: str = "",
    tags: Iterable[str] = (),
    visibility: str = "public",
) -> tuple[Embedding, list[str]]:
    """A checked embedding that is not stored yet, and its tags as slugs. Raises as create_embedding."""
    owner = names.owner_for(viewer, "create_embedding", owner)
    names.check_embedding_name(owner, name)
    embedding = Embedding(owner=owner, name=name, look_alike=names.look_alike(name), created_by=viewer.user)
    said = {"kind": kind} if kind else {}
    _apply(embedding, title=title, summary=summary, card=card, visibility=visibility, **said)
    return embedding, texts.tag_slugs(tags)


def save_new(viewer: Viewer, embedding: Embedding, slugs: list[str]) -> None:
    """Store a new embedding in the caller's transaction. Conflict when its name was taken meanwhile."""
    names.hold(embedding.owner)
    names.check_embedding_name(embedding.owner, embedding.name)
    try:
        with transaction.atomic():
            embedding.save(force_insert=True)
    except IntegrityError:
        embedding.pk = None
        names.check_embedding_name(embedding.owner, embedding.name)
        raise
    _set_tags(embedding, slugs)
    lookalikes.name_like_a_known_one(embedding)
    indexing.refresh(embedding)
    audit.record(viewer, "create_embedding", embedding, visibility=embedding.visibility)


@dataclass(frozen=True)
class Change:
    """What shall be different: fields by name, all tags or None, the front matter of a pushed card or None."""

    fields: Mapping[str, str] = field(default_factory=dict)
    slugs: list[str] | None = None
    said: dict[str, Any] | None = None


def update_details(
    viewer: Viewer,
    *,
    embedding: Embedding,
    title: str | None = None,
    summary: str | None = None,
    card: str | None = None,
    tags: Iterable[str] | None = None,
    visibility: str | None = None,
    kind: str | None = None,
) -> Embedding:
    """Change what is given; a changed card is a new commit of the same version, to which `main` moves.

    Raises Unacceptable with the field; NotFound, Forbidden or Unauthenticated as the table of acts says.
    """
    require(viewer, "edit_card", embedding)
    if visibility is not None and visibility != embedding.visibility:
        require(viewer, "change_visibility", embedding)
    given = {"title": title, "summary": summary, "card": card, "visibility": visibility, "kind": kind}
    change = Change(
        {name: value for name, value in given.items() if value is not None},
        texts.tag_slugs(tags) if tags is not None else None,
    )
    trial, slugs = changed(embedding, change)
    readme = commits.prepare(trial, trial.head, slugs)
    with transaction.atomic():
        row, told = apply(viewer, embedding, change)
        if row.head_id != trial.head_id:
            readme = commits.prepare(row, row.head, tag_slugs(row))
        commit = commits.follow_card(viewer, row, readme, message="Change the card")
        audit.record(viewer, "update_details", row, changed=told, commit=commit.sha if commit else None)
        kill_point("K9")
    return row


def changed(embedding: Embedding, change: Change) -> tuple[Embedding, list[str]]:
    """The embedding as it would be, with its tags; stores nothing. Raises Unacceptable with the field."""
    trial = _fresh(embedding)
    _set_fields(trial, change)
    return trial, change.slugs if change.slugs is not None else tag_slugs(trial)


def apply(viewer: Viewer, embedding: Embedding, change: Change) -> tuple[Embedding, list[str]]:
    """Store a change in the caller's transaction, which adds the commit; the locked row, and which fields changed."""
    row = held(embedding)
    before = {name: getattr(row, name) for name in (*change.fields, "said")}
    _set_fields(row, change)
    told = _told(before, row)
    if told:
        row.save()
    if "visibility" in told:
        lookalikes.name_like_a_known_one(row)
    if change.slugs is not None and change.slugs != tag_slugs(row):
        _set_tags(row, change.slugs)
        told.append("tags")
    if told:
        indexing.refresh(row)
    return row, told


def _set_fields(row: Embedding, change: Change) -> None:
    _apply(row, **change.fields)
    if change.said is not None and change.said != (row.said or {}):
        row.said = change.said


def tag_slugs(embedding: Embedding) -> list[str]:
    """The tags of a stored embedding, in order."""
    return sorted(embedding.tags.values_list("slug", flat=True))


def _apply(embedding: Embedding, **changes: str) -> None:
    """Set the given fields to their cleaned values."""
    if "title" in changes:
        embedding.title = texts.line(changes["title"], field="title", most=texts.TITLE_MAX, required=True)
    if "summary" in changes:
        embedding.summary = texts.line(changes["summary"], field="summary", most=texts.SUMMARY_MAX)
    if "card" in changes:
        embedding.card = texts.prose(changes["card"], field="card", most=texts.CARD_MAX_BYTES)
    if "kind" in changes:
        embedding.kind = _choice(Kind, changes["kind"], "kind")
    if "gate" in changes:
        embedding.gate = _choice(Gate, changes["gate"], "gate")
    if "gate_terms" in changes:
        embedding.gate_terms = texts.prose(changes["gate_terms"], field="terms", most=texts.TERMS_MAX_BYTES)
    if "visibility" in changes:
        embedding.visibility = _choice(Visibility, changes["visibility"], "visibility")


def _choice(choices: type[Kind] | type[Visibility] | type[Gate], value: str, field: str) -> str:
    if value not in choices.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(choices.values)}.", field=field)
    return value


def held(embedding: Embedding) -> Embedding:
    """The stored row, held to the end of the caller's transaction. NotFound when it was deleted."""
    return _fresh(embedding, lock=True)


def _fresh(embedding: Embedding, *, lock: bool = False) -> Embedding:
    """The stored row as it is now. NotFound when it was deleted."""
    rows = Embedding.objects.alive().select_related("owner", "head__base_model")
    if lock:
        rows = rows.select_for_update(of=("self",))
    row = rows.filter(pk=embedding.pk).first()
    if row is None:
        raise NotFound()
    return row


def _set_tags(embedding: Embedding, slugs: list[str]) -> None:
    Tag.objects.bulk_create([Tag(slug=slug) for slug in slugs], ignore_conflicts=True)
    embedding.tags.set(Tag.objects.filter(slug__in=slugs))


def _told(before: dict[str, Any], row: Embedding) -> list[str]:
    return [field for field, value in before.items() if getattr(row, field) != value]
