"""The gate: before any view runs, its route is looked up in the table of routes and the viewer is held to it.

The check is coarse (signed in? scope? method?); what may be done to which thing, services and catalog ask.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from hub import access
from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.wire import auth, cors, errors, throttle

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
UNSAFE_METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
View = TypeVar("View", bound=Callable[..., Any])


def forgiving(view: View) -> View:
    """Mark a view of public things: a token that does not work makes the caller anonymous, with a warning.

    Tools send whatever token they have, often one of another hub, to every hub they are pointed at.
    """
    view.forgives_bad_tokens = True  # type: ignore[attr-defined]  # read back by the gate
    return view


class GateMiddleware:
    """Sets `request.viewer`, or answers in place of the view. `newest` is the one that was built last."""

    newest: "ClassVar[GateMiddleware]"

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        GateMiddleware.newest = self

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Let the request through; keep its answer out of caches unless the view said otherwise."""
        response = self.get_response(request)
        for name, value in throttle.headers(request).items():
            response[name] = value
        # Nothing that depends on the viewer may outlive a change of rights in somebody's cache.
        response.setdefault("Cache-Control", "private, no-cache")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """None lets the view run."""
        preflight = cors.preflight(request, view)
        if preflight is not None:
            return preflight
        try:
            admit(request, view)
        except Exception as exception:
            error = errors.translate(exception)
            if error is None:
                raise
            return errors.answer(request, error)
        return None


def admit(request: HttpRequest, view: Callable[..., Any]) -> None:
    """Set `request.viewer`. Raises what the viewer is to be told instead of the view's answer."""
    bucket = getattr(view, "throttle_bucket", None)
    try:
        viewer = auth.viewer_of(request, query_token=getattr(view, "takes_query_token", False))
    except Unauthenticated as error:
        if not getattr(view, "forgives_bad_tokens", False):
            # Whoever tries tokens out is counted by the address.
            throttle.count(request, access.ANONYMOUS, bucket)
            raise
        viewer = access.ANONYMOUS
        request.viewer = viewer  # type: ignore[attr-defined]
        request.credential_warning = error.message  # type: ignore[attr-defined]
    throttle.count(request, viewer, bucket)
    check(viewer, act_of(request))


def act_of(request: HttpRequest) -> str:
    """The act that this route and method stand for. NotFound without a row, 405 for an unknown method."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    row = access.ROUTES.get(name)
    if row is None:
        raise NotFound()
    safe, unsafe = row
    act = safe if request.method in SAFE_METHODS else unsafe if request.method in UNSAFE_METHODS else None
    if act is None:
        known = (SAFE_METHODS if safe else frozenset()) | (UNSAFE_METHODS if unsafe else frozenset())
        raise errors.method_not_allowed(", ".join(sorted(known)))
    return act


def check(viewer: access.Viewer, act: str) -> None:
    """Hold the viewer to a row of the table of acts, as far as that is possible without the thing.

    Unauthenticated when somebody must sign in first, Forbidden when a token can never do this.
    """
    row = access.ACTS[act]
    if row.scope == "session" and viewer.token is not None:
        raise Forbidden("session_required", "An access token cannot do this; sign in on the site.")
    if row.scope not in (None, "session") and not viewer.has_scope(row.scope or ""):
        raise Forbidden(
            "insufficient_scope", f"This needs a token with the scope “{row.scope}”.", scope=row.scope
        )
    closed = act in ("see_public", "ask_in_a_body") and not settings.HUB["HUB_ANONYMOUS_READ"]
    if viewer.is_signed_in or (row.anyone and not closed):
        return
    raise Unauthenticated("not_authenticated", "Sign in, or send an access token.")
