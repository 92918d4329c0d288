"""What pages of other sites may read: marked views, without cookies, and nothing else (rule D7)."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse

View = TypeVar("View", bound=Callable[..., Any])


def open_to_pages(view: View) -> View:
    """Mark a view whose answers any page may read; its browser asks first, and the gate answers that."""
    view.is_open_to_pages = True  # type: ignore[attr-defined]  # read back by the gate
    return view


def allow(response: HttpResponse) -> HttpResponse:
    """Let any page read this answer. Browsers send no cookies to such an address, so it tells nobody's secrets."""
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Headers"] = "*"
    return response


def preflight(request: HttpRequest, view: Callable[..., Any]) -> HttpResponse | None:
    """The answer to a browser that asks whether it may ask; None for anything else."""
    if request.method != "OPTIONS" or not getattr(view, "is_open_to_pages", False):
        return None
    response = allow(HttpResponse(status=200))
    response["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
    return response
