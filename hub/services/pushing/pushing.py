"""A push of a tool: files in one commit become a version, a card and pictures, all together or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from hub.access import Viewer, can, require
from hub.catalog import resolve
from hub.errors import Conflict, NotFound, Unacceptable
from hub.killpoints import kill_point
from hub.models import Commit, Embedding, Version
from hub.services import audit, texts
from hub.services.embeddings import bases, details
from hub.services.embeddings.details import Change
from hub.services.pushing import pushed_card, pushed_files
from hub.services.pushing.pushed_card import PushedCard
from hub.services.pushing.pushed_files import Added
from hub.services.upkeep import quota
from hub.services.versions import checks, commits, digests, freezing, ingest, previews, publishing

_TRIES = 5
_MESSAGE_MAX = 280


@dataclass(frozen=True)
class Push:
    """What one commit asks for; `parent` is a commit id, or its beginning, that `main` has to be at."""

    added: Sequence[Added] = ()
    deleted: Sequence[str] = ()
    message: str = ""
    notes: str = ""
    parent: str = ""


@dataclass(frozen=True)
class _Parts:
    """The same, read and checked; nothing of it is stored but the bytes of pictures."""

    change: Change
    version: Version | None
    ingested: ingest.IngestedEmbedding | None
    same: Version | None
    pictures: list[previews.Taken]


def push(viewer: Viewer, *, embedding: Embedding, push: Push) -> Commit:
    """The commit that `main` is at afterwards. The same push again changes nothing and gives the same commit.

    Raises NotFound `entry_not_found`, Conflict `stale_parent`, `served_file` or `no_version`, Unacceptable
    `path_not_taken`, `card_unreadable`, `card_incomplete` or `several_embeddings`, and what publishing raises.
    """
    require(viewer, "publish_version", embedding)
    embedding, _ = details.changed(embedding, Change())  # as it is now
    push = replace(push, message=texts.line(push.message[:_MESSAGE_MAX], field="message", most=_MESSAGE_MAX))
    kinds = {one.path: pushed_files.kind_of(one.path) for one in push.added}
    _check_deletions(embedding, push, adds="embedding" in kinds.values())
    of_kind = {kind: [one for one in push.added if kinds[one.path] == kind] for kind in set(kinds.values())}
    card = pushed_card.read(embedding, of_kind["card"][-1].file) if "card" in of_kind else PushedCard()
    parts = _parts(viewer, embedding, card, of_kind, push)
    quota.check(embedding.owner, more=_size(parts))
    if "card" in of_kind:
        _check_may_edit(viewer, embedding, parts.change)
    for _ in range(_TRIES):
        try:
            return _commit(viewer, embedding, parts, push)
        except freezing.Moved:
            embedding.refresh_from_db()
            if parts.version is not None:
                parts.version.pk, parts.version.embedding = None, embedding
    raise Conflict("state_conflict", "This embedding is being changed by somebody else; try again.")


def _size(parts: _Parts) -> int:
    """Bytes of what is new in it, about: the hub's own layouts come on top."""
    of_version = len(parts.ingested.canonical) if parts.ingested and parts.version else 0
    return of_version + sum(len(one.data) for one in parts.pictures)


def _check_deletions(embedding: Embedding, push: Push, *, adds: bool) -> None:
    """What the hub serves is made by the hub: it is replaced by a new version, not deleted."""
    shown = {file.path for file in resolve.files_of(embedding)}
    for path in push.deleted:
        folder = path.rstrip("/")
        if folder not in shown:
            message = f"A file with this name doesn't exist: {path[:100]}"
            raise NotFound(message, code="entry_not_found")
        if not adds:
            raise Conflict(
                "served_file",
                f"{folder} belongs to a published version and cannot be deleted. Push a new embedding file, or "
                "yank or delete the version on its page.",
                field="path",
            )


def _check_may_edit(viewer: Viewer, embedding: Embedding, change: Change) -> None:
    """Before its first version an embedding is described by whoever may make it; afterwards by whoever may edit."""
    if not embedding.last_number or can(viewer, "edit_card", embedding):
        return
    trial, slugs = details.changed(embedding, change)
    now = details.tag_slugs(embedding)
    names = (*change.fields, "said") if change.said is not None else tuple(change.fields)
    if slugs != now or any(getattr(trial, name) != getattr(embedding, name) for name in names):
        require(viewer, "edit_card", embedding)


