"""Where things of this door are: whole addresses, on the host that the client called."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from hub.catalog.whole import Whole
from hub.civitai.endpoint import viewer_of
from hub.models import Preview
from hub.wire import links


def of(request: HttpRequest, route: str, *arguments: object) -> str:
    """The whole address of a route."""
    return request.build_absolute_uri(reverse(route, args=[str(argument) for argument in arguments]))


def download(request: HttpRequest, whole: Whole) -> str:
    """Where the main file of a version is downloaded."""
    return of(request, "civitai_download", whole.version.pk)


def picture(request: HttpRequest, preview: Preview, *, is_open: bool) -> str:
    """Where a picture is shown: to anybody, or by a link for this viewer that soon ends."""
    if is_open:
        return of(request, "civitai_picture", preview.pk)
    link = links.sign(viewer_of(request), f"p{preview.pk}")
    return of(request, "civitai_linked_picture", link, preview.pk)


def page(request: HttpRequest, **changed: Any) -> str:
    """This address with some parameters changed; every other one stays, but for a token."""
    query = request.GET.copy()
    query.pop("token", None)
    for name, value in changed.items():
        query[name] = str(value)
    return f"{request.build_absolute_uri(request.path)}?{query.urlencode()}"
