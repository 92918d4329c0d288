"""Lists of embeddings: searched, filtered, sorted and counted, at the same number of queries for any size."""

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Lower

from hub.access import Viewer, visible
from hub.catalog import cards, search
from hub.catalog.licences import LICENCES
from hub.catalog.shapes import Facet, Page
from hub.errors import Invalid
from hub.models import Embedding
from hub.models.registry import Kind

SORTS = ("newest", "pulled", "name", "best")
COUNT_CAP = 10_000
PAGE_MAX = 100
TAGS_SHOWN = 20

_FACETS = {
    "family": "head__family",
    "kind": "kind",
    "licence": "head__licence",
    "tag": "tags__slug",
}


def list_embeddings(
    viewer: Viewer,
    *,
    query: str = "",
    family: str | None = None,
    kind: str | None = None,
    tag: str | None = None,
    licence: str | None = None,
    trained_here: bool | None = None,
    owner: str | None = None,
    sort: str = "newest",
    page: int = 1,
    page_size: int = 24,
) -> Page:
    """One page of public embeddings; with `owner` the viewer's own name also what only they may list.

    `best` is the order of the search and the same as `newest` without words. Invalid for a sort, page or page
    size that does not exist; a page past the end is empty.
    """
    if sort not in SORTS:
        raise Invalid("malformed_request", f"Sort by one of {', '.join(SORTS)}.", field="sort")
    if not 1 <= page_size <= PAGE_MAX or not 1 <= page <= COUNT_CAP:
        raise Invalid("malformed_request", f"Pages begin at 1 and hold 1 to {PAGE_MAX}.", field="page")
    filters = {"family": family, "kind": kind, "tag": tag, "licence": licence}
    chosen = {name: value for name, value in filters.items() if value}
    everything = search.matching(_listed(viewer, owner), query)
    rows = _filtered(everything, chosen, trained_here)
    total = rows.values("pk")[: COUNT_CAP + 1].count()
    start = (page - 1) * page_size
    found = cards.with_heads(_sorted(rows, sort, bool(query.strip())))[start : start + page_size]
    facets = {name: _facet(name, everything, chosen, trained_here) for name in _FACETS}
    facets["trained_here"] = _trained_here(everything, chosen, trained_here)
    return Page(
        items=cards.make(found),
        total=min(total, COUNT_CAP),
        total_capped=total > COUNT_CAP,
        page=page,
        pages=max(1, -(-min(total, COUNT_CAP) // page_size)),
        page_size=page_size,
        facets=facets,
    )


def _listed(viewer: Viewer, owner: str | None) -> QuerySet[Embedding]:
    """What this viewer may find in lists."""
    rows = visible(Embedding.objects.alive().filter(head__isnull=False), viewer)
    if owner is None:
        return rows.filter(visibility="public")
    rows = rows.filter(owner__name=owner.lower())
    if viewer.user is not None and viewer.user.username == owner.lower() and viewer.has_scope("read"):
        return rows
    return rows.filter(visibility="public")


def _filtered(
    rows: QuerySet[Embedding], chosen: dict[str, str], trained_here: bool | None
) -> QuerySet[Embedding]:
    for name, value in chosen.items():
        rows = rows.filter(**{_FACETS[name]: value})
    if trained_here is not None:
        rows = rows.filter(head__run_key__isnull=not trained_here)
    return rows


def _sorted(rows: QuerySet[Embedding], sort: str, searched: bool) -> QuerySet[Embedding]:
    if sort == "best" and searched:
        return rows.order_by(F("rank").asc(), "-downloads", "-pk")
    if sort == "pulled":
        return rows.order_by("-downloads", "-pk")
    if sort == "name":
        return rows.order_by(Lower("title"), "pk")
    return rows.order_by("-head__published_at", "-pk")


def _facet(
    name: str, rows: QuerySet[Embedding], chosen: dict[str, str], trained_here: bool | None
) -> tuple[Facet, ...]:
    """The values of one facet among the rows that the other filters leave, most first."""
    others = {other: value for other, value in chosen.items() if other != name}
    field = _FACETS[name]
    counted = (
        _filtered(rows, others, trained_here)
        .filter(**{f"{field}__isnull": False})
        .order_by()
        .values_list(field)
        .annotate(number=Count("pk", distinct=True))
        .order_by("-number", field)[:TAGS_SHOWN]
    )
    found = [
        Facet(value, _label(name, value), number, chosen.get(name) == value) for value, number in counted
    ]
    if name in chosen and not any(facet.selected for facet in found):
        found.append(Facet(chosen[name], _label(name, chosen[name]), 0, True))
    return tuple(found)


def _trained_here(
    rows: QuerySet[Embedding], chosen: dict[str, str], trained_here: bool | None
) -> tuple[Facet, ...]:
    number = _filtered(rows, chosen, True).values("pk")[:COUNT_CAP].count()
    return (Facet("1", "Trained here", number, trained_here is True),)


def _label(name: str, value: str) -> str:
    if name == "family":
        return cards.family_title(value)
    if name == "kind":
        return Kind(value).label if value in Kind.values else value
    if name == "licence":
        return LICENCES.get(value, value)
    return value