def _parts(
    viewer: Viewer, embedding: Embedding, card: PushedCard, of_kind: dict[str, list[Added]], push: Push
) -> _Parts:
    """Every file read in the sandbox and checked, and the version that they make."""
    ingested = pushed_files.embedding_of(viewer, of_kind.get("embedding", []))
    version, same = None, None
    if ingested is not None:
        same = _same(embedding, ingested)
        if same is None:
            version = _version(viewer, embedding, card, ingested, push)
    pictures = of_kind.get("picture", [])
    if pictures and version is None and same is None and embedding.head is None:
        raise Conflict(
            "no_version", "A picture shows what a version does: push it with the embedding file, or after it."
        )
    taken = pushed_files.pictures_of(viewer, pictures)
    return _Parts(card.change, version, ingested, same, taken)


def _same(embedding: Embedding, ingested: ingest.IngestedEmbedding) -> Version | None:
    """The version that has these values already: a push of them asks for nothing new."""
    versions = Version.objects.resolvable().filter(embedding=embedding, tensor_digest=ingested.tensor_digest)
    return versions.order_by("-number").first()


def _version(
    viewer: Viewer, embedding: Embedding, card: PushedCard, ingested: ingest.IngestedEmbedding, push: Push
) -> Version:
    """A checked version that is not stored yet. What the card does not say is as in the last version."""
    trial, _ = details.changed(embedding, card.change)
    last = embedding.versions.resolvable().select_related("base_model").order_by("-number").first()
    before = (
        pushed_card.waiting(embedding)
        if last is None
        else PushedCard(licence=last.licence, trigger=last.trigger, base_model=last.base_model)
    )
    licence = card.licence or before.licence
    if not licence or not trial.kind:
        raise Unacceptable(
            "card_incomplete",
            "The hub has to know what this is and under which licence. Put README.md into the same commit, or push it "
            "first, with these lines at its top: “---”, “license: cc-by-4.0”, “kind: style” (or object, subject, "
            "negative), “---”.",
            field="card",
        )
    base = card.base_model or before.base_model
    if last is not None and card.base_model is None and last.family != ingested.facts["family"]:
        base = None
    trigger = card.trigger or before.trigger or str(ingested.facts["trigger"])
    version = publishing.unsaved(
        viewer, trial, ingested, trigger=trigger, licence=licence, base_model=base, notes=push.notes
    )
    checks.publishable(version)
    checks.values_are_new(version)
    return version


def _commit(viewer: Viewer, embedding: Embedding, parts: _Parts, push: Push) -> Commit:
    """Bytes durable first, then one transaction. freezing.Moved when the embedding changed in between."""
    trial, slugs = details.changed(embedding, parts.change)
    version = parts.version
    if version is not None:
        assert parts.ingested is not None
        version.embedding = trial
        tensors = ingest.put(parts.ingested.canonical)
        prepared = freezing.prepare(trial, version, parts.ingested.data, slugs)
        readme = prepared.readme
    else:
        readme = commits.prepare(trial, trial.head, slugs)
    pictures = [(taken, ingest.put(taken.data)) for taken in parts.pictures]
    kill_point("K6")
    with transaction.atomic():
        row, told = details.apply(viewer, embedding, parts.change)
        main = resolve.main_commit(row)
        if version is not None:
            _check_parent(main, push.parent)
            version.embedding, version.base_model = row, bases.keep(version.base_model)
            version.tensors = ingest.row(tensors)
            version.save(force_insert=True)
            digests.remember(version, "", parts.ingested.facts["digests"] if parts.ingested else {})
            freezing.freeze(viewer, version, prepared, message=push.message)
        elif row.head_id != trial.head_id:
            raise freezing.Moved
        elif commits.follow_card(viewer, row, readme, message=push.message or "Change the card"):
            _check_parent(main, push.parent)
        shown = version or parts.same or row.head
        added = [previews.attach(shown, *picture) for picture in pictures if shown is not None]
        commit = _now_at(row, version or parts.same)
        if told or any(added):
            audit.record(viewer, "push", row, changed=told, pictures=sum(added), commit=commit.sha)
        kill_point("K9")
    kill_point("K8")
    return commit


def _now_at(row: Embedding, version: Version | None) -> Commit:
    """The commit to answer: the newest of the version that was pushed, else the one `main` is at."""
    row.refresh_from_db(fields=["head"])
    found = row.commits.filter(version=version).order_by("-sequence").first() if version else None
    commit = found or resolve.main_commit(row) or row.commits.order_by("-sequence").first()
    assert commit is not None  # the first was made with the embedding
    return commit


def _check_parent(main: Commit | None, parent: str) -> None:
    if parent and (main is None or not main.sha.startswith(parent.lower())):
        raise Conflict(
            "stale_parent",
            "“main” has moved since the commit that this one builds on. Look at it, then push again.",
        )
