"""The pictures of all that is offered, newest first, each with the version that it shows."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from hub.access import Viewer
from hub.catalog import cursors, shelves, whole
from hub.models import Preview


@dataclass(frozen=True)
class Question:
    """Which pictures. One that names a picture, a version or an embedding also finds what is in no list."""

    picture: int | None = None
    version: int | None = None
    embedding: int | None = None
    owner: str = ""
    owner_number: int | None = None
    tags: Collection[int] = ()
    bases: Q | None = None
    since: datetime | None = None
    with_prompt: bool = False
    newest_first: bool = True
    cursor: str = ""
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True)
class Shown:
    """A picture; its version, with embedding and owner, is loaded. `is_open`: anybody may see it."""

    preview: Preview
    is_open: bool


def pictures(viewer: Viewer, *, question: Question) -> tuple[list[Shown], str | None]:
    """A page of pictures, and the cursor of the next one. Invalid for a cursor that is none of this list's."""
    rows = _matching(viewer, question)
    start = question.skip
    if question.cursor:
        if not question.cursor.isdecimal() or len(question.cursor) > 18:
            raise cursors.foreign()
        way, start = ("lt" if question.newest_first else "gt"), 0
        rows = rows.filter(**{f"pk__{way}": int(question.cursor)})
    rows = rows.select_related("version__embedding__owner", "version__base_model")
    ordered = rows.order_by("-pk" if question.newest_first else "pk")
    found = list(ordered[start : start + question.limit + 1])
    shown = found[: question.limit]
    everybody = whole.open_among({row.version_id for row in shown})
    more = bool(shown) and len(found) > question.limit
    return [Shown(row, row.version_id in everybody) for row in shown], str(shown[-1].pk) if more else None


def _matching(viewer: Viewer, question: Question) -> QuerySet[Preview]:
    versions = whole.pullable(viewer)
    if question.version is not None:
        versions = versions.filter(pk=question.version)
    if question.embedding is not None:
        versions = versions.filter(embedding=question.embedding)
    if question.version is question.embedding is question.picture is None:
        versions = versions.published().filter(embedding__in=shelves.offered(viewer).values("pk"))
    if question.owner:
        versions = versions.filter(embedding__owner__name=question.owner.lower())
    if question.owner_number is not None:
        versions = versions.filter(embedding__owner=question.owner_number)
    for tag in question.tags:
        versions = versions.filter(embedding__tags=tag)
    if question.bases is not None:
        versions = versions.filter(question.bases)
    if question.since is not None:
        versions = versions.filter(published_at__gte=question.since)
    rows = Preview.objects.filter(whole.SHOWING, version__in=versions.values("pk"))
    if question.picture is not None:
        rows = rows.filter(pk=question.picture)
    return rows.exclude(prompt="") if question.with_prompt else rows
