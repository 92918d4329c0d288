"""Lists that go on with a cursor: a page of rows, and the address of the next one."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.api.answers import json_answer
from hub.api.shapes import LIMIT_MAX, Fields
from hub.catalog import cursors

Row = TypeVar("Row")


class PageQuery(Fields):
    """How many, and from where on."""

    limit = serializers.IntegerField(required=False, default=24, min_value=1, max_value=LIMIT_MAX)
    cursor = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class WholeQuery(PageQuery):
    """The same, for lists that mostly fit on one page."""

    limit = serializers.IntegerField(required=False, default=LIMIT_MAX, min_value=1, max_value=LIMIT_MAX)


def page(
    request: HttpRequest,
    rows: QuerySet[Any],
    given: dict[str, Any],
    told: Callable[[Any], dict[str, Any]],
    *,
    field: str = "created_at",
) -> HttpResponse:
    """The rows after `cursor`, newest by `field` first; `next` and the `Link` header lead to the following page."""
    shown, following = taken(request, rows, given, field=field)
    return answered(request, [told(one) for one in shown], following)


def taken(
    request: HttpRequest,
    rows: QuerySet[Any],
    given: dict[str, Any],
    *,
    field: str = "created_at",
    key: type[int] | type[UUID] = int,
) -> tuple[list[Any], str | None]:
    """The rows of the page that is asked for, and the address of the following one."""
    if given["cursor"]:
        rows = rows.filter(cursors.after(field, given["cursor"], key=key))
    found = list(rows.order_by(f"-{field}", "-pk")[: given["limit"] + 1])
    shown = found[: given["limit"]]
    more = len(found) > len(shown)
    return shown, following_page(request, cursors.write(field, shown[-1])) if more else None


def sliced(
    request: HttpRequest, found: Sequence[Row], given: dict[str, Any], *, name: Callable[[Row], object]
) -> tuple[list[Row], str | None]:
    """The same of a list that is known as a whole; the cursor holds the place and the name of the last one met."""
    start = 0
    if given["cursor"]:
        place, between, last = given["cursor"].partition("~")
        if not (place.isascii() and place.isdecimal() and between) or len(place) > 6:
            raise cursors.foreign()
        names = [str(name(one)) for one in found]
        start = names.index(last) + 1 if last in names else int(place)
    shown = list(found[start : start + given["limit"]])
    end = start + len(shown)
    more = bool(shown) and end < len(found)
    return shown, following_page(request, f"{end}~{name(shown[-1])}") if more else None


def answered(request: HttpRequest, items: list[dict[str, Any]], following: str | None) -> HttpResponse:
    """A page as it is sent."""
    response = json_answer(request, {"items": items, "next": following})
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return response


def following_page(request: HttpRequest, cursor: str) -> str:
    """The address of the same list from that place on."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
