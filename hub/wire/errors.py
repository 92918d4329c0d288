"""What a refusal looks like: the one table from kind of error to status, and a body for each door.

A door may bring its own body: its views carry it (`body_for`). Without one, `/api/` answers JSON and the rest
a page: `templates/errors/<status>.html`, or `errors/error.html`, or a plain one.
"""

import logging
import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
    QueryDict,
    UnreadablePostError,
)
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.template import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape

from hub.access import ANONYMOUS
from hub.catalog import gates
from hub.errors import (
    Forbidden,
    HubError,
    Invalid,
    NotFound,
    RateLimited,
    Renamed,
    TooLarge,
    Unavailable,
)
from hub.wire import auth, throttle

log = logging.getLogger(__name__)

STATUS: Final[dict[str, int]] = {
    "invalid": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "gone": 410,
    "too_large": 413,
    "unacceptable": 422,
    "read_only": 423,
    "rate_limited": 429,
    "taken_down": 451,
    "unavailable": 503,
    "full": 507,
}
NO_DEVICES: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
RETRY_AFTER_SECONDS: Final = {"rate_limited": 60, "unavailable": 5}

Body = Callable[[HttpRequest, HubError, int], HttpResponse]
View = TypeVar("View", bound=Callable[..., Any])


class ProtocolError(HubError):
    """A refusal of HTTP itself (405, 412, 416 …), which the domain knows nothing of."""

    kind = "protocol"

    def __init__(
        self, status: int, code: str, message: str, *, headers: dict[str, str] | None = None, **detail: Any
    ) -> None:
        super().__init__(code, message, **detail)
        self.status = status
        self.headers = headers or {}


def body_for(body: Body) -> Callable[[View], View]:
    """Mark a view: its refusals, also those made before it runs, are written by `body`."""

    def mark(view: View) -> View:
        view.error_body = body  # type: ignore[attr-defined]  # read back by `answer`
        return view

    return mark


def request_id(request: HttpRequest) -> str:
    """The name of this request in answers and in the log."""
    name: str | None = getattr(request, "request_id", None)
    if name is None:
        name = secrets.token_hex(8)
        request.request_id = name  # type: ignore[attr-defined]
    return name


def answer(request: HttpRequest, error: HubError) -> HttpResponse:
    """The response for a refusal, in the shape of the door that was called."""
    moved = _new_address(request, error) if isinstance(error, Renamed) else None
    if moved is not None:
        return moved
    if error.code == gates.CODE:
        # Where one asks; each door says so in its own way.
        page = reverse("entry", args=error.detail["embedding"].split("/"))
        error.detail["page"] = request.build_absolute_uri(page)
    status = error.status if isinstance(error, ProtocolError) else STATUS[error.kind]
    response = _body(request)(request, error, status)
    if isinstance(error, ProtocolError):
        for name, value in error.headers.items():
            response[name] = value
    if error.kind in RETRY_AFTER_SECONDS:
        response["Retry-After"] = str(error.detail.get("retry_after", RETRY_AFTER_SECONDS[error.kind]))
    if response.status_code == 401:
        response["WWW-Authenticate"] = "Bearer"
    response.setdefault("Cache-Control", "private, no-store")
    return response


def _new_address(request: HttpRequest, error: Renamed) -> HttpResponse | None:
    """The way to what has another name now: the same address with that name, and the method stays.

    Relative, and never for ever: clients keep their token only so, and an owner may take the old name back.
    """
    match = request.resolver_match
    if match is None or not {"owner", "name"} <= set(match.kwargs):
        return None
    address = reverse(match.view_name, kwargs={**match.kwargs, **error.detail})
    query = request.META.get("QUERY_STRING", "")
    return HttpResponse(
        status=307,
        headers={"Location": f"{address}?{query}" if query else address, "Cache-Control": "no-store"},
    )


def _body(request: HttpRequest) -> Body:
    """The body writer of the door that was called."""
    match = request.resolver_match
    own: Body | None = getattr(match.func, "error_body", None) if match else None
    if own is not None:
        return own
    if request.path.startswith("/api/") or _wants_json(request):
        return json_body
    return page_body


def _wants_json(request: HttpRequest) -> bool:
    """Whether a script of ours asks: it names JSON and not HTML."""
    accept = request.headers.get("Accept", "")
    return "application/json" in accept and "text/html" not in accept


