"""Small lists: creators, tags, people, words; and who one is oneself."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import urlencode

from hub.catalog import directory
from hub.civitai import addresses, questions, words
from hub.civitai.asked import Asked
from hub.civitai.endpoint import endpoint, viewer_of


@endpoint()
def creators(request: HttpRequest) -> HttpResponse:
    """`GET /creators`: who publishes here."""
    part, page, limit = questions.names(request)
    found = directory.creators(viewer_of(request), part=part, skip=(page - 1) * limit, limit=limit)
    items = [{**_named(request, one, "username"), "image": None} for one in found.items]
    return _page(request, items, found.total, page, limit)


@endpoint()
def tags(request: HttpRequest) -> HttpResponse:
    """`GET /tags`: what embeddings are filed under."""
    part, page, limit = questions.names(request)
    found = directory.tags(viewer_of(request), part=part, skip=(page - 1) * limit, limit=limit)
    return _page(
        request, [_named(request, one, "tag", "name") for one in found.items], found.total, page, limit
    )


@endpoint()
def users(request: HttpRequest) -> HttpResponse:
    """`GET /users`: people by number or by the beginning of their name."""
    asked = Asked(request.GET)
    numbers, start = asked.numbers("ids"), asked.text("query")
    asked.finish()
    found = (
        directory.people(viewer_of(request), numbers=numbers or (), start=start) if numbers or start else []
    )
    return JsonResponse({"items": [{"id": one.number, "username": one.name} for one in found]})


@endpoint(caching="public, s-maxage=300, stale-while-revalidate=150")
def enums(request: HttpRequest) -> HttpResponse:
    """`GET /enums`: the words of this API."""
    return JsonResponse(words.ENUMS)


@endpoint(strict=True)
def me(request: HttpRequest) -> HttpResponse:
    """`GET /me`: the person behind the token. Unauthenticated without one that works."""
    user = viewer_of(request).user
    assert user is not None
    record = {"id": user.owner_id, "username": user.username, "tier": "free", "status": "active"}
    return JsonResponse({**record, "isMember": False, "subscriptions": []})


def _named(request: HttpRequest, one: directory.Named, parameter: str, key: str = "") -> dict[str, Any]:
    """A name, how often it stands in lists, and where those are."""
    link = f"{addresses.of(request, 'civitai_models')}?{urlencode({parameter: one.name})}"
    return {key or parameter: one.name, "modelCount": one.count, "link": link}


def _page(
    request: HttpRequest, items: list[dict[str, Any]], total: int, page: int, limit: int
) -> HttpResponse:
    pages = max(1, -(-total // limit))
    metadata: dict[str, Any] = {
        "totalItems": total,
        "currentPage": page,
        "pageSize": limit,
        "totalPages": pages,
    }
    if page < pages:
        metadata["nextPage"] = addresses.page(request, page=page + 1)
    if page > 1:
        metadata["prevPage"] = addresses.page(request, page=page - 1)
    return JsonResponse({"items": items, "metadata": metadata})
