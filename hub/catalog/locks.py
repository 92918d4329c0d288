"""The lock file of a pack, its README, and the tree that a pull of the whole pack takes."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Final

from hub.access import ANONYMOUS, Viewer, allows
from hub.catalog import packs
from hub.catalog.downloads import Download
from hub.catalog.pack_shapes import Pack, PackMember
from hub.catalog.shapes import TreeFile
from hub.errors import NotFound
from hub.models import Collection, File

LOCK_NAME: Final = "glossa.lock.json"
LOCK_VERSION: Final = 1
README: Final = "README.md"


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


def lock(pack: Pack, *, hub: str) -> bytes:
    """The lock file, byte for byte the same for the same pack; `hub` is the address that its own begin with.

    The pack has to come from `services.members.make_files`, so that no file is without a digest.
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


def file(pack: Pack, *, path: str, hub: str, is_immutable: bool) -> PackFile:
    """One file of the pack. NotFound `entry_not_found` for a path that is not there."""
    is_public = pack.collection.visibility == Collection.Visibility.PUBLIC and _all_see(pack)
    data = readme(pack) if path == README else lock(pack, hub=hub) if path == LOCK_NAME else None
    if data is not None:
        kind = "text/markdown; charset=utf-8" if path == README else "application/json"
        digest = hashlib.sha256(data).hexdigest()
        return PackFile(path, digest, len(data), kind, pack.revision, is_public, False, data=data)
    member = next((one for one in pack.members if one.path == path), None)
    if member is None:
        raise NotFound("There is no file of this name.", code="entry_not_found", commit=pack.revision)
    stored = File.objects.select_related("blob").get(version=member.version, layout="canonical")
    return PackFile(
        path, stored.blob_id, stored.blob.size, "application/octet-stream", pack.revision, is_public,
        is_immutable, file_id=stored.pk,
    )  # fmt: skip


def at(viewer: Viewer, *, owner: str, name: str, revision: str) -> Pack:
    """The pack of that name at that revision. Raises as `packs.get` and `packs.at`."""
    collection = packs.get(viewer, owner=owner, name=name)
    return packs.at(viewer, collection=collection, revision=revision)


def _all_see(pack: Pack) -> bool:
    """Whether a stranger gets the same pack."""
    if not allows(ANONYMOUS, "see_public"):
        return False
    return packs.all_open([one.version.pk for one in pack.members])


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
