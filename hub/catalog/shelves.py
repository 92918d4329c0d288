"""The list of all that is offered, the way tools walk through it: filtered, sorted, page by page or by cursor."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from hub.access import Viewer, under, visible
from hub.catalog import cursors, search, whole
from hub.catalog.licences import PERMISSIONS
from hub.models import Embedding, Like, Version
from hub.models.registry import Visibility

# Field and whether the largest comes first.
SORTS: Final = {
    "pulled": ("downloads", True),
    "liked": ("likes", True),
    "newest": ("head__published_at", True),
    "oldest": ("head__published_at", False),
    "name": ("alphabetical", False),
}


@dataclass(frozen=True)
class Question:
    """What is looked for. None asks nothing; an empty collection of numbers finds nothing.

    `family` and `licence` are those of the newest version, as on the page. `bases` are a condition on versions, any of
    which may fulfil it. `since` is when the newest version was published. `by_fit`: what is found by words comes by how
    well they fit, whatever `sort` says. `liked`: what the viewer likes, unlisted things too.
    """

    query: str = ""
    numbers: Collection[int] | None = None
    versions: Collection[int] | None = None
    owner: str = ""
    tag: str = ""
    kind: str = ""
    family: str = ""
    licence: str = ""
    bases: Q | None = None
    since: datetime | None = None
    trained_here: bool = False
    no_credit: bool | None = None
    derivatives: bool | None = None
    other_terms: bool | None = None
    commercial: bool | None = None
    liked: bool = False
    sort: str = "pulled"
    by_fit: bool = True
    cursor: str = ""
    skip: int = 0
    limit: int = 100


@dataclass(frozen=True)
class Listed:
    """A page of the list; `next` is the cursor of the page after it."""

    items: list[whole.Shelf]
    next: str | None


def list_shelves(viewer: Viewer, *, question: Question) -> Listed:
    """Public embeddings with something to pull, and the viewer's own. Invalid for a cursor of another list."""
    listed = _liked(viewer) if question.liked else offered(viewer)
    rows, index = search.matching(_matching(listed, question), question.query)
    if index is not None and question.by_fit:
        return _by_rank(viewer, rows, index, question)
    field, descending = SORTS[question.sort]
    if field == "alphabetical":
        rows = rows.annotate(alphabetical=Lower("title"))
    if question.cursor:
        rows = rows.filter(cursors.after(field, question.cursor, descending=descending))
    sign = "-" if descending else ""
    start = 0 if question.cursor else question.skip
    ordered = rows.select_related("head").order_by(f"{sign}{field}", f"{sign}pk")
    found = list(ordered[start : start + question.limit + 1])
    shown = found[: question.limit]
    more = bool(shown) and len(found) > question.limit
    return Listed(
        whole.shelves(viewer, [row.pk for row in shown]), cursors.write(field, shown[-1]) if more else None
    )


def offered(viewer: Viewer) -> QuerySet[Embedding]:
    """What lists may name: public things, and to their owner and their team the rest as well."""
    public = Q(visibility=Visibility.PUBLIC)
    if viewer.user is not None and viewer.has_scope("read"):
        public |= under(viewer, "see_private")
    return visible(Embedding.objects.all(), viewer).filter(public, head__state=Version.State.PUBLISHED)


def _liked(viewer: Viewer) -> QuerySet[Embedding]:
    rows = visible(Embedding.objects.all(), viewer).filter(head__state=Version.State.PUBLISHED)
    return rows.filter(Exists(Like.objects.filter(user=viewer.user, embedding=OuterRef("pk"))))


def _by_rank(viewer: Viewer, rows: QuerySet[Embedding], index: search.Index, question: Question) -> Listed:
    """In the order of the search; the cursor names the last one seen and its place, should it be gone."""
    ranks = search.ranks(index)
    order = sorted(rows.values_list("pk", flat=True), key=lambda pk: (ranks.get(pk, 0.0), pk))
    start = 0
    if question.cursor:
        place, _, last = question.cursor.partition("~")
        if not (place.isdecimal() and last.isdecimal()) or max(len(place), len(last)) > 18:
            raise cursors.foreign()
        start = order.index(int(last)) + 1 if int(last) in order else int(place)
    shown = order[start : start + question.limit]
    end = start + len(shown)
    return Listed(whole.shelves(viewer, shown), f"{end}~{shown[-1]}" if shown and end < len(order) else None)


def _matching(rows: QuerySet[Embedding], question: Question) -> QuerySet[Embedding]:
    """Narrow down by everything but words."""
    wanted: dict[str, Any] = {}
    if question.numbers is not None:
        wanted["pk__in"] = question.numbers
    equal = {
        "owner__name": question.owner.lower(),
        "tags__slug": question.tag,
        "kind": question.kind,
        "head__family": question.family,
        "head__licence": question.licence,
    }
    wanted |= {column: value for column, value in equal.items() if value}
    if question.since is not None:
        wanted["head__published_at__gte"] = question.since
    if question.trained_here:
        wanted["head__run_key__isnull"] = False
    of_versions = Q() if question.bases is None else question.bases
    if question.versions is not None:
        of_versions &= Q(pk__in=question.versions)
    if of_versions:
        rows = rows.filter(Exists(Version.objects.published().filter(of_versions, embedding=OuterRef("pk"))))
    licences = _licences(question)
    if licences is not None:
        wanted["head__licence__in"] = licences
    return rows.filter(**wanted)


def _licences(question: Question) -> list[str] | None:
    """The licences that allow what is asked for, or None where nothing is asked."""
    asked = {
        "no_credit": question.no_credit,
        "derivatives": question.derivatives,
        "other_terms": question.other_terms,
        "commercial": question.commercial,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    if not asked:
        return None
    return [
        licence
        for licence, permissions in PERMISSIONS.items()
        if all(getattr(permissions, name) == value for name, value in asked.items())
    ]
