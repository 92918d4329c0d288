"""The straight way to a file that can be pulled: one query for who may have it, and none for what a commit holds.

A commit's id is made of all that it holds, so what it holds is asked of the database once in a process. Whether this
viewer may have it is asked each time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Final

from django.db.models import F, QuerySet

from hub.access import ANONYMOUS, Viewer, allows, is_open, visible
from hub.catalog.shapes import TreeFile
from hub.errors import NotFound
from hub.formats import LAYOUTS, STORED_LAYOUTS, tools_for
from hub.models import Blob, Commit, File, Version

README: Final = "README.md"
_NUMBER: Final = re.compile(r"v([1-9][0-9]{0,8})")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{40}")
_PULLABLE: Final = (Version.State.PUBLISHED, Version.State.YANKED)
_ASKED: Final = ("sha", "version_id", "readme_id", "embedding__visibility")
_WITH: Final = ("embedding__owner", "version__base_model")
_TOLD: Final = (
    *(
        "sha",
        "created_at",
        "message",
        "readme_id",
        "embedding__public_id",
        "embedding__name",
        "embedding__title",
    ),
    *(
        "embedding__kind",
        "embedding__visibility",
        "embedding__said",
        "embedding__downloads",
        "embedding__likes",
    ),
    *(
        "embedding__created_at",
        "embedding__owner__name",
        "version__number",
        "version__trigger",
        "version__family",
    ),
    *("version__vectors", "version__licence", "version__tensor_digest", "version__base_model__name"),
)
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


def file(viewer: Viewer, *, owner: str, name: str, revision: str, path: str) -> Pulled | None:
    """The file at `main`, a number or a whole commit id. None where `resolve.file` has to look, or to refuse.

    NotFound `entry_not_found`, with the commit, for a path that the commit does not have.
    """
    row = _first(_pullable(viewer), owner, name, revision)
    if row is None:
        return None
    sha, version, readme, visibility = row
    held = held_by(sha, version, readme).get(path)
    if held is None:
        raise NotFound("There is no file of this name.", code="entry_not_found", commit=sha)
    kind = "application/octet-stream" if held.layout else "text/markdown; charset=utf-8"
    return _pulled(path, held, kind, sha, is_public=is_open(visibility), is_immutable=revision == sha)


def stored(viewer: Viewer, *, owner: str, name: str, number: int, layout: str) -> Pulled | None:
    """The file of a version in a layout that is stored with it. None where somebody has to look, make or refuse."""
    row = _first(_pullable(viewer), owner, name, f"v{number}") if layout in STORED_LAYOUTS else None
    if row is None:
        return None
    sha, version, readme, visibility = row
    for path, held in held_by(sha, version, readme).items():
        if held.layout == layout:
            return _pulled(path, held, LAYOUTS[layout].content_type, sha, is_public=is_open(visibility))
    return None


def _pulled(
    path: str, held: Held, content_type: str, commit: str, *, is_public: bool, is_immutable: bool = False
) -> Pulled:
    return Pulled(
        path=path,
        sha256=held.sha256,
        size=held.size,
        content_type=content_type,
        commit=commit,
        file_id=held.file_id,
        is_public=is_public,
        is_immutable=is_immutable,
    )


def commit(viewer: Viewer, *, owner: str, name: str, revision: str) -> Commit | None:
    """The commit at `main`, a number or a whole commit id, with its version and embedding as a record tells them.

    None where `resolve.revision` has to look, or to refuse.
    """
    row: Commit | None = _first(_told(viewer), owner, name, revision)
    return row


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


def _first(rows: QuerySet[Commit, Any], owner: str, name: str, revision: str) -> Any:
    """The row of these that the revision means, in one query; None where there is none."""
    which = _which(revision)
    if which is None:
        return None
    question, order = which
    named = rows.filter(embedding__owner__name=owner.lower(), embedding__name=name.lower(), **question)
    return next(iter(named.order_by(order)[:1]), None)


def _which(revision: str) -> tuple[dict[str, Any], str] | None:
    """The commit that a revision means, and the order in which it comes first."""
    if revision == "main":
        return {"version": F("embedding__head")}, "-sequence"
    number = _NUMBER.fullmatch(revision)
    if number:
        return {"version__number": int(number[1])}, "sequence"
    return ({"sha": revision}, "sequence") if _WHOLE_ID.fullmatch(revision) else None


def _pullable(viewer: Viewer) -> QuerySet[Commit, Any]:
    """The commits of versions that this viewer may pull, as `file` asks of them."""
    if viewer == ANONYMOUS and allows(viewer, "see_public"):
        return _open_to_all()
    return _rows(viewer).values_list(*_ASKED)


def _told(viewer: Viewer) -> QuerySet[Commit]:
    """The same, as `commit` asks."""
    if viewer == ANONYMOUS and allows(viewer, "see_public"):
        return _told_to_all()
    return _rows(viewer).select_related(*_WITH).only(*_TOLD)


def _rows(viewer: Viewer) -> QuerySet[Commit]:
    return visible(Commit.objects.filter(version__state__in=_PULLABLE), viewer)


# Both for strangers. Put together once, as they depend on nothing; each filter of them is a question of its own.


@cache
def _open_to_all() -> QuerySet[Commit, Any]:
    return visible(Commit.objects.all(), ANONYMOUS).values_list(*_ASKED)


@cache
def _told_to_all() -> QuerySet[Commit]:
    return visible(Commit.objects.all(), ANONYMOUS).select_related(*_WITH).only(*_TOLD)
