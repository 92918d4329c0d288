"""What all endpoints of this door have in common, as one decorator."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hub.access import Viewer
from hub.civitai import errors
from hub.wire import cors
from hub.wire.auth import takes_query_token
from hub.wire.errors import Body, body_for
from hub.wire.gate import forgiving
from hub.wire.throttle import limited

View = Callable[..., HttpResponse]


def endpoint(
    *,
    bucket: str = "api",
    strict: bool = False,
    query_token: bool = False,
    body: Body = errors.body,
    caching: str = "",
) -> Callable[[View], View]:
    """Mark a view of this door: its refusals are `{"error": …}`, its calls counted, its answers open to any page.

    A token that does not work makes the caller anonymous, unless `strict`. CSRF does not concern questions.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = cors.allow(view(request, *args, **kwargs))
            if caching:
                response["Cache-Control"] = caching
            return response

        marked: View = limited(bucket)(body_for(body)(csrf_exempt(cors.open_to_pages(inner))))
        if query_token:
            marked = takes_query_token(marked)
        return marked if strict else forgiving(marked)

    return mark


def viewer_of(request: HttpRequest) -> Viewer:
    """Who asks, as the gate found out."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    return viewer
