"""The lock file of a pack, its README, and the tree that a pull of the whole pack takes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from django.core.cache import cache

from hub.access import ANONYMOUS, Viewer, allows
from hub.catalog import gates, pack_state, packs
from hub.catalog.downloads import Download
from hub.catalog.pack_shapes import Pack, PackMember
from hub.catalog.shapes import TreeFile
from hub.errors import NotFound
from hub.models import Collection, File

LOCK_NAME: Final = "glossa.lock.json"
LOCK_VERSION: Final = 1
README: Final = "README.md"
README_SECONDS: Final = 24 * 3600


@dataclass(frozen=True)
class PackFile:
    """A file of a pack, ready for `hub.wire.files.send`; `data` holds those that are written when asked for."""

    path: str
    sha256: str
    size: int
    content_type: str
    commit: str
    is_public: bool
    is_immutable: bool
    file_id: int | None = None
    data: bytes | None = None
    gate: gates.Behind | None = None


def lock(pack: Pack, *, hub: str) -> bytes:
    """The lock file, byte for byte the same for the same pack; `hub` is the address that its own begin with.

    The pack has to come from `services.packs.members.make_files`, so that no file is without a digest.
    """
    record = {
        "lock_version": LOCK_VERSION,
        "hub": hub,
        "pack": pack.full_name,
        "created_from": pack.revision,
        "members": [_locked(member, hub) for member in pack.members],
    }
    return (json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def readme(pack: Pack) -> bytes:
    """What the pack is and who is in it, as a page for people."""
    lines = ["---", "tags:", "- textual_inversion", "- glossa-pack", "---", "", f"# {pack.title}", ""]
    if pack.description:
        lines += [pack.description, ""]
    lines += [
        "| word | embedding | version | family | licence | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in pack.members:
        version, note = one.version, one.note.replace("|", "\\|")
        lines.append(
            f"| `{version.trigger}` | {one.full_name} | {version.name} | {version.family} | {version.licence} "
            f"| {note} |"
        )
    return ("\n".join(lines) + "\n").encode()


def tree(pack: Pack, *, hub: str) -> list[TreeFile]:
    """All files of the pack by path: one for each member, the README, the lock file."""
    files = [
        TreeFile(path, hashlib.sha256(data).hexdigest(), len(data), _git_id(data), "", title)
        for path, data, title in (
            (README, readme(pack), "The card"),
            (LOCK_NAME, lock(pack, hub=hub), "The lock file"),
        )
    ]
    files += [_tree_file(member) for member in pack.members]
    return sorted(files, key=lambda file: file.path)


def written(pack: Pack, *, path: str, data: bytes) -> PackFile:
    """A file of the pack that is written when asked for."""
    versions = [one.version.pk for one in pack.members]
    return _written(pack.collection, pack.revision, versions, path, data)


def file(viewer: Viewer, *, collection: Collection, revision: str, path: str) -> PackFile | None:
    """One file of the pack at a revision; None for the lock file, whose members' files may have to be made first.

    NotFound `entry_not_found` for a path that is not there, and as `packs.at`.
    """
    state = pack_state.now(viewer, collection=collection)
    if path == LOCK_NAME:
        return None
    if not state.is_at(revision):
        return _file_of_old(packs.at(viewer, collection=collection, revision=revision), revision, path)
    if path == README:
        data = _kept_readme(viewer, state)
        return _written(collection, state.revision, list(state.versions.values()), path, data)
    version = state.versions.get(path)
    return _stored(collection, state.revision, list(state.versions.values()), path, version, revision)


def _file_of_old(pack: Pack, revision: str, path: str) -> PackFile:
    if path == README:
        return written(pack, path=path, data=readme(pack))
    versions = {one.path: one.version.pk for one in pack.members}
    return _stored(
        pack.collection, pack.revision, list(versions.values()), path, versions.get(path), revision
    )


def _kept_readme(viewer: Viewer, state: pack_state.PackState) -> bytes:
    """The README, written once for each state of the pack and kept by it."""
    name = f"pack-readme:{state.key}"
    kept: bytes | None = cache.get(name)
    if kept is None:
        kept = readme(packs.whole(viewer, collection=state.collection))
        cache.set(name, kept, README_SECONDS)
    return kept


def _written(collection: Collection, revision: str, versions: list[int], path: str, data: bytes) -> PackFile:
    kind = "text/markdown; charset=utf-8" if path == README else "application/json"
    is_public = _is_public(collection, versions)
    digest = hashlib.sha256(data).hexdigest()
    return PackFile(path, digest, len(data), kind, revision, is_public, False, data=data)


def _stored(
    collection: Collection, commit: str, versions: list[int], path: str, version: int | None, asked: str
) -> PackFile:
    if version is None:
        raise NotFound("There is no file of this name.", code="entry_not_found", commit=commit)
    rows = File.objects.select_related("blob", "version__embedding__owner")
    stored = rows.get(version=version, layout="canonical")
    return PackFile(
        path, stored.blob_id, stored.blob.size, "application/octet-stream", commit,
        _is_public(collection, versions), asked == commit, file_id=stored.pk, gate=gates.of(stored.version.embedding),
    )  # fmt: skip


def at(viewer: Viewer, *, owner: str, name: str, revision: str) -> Pack:
    """The pack of that name at that revision. Raises as `packs.get` and `packs.at`."""
    collection = packs.get(viewer, owner=owner, name=name)
    return packs.at(viewer, collection=collection, revision=revision)


def _is_public(collection: Collection, versions: list[int]) -> bool:
    """Whether a stranger gets the same pack."""
    if collection.visibility != Collection.Visibility.PUBLIC or not allows(ANONYMOUS, "see_public"):
        return False
    return packs.all_open(versions)


def _locked(member: PackMember, hub: str) -> dict[str, Any]:
    version = member.version
    owner, name = version.embedding.owner.name, version.embedding.name
    address = f"{hub}/api/hub/v1/embeddings/{owner}/{name}/versions/{version.number}/files"
    return {
        "name": member.full_name,
        "version": version.number,
        "commit": member.commit,
        "trigger": version.trigger,
        "family": version.family,
        "note": member.note,
        "files": [_line(one, address) for one in member.files],
    }


def _line(one: Download, address: str) -> dict[str, Any]:
    return {
        "layout": one.layout,
        "filename": one.path,
        "size": one.size,
        "sha256": one.sha256,
        "url": f"{address}?layout={one.layout}",
    }


def _tree_file(member: PackMember) -> TreeFile:
    one = member.canonical
    return TreeFile(member.path, one.sha256 or "", one.size or 0, one.git_sha1, "canonical", one.title)


def _git_id(data: bytes) -> str:
    """The id that git gives a file of these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
