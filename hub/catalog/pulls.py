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
from hub.errors import NotFound
from hub.models import Blob, Commit, File, Version

README: Final = "README.md"
_NUMBER: Final = re.compile(r"v([1-9][0-9]{0,8})")
_WHOLE_ID: Final = re.compile(r"[0-9a-f]{40}")
_PULLABLE: Final = (Version.State.PUBLISHED, Version.State.YANKED)
_ASKED: Final = ("sha", "version_id", "readme_id", "embedding__visibility")
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
    which = _which(revision)
    if which is None:
        return None
    question, order = which
    rows = _pullable(viewer).filter(
        embedding__owner__name=owner.lower(), embedding__name=name.lower(), **question
    )
    for sha, version, readme, visibility in rows.order_by(order)[:1]:
        held = held_by(sha, version, readme).get(path)
        if held is None:
            raise NotFound("There is no file of this name.", code="entry_not_found", commit=sha)
        return Pulled(
            path=path,
            sha256=held.sha256,
            size=held.size,
            content_type="application/octet-stream" if held.layout else "text/markdown; charset=utf-8",
            commit=sha,
            file_id=held.file_id,
            is_public=is_open(visibility),
            is_immutable=revision == sha,
        )
    return None


@lru_cache(_REMEMBERED)
def held_by(sha: str, version: int, readme: str | None) -> Mapping[str, Held]:
    """The files of a commit by their paths, README.md among them."""
    found = {}
    for row in File.objects.filter(version=version).select_related("blob"):
        found[row.path] = Held(row.blob_id, row.blob.size, row.blob.git_sha1, row.layout, row.pk)
    for card in Blob.objects.filter(pk=readme):
        found[README] = Held(card.sha256, card.size, card.git_sha1, "", None)
    return found


def _which(revision: str) -> tuple[dict[str, Any], str] | None:
    """The commit that a revision means, and the order in which it comes first."""
    if revision == "main":
        return {"version": F("embedding__head")}, "-sequence"
    number = _NUMBER.fullmatch(revision)
    if number:
        return {"version__number": int(number[1])}, "sequence"
    return ({"sha": revision}, "sequence") if _WHOLE_ID.fullmatch(revision) else None


def _pullable(viewer: Viewer) -> QuerySet[Commit, Any]:
    """The commits of versions that this viewer may pull."""
    if viewer == ANONYMOUS and allows(viewer, "see_public"):
        return _open_to_all()
    rows = visible(Commit.objects.filter(version__state__in=_PULLABLE), viewer)
    return rows.values_list(*_ASKED)


@cache
def _open_to_all() -> QuerySet[Commit, Any]:
    """The same for strangers. Put together once, as it depends on nothing; a filter of it is a question of its own."""
    return visible(Commit.objects.all(), ANONYMOUS).values_list(*_ASKED)
