"""The way past what only pages need: sessions, forms, messages and their cookies cost a tool nothing.

A tool that looks or pulls sends no cookie. Who sends one, or wants to change something, goes through every layer.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

from django.core.exceptions import DisallowedHost
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.urls import get_resolver

from hub.wire import gate

# Where answers are data or files and refusals are data, on every door of tools.
_PATHS: Final = re.compile(r"/api/|/[^/]+/[^/]+/resolve/[^/]+/.")
# What the layers that are passed by would say, for answers that no browser shows as a page.
_HEADERS: Final = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
# Addresses whose route a process remembers: about a kilobyte for each.
_REMEMBERED: Final = 2048


class ShortcutMiddleware:
    """Stands above the layers that only pages need, and hands what needs none of them to the gate."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        # Layers are built from the lowest up, so the last gate built is the one below this.
        answered = convert_exception_to_response(gate.GateMiddleware.newest)
        self._gate = cast(Callable[[HttpRequest], HttpResponse], answered)
        _remember_routes()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer of whichever way fits."""
        if not _fits(request):
            return self.get_response(request)
        response = self._gate(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not response.streaming and "Content-Length" not in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        return response


def _fits(request: HttpRequest) -> bool:
    """Whether this looks or pulls at a door of tools, without a cookie, at a name of this hub."""
    if request.method not in gate.SAFE_METHODS or request.META.get("HTTP_COOKIE"):
        return False
    if not _PATHS.match(request.path_info):
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _remember_routes() -> None:
    """Look an address up among the routes once: it stands for the same view as long as the process lives."""
    resolver = get_resolver()
    if "resolve" not in vars(resolver):
        resolver.resolve = lru_cache(_REMEMBERED)(resolver.resolve)  # type: ignore[method-assign]  # on this one only
