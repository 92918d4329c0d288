"""Records of this door, as plain data: repositories, tree entries, refs, commits, people."""

from collections.abc import Iterable, Sequence
from typing import Any

from hub.access import Viewer
from hub.catalog import teams
from hub.catalog.pack_shapes import Pack
from hub.catalog.repositories import Kept
from hub.catalog.shapes import TreeFile
from hub.hf.naming import timestamp
from hub.models import Commit, Embedding, Like, Membership, Role, Version
from hub.models.registry import Visibility
from hub.services.versions import cards

_ROLES = {Role.READER: "read", Role.WRITER: "write", Role.ADMIN: "admin"}
# The size of the text file that git keeps in place of a large file.
POINTER_SIZE = 130


def card_data(embedding: Embedding, version: Version | None) -> dict[str, Any]:
    """The front matter of the card; made from facts, so there is nothing in it that a client trips over."""
    return cards.metadata(embedding, version, [tag.slug for tag in embedding.tags.all()])


def tag_list(card: dict[str, Any]) -> list[str]:
    """Tags as clients filter by them: the card's own, and those its other fields stand for."""
    tags = [*card["tags"], card["library_name"], card["pipeline_tag"]]
    if card.get("license"):
        tags.append(f"license:{card['license']}")
    if card.get("base_model"):
        tags += [
            f"base_model:{card['base_model']}",
            f"base_model:{card['base_model_relation']}:{card['base_model']}",
        ]
    return list(dict.fromkeys(tags))


def repository(
    embedding: Embedding, version: Version | None, *, sha: str | None, modified: Any, with_card: bool = True
) -> dict[str, Any]:
    """The record of a repository at one commit."""
    card = card_data(embedding, version)
    record = {
        "_id": embedding.public_id.hex[:24],
        "id": embedding.full_name,
        "modelId": embedding.full_name,
        "author": embedding.owner.name,
        "sha": sha,
        "private": embedding.visibility == Visibility.PRIVATE,
        "gated": gated(embedding),
        "disabled": False,
        "downloads": embedding.downloads,
        "likes": embedding.likes,
        "createdAt": timestamp(embedding.created_at),
        "lastModified": timestamp(modified or embedding.created_at),
        "tags": tag_list(card),
        "library_name": card["library_name"],
        "pipeline_tag": card["pipeline_tag"],
    }
    if with_card:
        record["cardData"] = card
    return record


def gated(embedding: Embedding) -> str | bool:
    """The mode of its gate; false for none."""
    return embedding.gate if embedding.is_gated else False


def pack(found: Pack) -> dict[str, Any]:
    """The record of a pack: a repository whose files are those of its members."""
    row = found.collection
    return {
        "_id": f"{row.pk:024x}",
        "id": row.full_name,
        "modelId": row.full_name,
        "author": row.owner.name,
        "sha": found.revision,
        "private": row.visibility == row.Visibility.PRIVATE,
        "gated": False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "createdAt": timestamp(row.created_at),
        "lastModified": timestamp(found.modified),
        "tags": ["textual_inversion", "glossa-pack"],
        "cardData": {"tags": ["textual_inversion", "glossa-pack"]},
    }


def siblings(files: Iterable[TreeFile], *, with_blobs: bool) -> list[dict[str, Any]]:
    """The files of a repository's record."""
    return [
        {"rfilename": file.path, **({"blobId": file.git_sha1, "size": file.size} if with_blobs else {})}
        | ({"lfs": {**_lfs(file), "sha256": file.sha256}} if with_blobs and _is_large(file) else {})
        for file in files
    ]


def entry(file: TreeFile, last: dict[str, Any] | None = None) -> dict[str, Any]:
    """A file in a tree; `last` is its commit, where the client asked for it."""
    record: dict[str, Any] = {"type": "file", "oid": file.git_sha1, "size": file.size, "path": file.path}
    if _is_large(file):
        record["lfs"] = {**_lfs(file), "oid": file.sha256}
    if last is not None:
        record["lastCommit"] = last
    return record


def _is_large(file: TreeFile) -> bool:
    """Tensors are shown as large files, so that clients learn their SHA-256 and can check it."""
    return file.path.endswith(".safetensors")


def _lfs(file: TreeFile) -> dict[str, Any]:
    return {"size": file.size, "pointerSize": POINTER_SIZE}


def refs(head: str | None, published: Sequence[Commit], *, with_pulls: bool) -> dict[str, Any]:
    """One branch, and a tag for each version's number and label."""
    tags = []
    for commit in published:
        assert commit.version is not None
        names = [commit.version.name, *([commit.version.label] if commit.version.label else [])]
        tags += [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": commit.sha} for name in names]
    main = {"name": "main", "ref": "refs/heads/main", "targetCommit": head}
    record: dict[str, Any] = {"branches": [main] if head else [], "converts": [], "tags": tags}
    return record | ({"pullRequests": []} if with_pulls else {})


def commit(commit: Commit) -> dict[str, Any]:
    """A line of the history."""
    authors = [{"user": commit.created_by.username}] if commit.created_by else []
    return {
        "id": commit.sha,
        "title": title(commit),
        "message": "",
        "date": timestamp(commit.created_at),
        "authors": authors,
    }


def pack_commit(found: Pack) -> dict[str, Any]:
    """The one line of a pack's history: what it is now."""
    date = timestamp(found.modified)
    return {"id": found.revision, "title": "Change the pack", "message": "", "date": date, "authors": []}


def title(commit: Commit) -> str:
    """First line of a commit's message."""
    if commit.message:
        return commit.message.splitlines()[0]
    return f"Publish {commit.version.name}" if commit.version else "Save the card"


def like(row: Like) -> dict[str, Any]:
    """A line of what somebody likes."""
    return {
        "createdAt": timestamp(row.created_at),
        "repo": {"name": row.embedding.full_name, "type": "model"},
    }


def stored(row: Kept) -> dict[str, Any]:
    """A line of what somebody keeps here."""
    is_private = row.embedding.visibility == Visibility.PRIVATE
    return {
        "id": row.embedding.full_name,
        "type": "model",
        "visibility": "private" if is_private else "public",
        "updatedAt": timestamp(row.modified or row.embedding.created_at),
        "storage": row.size,
    }


def _organisation(row: Membership) -> dict[str, Any]:
    """A team as clients know organisations."""
    return {
        "type": "org",
        "id": f"u{row.team_id}",
        "name": row.team.owner.name,
        "fullname": row.team.title,
        "email": None,
        "canPay": False,
        "periodEnd": None,
        "avatarUrl": "",
        "roleInOrg": _ROLES[Role(row.role)],
        "isEnterprise": False,
    }


def whoami(viewer: Viewer) -> dict[str, Any]:
    """The person behind the request; a session is shown as a token that may write."""
    assert viewer.user is not None
    user, token = viewer.user, viewer.token
    shown = {
        "displayName": token.name if token else "session",
        "role": "write" if viewer.has_scope("publish") else "read",
    }
    return {
        "type": "user",
        "id": f"u{user.owner_id}",
        "name": user.username,
        "fullname": user.get_full_name() or user.username,
        "email": None,
        "isPro": False,
        "orgs": [_organisation(row) for row in teams.memberships(viewer)],
        "auth": {"type": "access_token", "accessToken": shown},
    }
