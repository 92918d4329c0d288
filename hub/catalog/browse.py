"""Lists of embeddings: searched, filtered, sorted and counted, at the same number of queries for any size."""

import hashlib
import json
from collections.abc import Sequence
from typing import cast

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Lower

from hub.access import Viewer, under, visible
from hub.catalog import cards, search
from hub.catalog.licences import LICENCES
from hub.catalog.shapes import Card, Facet, Page
from hub.errors import Invalid
from hub.models import Embedding
from hub.models.registry import Kind

SORTS = ("newest", "pulled", "liked", "name", "best")
COUNT_CAP = 10_000
BROAD = 1_000
CACHE_SECONDS = 30
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
    """One page of public embeddings; with `owner` also what only the people of that name may list.

    `best` is the order of the search and the same as `newest` without words. Invalid for a sort, page or page
    size that does not exist; a page past the end is empty.
    """
    if sort not in SORTS:
        raise Invalid("malformed_request", f"Sort by one of {', '.join(SORTS)}.", field="sort")
    if not 1 <= page_size <= PAGE_MAX or not 1 <= page <= COUNT_CAP:
        raise Invalid("malformed_request", f"Pages begin at 1 and hold 1 to {PAGE_MAX}.", field="page")
    filters = {"family": family, "kind": kind, "tag": tag, "licence": licence}
    chosen = {name: value for name, value in filters.items() if value}
    everything, index = search.matching(_listed(viewer, owner), query)
    rows = _filtered(everything, chosen, trained_here)
    total = rows.values("pk")[: COUNT_CAP + 1].count()
    start = (page - 1) * page_size
    ids = _in_order(rows, sort, index)[start : start + page_size]
    is_broad = total > BROAD and owner is None
    facets = _cached if is_broad else _facets
    return Page(
        items=_cards(list(ids)),
        total=min(total, COUNT_CAP),
        total_capped=total > COUNT_CAP,
        page=page,
        pages=max(1, -(-min(total, COUNT_CAP) // page_size)),
        page_size=page_size,
        facets=facets(everything, query, chosen, trained_here),
    )


def _listed(viewer: Viewer, owner: str | None) -> QuerySet[Embedding]:
    """What this viewer may find in lists."""
    rows = visible(Embedding.objects.alive().filter(head__isnull=False), viewer)
    if owner is None:
        return rows.filter(visibility="public", head__state="published")
    rows = rows.filter(owner__name=owner.lower())
    public = Q(visibility="public", head__state="published")
    has_own = viewer.user is not None and viewer.has_scope("read")
    return rows.filter(public | under(viewer, "see_private") if has_own else public)


def _filtered(
    rows: QuerySet[Embedding], chosen: dict[str, str], trained_here: bool | None
) -> QuerySet[Embedding]:
    for name, value in chosen.items():
        rows = rows.filter(**{_FACETS[name]: value})
    if trained_here is not None:
        rows = rows.filter(head__run_key__isnull=not trained_here)
    return rows


def _in_order(rows: QuerySet[Embedding], sort: str, index: search.Index | None) -> Sequence[int]:
    """The ids of the rows, sorted; only those, because a database sorts long rows slowly."""
    if sort == "best" and index is not None:
        ranks = search.ranks(index)
        found = rows.order_by("-downloads", "-pk").values_list("pk", flat=True)
        return sorted(found, key=lambda pk: ranks.get(pk, 0.0))
    if sort == "pulled":
        rows = rows.order_by("-downloads", "-pk")
    elif sort == "liked":
        rows = rows.order_by("-likes", "-downloads", "-pk")
    elif sort == "name":
        rows = rows.order_by(Lower("title"), "pk")
    else:
        rows = rows.order_by("-head__published_at", "-pk")
    return cast(Sequence[int], rows.values_list("pk", flat=True))


def _cards(ids: list[int]) -> tuple[Card, ...]:
    """The cards of these embeddings, in this order."""
    found = {row.pk: row for row in cards.with_heads(Embedding.objects.filter(pk__in=ids))}
    return cards.make(found[pk] for pk in ids if pk in found)


def _cached(
    rows: QuerySet[Embedding], query: str, chosen: dict[str, str], trained_here: bool | None
) -> dict[str, tuple[Facet, ...]]:
    """Facets of a broad list of public things, which may be half a minute old."""
    told = json.dumps([query, sorted(chosen.items()), trained_here])
    key = f"facets:{hashlib.sha256(told.encode()).hexdigest()}"
    kept: dict[str, tuple[Facet, ...]] | None = cache.get(key)
    if kept is None:
        kept = _facets(rows, query, chosen, trained_here)
        cache.set(key, kept, CACHE_SECONDS)
    return kept


def _facets(
    rows: QuerySet[Embedding], query: str, chosen: dict[str, str], trained_here: bool | None
) -> dict[str, tuple[Facet, ...]]:
    facets = {name: _facet(name, rows, chosen, trained_here) for name in _FACETS}
    facets["trained_here"] = _trained_here(rows, chosen, trained_here)
    return facets


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