def json_body(request: HttpRequest, error: HubError, status: int) -> HttpResponse:
    """`{"error": {"code", "message", "detail", "request_id"}}`."""
    content = {
        "code": error.code,
        "message": error.message,
        "detail": error.detail,
        "request_id": request_id(request),
    }
    return JsonResponse({"error": content}, status=status)


def page_body(request: HttpRequest, error: HubError, status: int) -> HttpResponse:
    """A designed page; a visitor who only has to sign in is sent there instead."""
    if status == 401 and request.method == "GET" and auth.bearer_secret(request) is None:
        return redirect(f"/accounts/login/?{_next(request)}")
    context = {
        "status": status,
        "code": error.code,
        "message": error.message,
        "detail": error.detail,
        "request_id": request_id(request),
    }
    return HttpResponse(_page(request, context, status), status=status)


def _page(request: HttpRequest, context: dict[str, Any], status: int) -> str:
    """The designed page, or a plain one where there is none or it cannot be made."""
    try:
        # Pages of 5xx get no request, so that no context processor asks the part that may be out.
        names = [f"errors/{status}.html", "errors/error.html"]
        return render_to_string(names, context, request=request if status < 500 else None)
    except TemplateDoesNotExist:
        pass
    except Exception:
        if status < 500:
            raise
        log.exception("request %s: the page of %d cannot be made", request_id(request), status)
    return (
        f'<!doctype html><html lang="en"><title>{status}</title><h1>{escape(context["message"])}</h1>'
        f"<p>{escape(context['code'])}, request {context['request_id']}</p></html>"
    )


def _next(request: HttpRequest) -> str:
    """The query that brings the visitor back to this page after signing in."""
    query = QueryDict(mutable=True)
    query["next"] = request.get_full_path()
    return query.urlencode(safe="/")


def translate(exception: BaseException) -> HubError | None:
    """The refusal that an exception of Django's stands for, or None for an unexpected one."""
    match exception:
        case HubError():
            return exception
        case Http404():
            return NotFound()
        case PermissionDenied():
            return Forbidden("forbidden", "This is not allowed.")
        case RequestDataTooBig() | TooManyFilesSent():
            return TooLarge("file_too_large", "The request is larger than this hub accepts.")
        case UnreadablePostError() | MultiPartParserError():
            return Invalid("malformed_request", "The request ended early or cannot be read; send it again.")
        case OperationalError() | InterfaceError():
            return Unavailable("database_unavailable", "The database does not answer; try again in a moment.")
    return None


class ErrorMiddleware:
    """Outermost: names the request, and turns every refusal into the right body."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Name the request, and dress the bare 405 of Django's decorators."""
        name = request_id(request)
        auth.exempt_from_csrf(request)
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            response = answer(request, method_not_allowed(response["Allow"]))
        response["X-Request-Id"] = name
        response.setdefault("Permissions-Policy", NO_DEVICES)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer refusals; leave what nobody expected to Django's log and `server_error`."""
        error = translate(exception)
        if error is None:
            return None
        if isinstance(error, Unavailable):
            log.warning("request %s: %s", request_id(request), error.code, exc_info=exception)
        return answer(request, error)


def method_not_allowed(allow: str) -> ProtocolError:
    """405 with the methods that exist."""
    return ProtocolError(
        405, "method_not_allowed", "This address does not know that method.", headers={"Allow": allow}
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return answer(
        request, translate(exception) or Invalid("malformed_request", "The request cannot be understood.")
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return answer(request, Forbidden("forbidden", "This is not allowed."))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: an address that no route knows."""
    return answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: the id of the request and nothing else; the log has the rest."""
    log.error("request %s failed: %s %s", request_id(request), request.method, request.path)
    error = ProtocolError(
        500, "server_error", "Something went wrong on this hub; the operator can find it by its id."
    )
    return answer(request, error)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. Its calls do not come to the gate, and are counted by the address here."""
    error: HubError = Forbidden(
        "csrf_failed", "The form was open for too long; load the page again and resend it."
    )
    match = request.resolver_match
    try:
        throttle.count(request, ANONYMOUS, getattr(match.func, "throttle_bucket", None) if match else None)
    except RateLimited as refusal:
        error = refusal
    return answer(request, error)
