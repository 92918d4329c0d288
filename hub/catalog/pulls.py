"""The straight way to a file that can be pulled: one query for who may have it, and none for what a commit holds.

A commit's id is made of all that it holds, so what it holds is asked of the database once in a process. Whether this
viewer may have it is asked each time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.db.models import F, QuerySet

from hub.access import ANONYMOUS, Viewer, is_open, visible
from hub.catalog.gates import Behind
from hub.catalog.shapes import TreeFile
from hub.catalog.stamps import NAME, NUMBER, OWNER, is_stranger, stamped
from hub.catalog.standing import Row, Standing
from hub.errors import NotFound
from hub.formats import LAYOUTS, STORED_LAYOUTS, tools_for
from hub.models import Blob, Commit, File, Version
from hub.models.registry import Gate

README: Final = "README.md"
_NUMBER: Final = re.compile(r"v([1-9][0-9]{0,8})")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{40}")
_PULLABLE: Final = (Version.State.PUBLISHED, Version.State.YANKED)
_ASKED: Final = (
    "sha", "version_id", "readme_id", "embedding__visibility", "embedding__gate", "embedding_id", "embedding__owner_id",
)  # fmt: skip
_WITH: Final = ("embedding__owner", "version__base_model")
_TOLD: Final = (
    "sha", "created_at", "message", "readme_id",
    "embedding__public_id", "embedding__name", "embedding__title", "embedding__kind", "embedding__visibility",
    "embedding__gate",
    "embedding__said", "embedding__downloads", "embedding__likes", "embedding__created_at", "embedding__owner__name",
    "version__number", "version__trigger", "version__family", "version__vectors", "version__licence",
    "version__tensor_digest", "version__base_model__name",
)  # fmt: skip
# Commits whose files a process remembers: some kilobytes for each.
_REMEMBERED: Final = 4096


@dataclass(frozen=True)
class Held:
    """A file of a commit. `file_id` is None for the card, whose pulls are not counted."""

    sha256: str
    size: int
    git_sha1: str
    layout: str
    file_id: int | None


@dataclass(frozen=True)
class Pulled:
    """A file that this viewer may pull, ready for `hub.wire.files.send`; `commit` is the id of its commit."""

    path: str
    sha256: str
    size: int
    content_type: str
    commit: str
    file_id: int | None
    is_public: bool
    is_immutable: bool
    gate: Behind | None = None


def file(viewer: Viewer, *, owner: str, name: str, revision: str, path: str) -> Pulled | None:
    """The file at `main`, a number or a whole commit id. None where `resolve.file` has to look, or to refuse.

    NotFound `entry_not_found`, with the commit, for a path that the commit does not have.
    """
    row = _asked(viewer, owner, name, revision)
    if row is None:
        return None
    sha, version, readme = row[:3]
    held = held_by(sha, version, readme).get(path)
    if held is None:
        raise NotFound("There is no file of this name.", code="entry_not_found", commit=sha)
    kind = "application/octet-stream" if held.layout else "text/markdown; charset=utf-8"
    return _pulled(row, f"{owner}/{name}", path, held, kind, is_immutable=revision == sha)


def stored(viewer: Viewer, *, owner: str, name: str, number: int, layout: str) -> Pulled | None:
    """The file of a version in a layout that is stored with it. None where somebody has to look, make or refuse."""
    row = _asked(viewer, owner, name, f"v{number}") if layout in STORED_LAYOUTS else None
    if row is None:
        return None
    for path, held in held_by(*row[:3]).items():
        if held.layout == layout:
            return _pulled(row, f"{owner}/{name}", path, held, LAYOUTS[layout].content_type)
    return None


def _pulled(
    row: Row, full_name: str, path: str, held: Held, content_type: str, *, is_immutable: bool = False
) -> Pulled:
    """A file of what `_asked` has found; the card stands behind no gate."""
    commit, _, _, visibility, gate, embedding, owner = row[: len(_ASKED)]
    is_behind = gate != Gate.OFF and bool(held.layout)
    return Pulled(
        path=path,
        sha256=held.sha256,
        size=held.size,
        content_type=content_type,
        commit=commit,
        file_id=held.file_id,
        is_public=is_open(visibility),
        is_immutable=is_immutable,
        gate=Behind(embedding, owner, full_name.lower(), gate) if is_behind else None,
    )


def commit(viewer: Viewer, *, owner: str, name: str, revision: str) -> Commit | None:
    """The commit at `main`, a number or a whole commit id, with its version and embedding as a record tells them.

    None where `resolve.revision` has to look, or to refuse.
    """
    which = _which(revision)
    if which is None:
        return None
    rows = _rows(viewer).select_related(*_WITH).only(*_TOLD)
    return _of(rows, owner.lower(), name.lower(), *which).first()


def stamp(viewer: Viewer, *, owner: str, name: str, revision: str = "main", **rest: object) -> Row | None:
    """Of what doors tell of a commit, as `hub.catalog.stamps` says it; `rest` is what else an address may hold."""
    return _asked(viewer, owner, name, revision) if is_stranger(viewer) else None


def tree(of: Commit) -> list[TreeFile]:
    """All files of a commit of a version by path, README.md included."""
    assert of.version is not None
    family = of.version.family
    return [
        TreeFile(path, one.sha256, one.size, one.git_sha1, one.layout, _title(one.layout, family))
        for path, one in sorted(held_by(of.sha, of.version.pk, of.readme_id).items())
    ]


def _title(layout: str, family: str) -> str:
    return ", ".join(tools_for(layout, family)) or layout if layout else "The card"


@lru_cache(_REMEMBERED)
def held_by(sha: str, version: int, readme: str | None) -> Mapping[str, Held]:
    """The files of a commit by their paths, README.md among them."""
    found = {}
    for row in File.objects.filter(version=version).select_related("blob"):
        found[row.path] = Held(row.blob_id, row.blob.size, row.blob.git_sha1, row.layout, row.pk)
    for card in Blob.objects.filter(pk=readme):
        found[README] = Held(card.sha256, card.size, card.git_sha1, "", None)
    return found


def _asked(viewer: Viewer, owner: str, name: str, revision: str) -> Row | None:
    """What `file` asks of the commit that the revision means; for strangers its stamp as well. None without one."""
    which = _which(revision)
    if which is None:
        return None
    owner, name = owner.lower(), name.lower()
    if is_stranger(viewer):
        return _OPEN[which[0]].ask(owner, name, *which[1:])
    row: Row | None = _of(_rows(viewer), owner, name, *which).values_list(*_ASKED).first()
    return row


def _which(revision: str) -> tuple[str] | tuple[str, int | str] | None:
    """The column by which a revision names a commit, with its value; none for the commit of the head."""
    if revision == "main":
        return ("",)
    number = _NUMBER.fullmatch(revision)
    if number:
        return "version__number", int(number[1])
    return ("sha", revision) if _WHOLE_ID.fullmatch(revision) else None


def _of(
    rows: QuerySet[Commit], owner: str, name: str, column: str, value: int | str | None = None
) -> QuerySet[Commit]:
    """Those of these that the column names, in the order in which they come first."""
    question = {column: value} if column else {"version": F("embedding__head")}
    named = rows.filter(embedding__owner__name=owner, embedding__name=name, **question)
    return named.order_by("sequence" if column else "-sequence")


def _rows(viewer: Viewer) -> QuerySet[Commit]:
    """The commits of versions that this viewer may pull."""
    return visible(Commit.objects.filter(version__state__in=_PULLABLE), viewer)


def _standing(column: str, *value: int | str) -> Standing:
    return Standing(
        lambda owner, name, *value: stamped(_of(_rows(ANONYMOUS), owner, name, column, *value), *_ASKED),
        *(OWNER, NAME, *value),
    )


# What strangers ask, by each way to name a commit.
_OPEN: Final = {
    "": _standing(""),
    "version__number": _standing("version__number", NUMBER),
    "sha": _standing("sha", "0" * 40),
}
