"""Lists that go on with a cursor: a page of rows, and the address of the next one."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers

from hub.api.answers import json_answer
from hub.api.shapes import LIMIT_MAX, Fields
from hub.catalog import cursors


class PageQuery(Fields):
    """How many, and from where on."""

    limit = serializers.IntegerField(required=False, default=24, min_value=1, max_value=LIMIT_MAX)
    cursor = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


def page(
    request: HttpRequest,
    rows: QuerySet[Any],
    given: dict[str, Any],
    told: Callable[[Any], dict[str, Any]],
    *,
    field: str = "created_at",
) -> HttpResponse:
    """The rows after `cursor`, newest by `field` first; `next` and the `Link` header lead to the following page."""
    if given["cursor"]:
        rows = rows.filter(cursors.after(field, given["cursor"]))
    found = list(rows.order_by(f"-{field}", "-pk")[: given["limit"] + 1])
    shown = found[: given["limit"]]
    following = following_page(request, cursors.write(field, shown[-1])) if len(found) > len(shown) else None
    response = json_answer(request, {"items": [told(one) for one in shown], "next": following})
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return response


def following_page(request: HttpRequest, cursor: str) -> str:
    """The address of the same list from that place on."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
