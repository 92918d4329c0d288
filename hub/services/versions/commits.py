"""Commit ids: what an embedding's whole tree was at one moment, by one name that never changes its meaning."""

import hashlib
import uuid
from collections.abc import Mapping, Sequence

from hub.access import Viewer
from hub.models import Commit, Embedding, Version
from hub.services.versions import cards, ingest
from hub.services.versions.files import README


def commit_id(public_id: uuid.UUID, *, parent: str, number: int | None, tree: Mapping[str, str]) -> str:
    """The first 40 hex digits of a SHA-256 over all that a commit is; `tree` maps path to SHA-256."""
    lines = [str(public_id), parent, str(number or ""), *(f"{path}\0{tree[path]}" for path in sorted(tree))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:40]


def prepare(embedding: Embedding, version: Version | None, tags: Sequence[str]) -> ingest.Stored:
    """Make the card of a commit durable, before the transaction of the commit."""
    return ingest.put(cards.readme(embedding, version, tags))


def add(
    viewer: Viewer, embedding: Embedding, version: Version | None, readme: ingest.Stored, *, message: str
) -> Commit:
    """A new commit after the latest, in the caller's transaction, which holds the embedding's lock."""
    latest = Commit.objects.filter(embedding=embedding).order_by("-sequence").first()
    parent = latest.sha if latest else ""
    tree = {README: readme.sha256}
    if version is not None:
        tree |= dict(version.files.values_list("path", "blob_id"))
    return Commit.objects.create(
        embedding=embedding,
        version=version,
        sequence=latest.sequence + 1 if latest else 1,
        sha=commit_id(
            embedding.public_id, parent=parent, number=version.number if version else None, tree=tree
        ),
        parent=parent,
        readme=ingest.row(readme),
        message=message[:280],
        created_by=viewer.user,
    )


def follow_card(
    viewer: Viewer, embedding: Embedding, readme: ingest.Stored, *, message: str
) -> Commit | None:
    """A commit of the head with this card, unless `main` already shows it."""
    shown = Commit.objects.filter(embedding=embedding, version=embedding.head).order_by("-sequence").first()
    if shown is not None and shown.readme_id == readme.sha256:
        return None
    return add(viewer, embedding, embedding.head, readme, message=message)
