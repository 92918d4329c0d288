"""Who publishes and by which tags: names of those, and only those, whose work lists may show to this viewer."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from hub.access import Viewer
from hub.catalog import shelves
from hub.models import Owner, Tag
from hub.models.registry import Visibility


@dataclass(frozen=True)
class Named:
    """A name, and under how many embeddings of the lists it stands."""

    number: int
    name: str
    count: int


@dataclass(frozen=True)
class Names:
    """One page of names in their order, and how many there are in all."""

    items: tuple[Named, ...]
    total: int


def creators(viewer: Viewer, *, part: str = "", skip: int = 0, limit: int = 20) -> Names:
    """People with something public, those whose name has this part."""
    listed = shelves.offered(viewer).filter(visibility=Visibility.PUBLIC)
    rows = Owner.objects.filter(embeddings__in=listed.values("pk"), name__contains=part.lower())
    return _page(rows.annotate(count=Count("embeddings")), "name", skip, limit)


def tags(viewer: Viewer, *, part: str = "", skip: int = 0, limit: int = 20) -> Names:
    """Tags of public embeddings, those that have this part."""
    listed = shelves.offered(viewer).filter(visibility=Visibility.PUBLIC)
    rows = Tag.objects.filter(embeddings__in=listed.values("pk"), slug__contains=part.lower())
    return _page(rows.annotate(count=Count("embeddings")), "slug", skip, limit)


def people(
    viewer: Viewer, *, numbers: Collection[int] = (), start: str = "", limit: int = 100
) -> list[Named]:
    """People with something public, by id or by the beginning of their name."""
    listed = shelves.offered(viewer).filter(visibility=Visibility.PUBLIC)
    rows = Owner.objects.filter(pk__in=listed.values("owner"))
    if numbers:
        rows = rows.filter(pk__in=numbers)
    if start:
        rows = rows.filter(name__startswith=start.lower())
    return [Named(row.pk, row.name, 0) for row in rows.order_by("name")[:limit]]


def _page(rows: QuerySet[Any], field: str, skip: int, limit: int) -> Names:
    found = rows.order_by(field)[skip : skip + limit]
    return Names(tuple(Named(row.pk, getattr(row, field), row.count) for row in found), rows.count())
