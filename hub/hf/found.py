"""What a name and a revision mean to this door: an embedding at a commit, or a pack at a revision of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from hub.access import Viewer
from hub.catalog import locks, packs, pulls, resolve
from hub.catalog.pack_shapes import Pack
from hub.catalog.shapes import Resolved, TreeFile
from hub.errors import NotFound, Unacceptable
from hub.hf import payloads
from hub.models import Collection, Commit, Embedding, Version
from hub.services.packs import members
from hub.wire.files import Sendable
from hub.wire.hosts import public_url


@dataclass(frozen=True)
class Found:
    """A repository at a revision: its commit id and date, its files, its record."""

    sha: str
    modified: datetime
    title: str
    files: list[TreeFile]
    record: dict[str, Any]


def viewer_of(request: HttpRequest) -> Viewer:
    """Who asks."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    return viewer


def at(request: HttpRequest, owner: str, name: str, revision: str) -> Found:
    """The repository. Raises as `resolve.revision` does, for packs as well."""
    quick = pulls.commit(viewer_of(request), owner=owner, name=name, revision=revision)
    if quick is not None:
        return _found(quick, quick.embedding, quick.version, pulls.tree(quick))
    there = resolved(viewer_of(request), owner, name, revision)
    if isinstance(there, Pack):
        files = locks.tree(members.make_files(viewer_of(request), pack=there), hub=public_url(request))
        title = "Change the pack"
        return Found(there.revision, there.modified, title, files, payloads.pack(there))
    return _found(there.commit, there.embedding, there.version, resolve.tree(there))


def _found(commit: Commit, embedding: Embedding, version: Version | None, files: list[TreeFile]) -> Found:
    record = payloads.repository(embedding, version, sha=commit.sha, modified=commit.created_at)
    return Found(commit.sha, commit.created_at, payloads.title(commit), files, record)


def file(
    request: HttpRequest, owner: str, name: str, revision: str, path: str
) -> tuple[Sendable, str, int | None, bytes | None]:
    """A file, the commit id it is of, the stored file that its pulls count for, and its bytes where not stored.

    Raises as `resolve.file` does; `entry_not_found` says the commit.
    """
    viewer = viewer_of(request)
    quick = pulls.file(viewer, owner=owner, name=name, revision=revision, path=path)
    if quick is not None:
        return quick, quick.commit, quick.file_id, None
    try:
        one = resolve.file(viewer, owner=owner, name=name, revision=revision, path=path)
    except NotFound as error:
        if error.code == "entry_not_found":
            # With the commit the client remembers that this file is not there, and does not ask again.
            there = resolve.revision(viewer, owner=owner, name=name, revision=revision)
            error.detail["commit"] = there.commit.sha
        if error.code != "repo_not_found":
            raise
        held = _of_pack(request, packs.get(viewer, owner=owner, name=name), revision, path)
        return held, held.commit, held.file_id, held.data
    return one, one.commit.sha, one.file_id, None


def _of_pack(request: HttpRequest, collection: Collection, revision: str, path: str) -> locks.PackFile:
    """One file of a pack."""
    viewer = viewer_of(request)
    held = locks.file(viewer, collection=collection, revision=revision, path=path)
    if held is None:
        pack = members.make_files(viewer, pack=packs.at(viewer, collection=collection, revision=revision))
        held = locks.written(pack, path=path, data=locks.lock(pack, hub=public_url(request)))
    return held


def own(viewer: Viewer, owner: str, name: str, *, act: str) -> Embedding:
    """The embedding that a viewer wants to do this act to. Raises as `resolve.own`, and says so where it is a pack."""
    try:
        return resolve.own(viewer, owner=owner, name=name, act=act)
    except NotFound:
        refuse_pack(viewer, owner, name)
        raise


def refuse_pack(viewer: Viewer, owner: str, name: str) -> None:
    """Unacceptable where this is the name of a pack: only its page and the native API change it.

    No conflict, which the client takes for something that is there already, and goes on.
    """
    try:
        pack = packs.own(viewer, owner=owner, name=name)
    except NotFound:
        return
    raise Unacceptable(
        "is_a_pack",
        f"{pack.full_name} is a pack, which holds versions of embeddings and takes no files. Push to the embedding, "
        "then pin its new version on the pack's page; that page renames and deletes the pack, too.",
    )


def resolved(viewer: Viewer, owner: str, name: str, revision: str) -> Resolved | Pack:
    """The embedding's commit or the pack that the revision means."""
    try:
        return resolve.revision(viewer, owner=owner, name=name, revision=revision)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
    return locks.at(viewer, owner=owner, name=name, revision=revision)
