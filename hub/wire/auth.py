"""Who asks: a session or a bearer token becomes a Viewer. The only authentication path of all doors."""

from django.http import HttpRequest

from hub.access import ANONYMOUS, Viewer
from hub.errors import Unauthenticated
from hub.services import tokens

BAD_CREDENTIALS = "Invalid credentials in Authorization header"


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


def identify(request: HttpRequest) -> Viewer:
    """The viewer by token if one was sent, else by session, else anonymous. Bad token: Unauthenticated."""
    secret = bearer_secret(request)
    if secret is not None:
        if not secret:
            raise Unauthenticated("not_authenticated", BAD_CREDENTIALS)
        return tokens.viewer_for(secret)
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        return Viewer(user)
    return ANONYMOUS


def viewer_of(request: HttpRequest) -> Viewer:
    """The viewer of this request, asked once. Unauthenticated for a token that does not work."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    if viewer is None:
        viewer = identify(request)
        request.viewer = viewer  # type: ignore[attr-defined]  # the one attribute every view may rely on
    return viewer
