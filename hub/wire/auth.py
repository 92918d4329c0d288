"""Who asks: a session or a bearer token becomes a Viewer. The only authentication path of all doors."""

from collections.abc import Callable
from typing import Any, TypeVar

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.http import HttpRequest

from hub.access import ANONYMOUS, Viewer
from hub.errors import Forbidden, Unauthenticated
from hub.services.people import tokens

BAD_CREDENTIALS = "Invalid credentials in Authorization header"
View = TypeVar("View", bound=Callable[..., Any])


def takes_query_token(view: View) -> View:
    """Mark a view of downloads: tools that cannot send headers may put their token into the address (rule E4.1)."""
    view.takes_query_token = True  # type: ignore[attr-defined]  # read back by the gate
    return view


def bearer_secret(request: HttpRequest) -> str | None:
    """The token that came with the request, or None. Never log it: it may belong to another hub."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def exempt_from_csrf(request: HttpRequest) -> None:
    """Tell Django's check that a request with a token needs no CSRF proof.

    Safe because such a request is judged by its token alone: its cookies are never looked at, and no page of
    another site can send the header.
    """
    if bearer_secret(request) is not None:
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # read by Django's middleware


def identify(request: HttpRequest, *, query_token: bool = False) -> Viewer:
    """The viewer by token if one was sent, else by session, else anonymous. Bad token: Unauthenticated.

    `query_token` lets `?token=` stand for the header, for a token that may read.
    """
    secret = bearer_secret(request)
    if secret is not None:
        if not secret:
            raise Unauthenticated("not_authenticated", BAD_CREDENTIALS)
        return tokens.viewer_for(secret)
    if query_token and "token" in request.GET:
        viewer = tokens.viewer_for(request.GET["token"])
        if not viewer.has_scope("read"):
            message = "A token in an address needs the scope “read”."
            raise Forbidden("insufficient_scope", message, scope="read")
        return viewer
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Viewer(user)
    return ANONYMOUS


def require_fresh(request: HttpRequest) -> None:
    """Forbidden unless the person gave password or key within the last quarter of an hour, as the pages ask it.

    An account that has neither comes in by links alone and has nothing to give again.
    """
    # The REST framework has put a nobody of its own there.
    request.user = viewer_of(request).user  # type: ignore[assignment]  # nobody is told to sign in by the gate
    if is_reauthentication_required(request, app=""):
        raise Forbidden(
            "reauthentication_required",
            "Enter your password again at /accounts/reauthenticate/, then send this once more.",
        )


def viewer_of(request: HttpRequest, *, query_token: bool = False) -> Viewer:
    """The viewer of this request, asked once. Unauthenticated for a token that does not work."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    if viewer is None:
        viewer = identify(request, query_token=query_token)
        request.viewer = viewer  # type: ignore[attr-defined]  # the one attribute every view may rely on
    return viewer
