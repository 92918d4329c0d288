"""Gated repositories: asking for the files, and the lists of those who asked, with the answers their owners give."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from hub.access import require
from hub.catalog import cursors, gates, resolve
from hub.errors import Conflict, HubError, Invalid, NotFound, Unacceptable
from hub.hf import bodies, found, naming
from hub.hf.endpoint import endpoint
from hub.models import AccessRequest, Embedding
from hub.services.embeddings import gating

PAGE: Final = 100
State = AccessRequest.State


@endpoint(strict=True)
@require_safe
def requests(request: HttpRequest, owner: str, name: str, state: str) -> HttpResponse:
    """Who waits, was let in or was rejected; newest first, in pages. Invalid where there is no gate."""
    if state not in State.values:
        raise NotFound("This hub does not have that.", code="not_supported")
    rows = gates.requests(found.viewer_of(request), embedding=_gated(request, owner, name), state=state)
    if "cursor" in request.GET:
        rows = rows.filter(cursors.after("created_at", request.GET["cursor"]))
    shown = list(rows.order_by("-created_at", "-pk")[: PAGE + 1])
    response = JsonResponse([_told(row) for row in shown[:PAGE]], safe=False)
    if len(shown) > PAGE:
        response["Link"] = naming.next_link(request, cursor=cursors.write("created_at", shown[PAGE - 1]))
    return response


@endpoint(strict=True)
@require_POST
def handle(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Accept, reject or put back the request of a person. NotFound for one who has not asked."""
    viewer, body = found.viewer_of(request), bodies.json_object(request)
    row = _asked(request, _gated(request, owner, name), body)
    status = bodies.text(body, "status")
    if status == State.ACCEPTED:
        gating.accept(viewer, request=row)
    elif status == State.REJECTED:
        gating.reject(viewer, request=row, reason=bodies.text(body, "rejectionReason", otherwise=""))
    elif status == State.PENDING:
        gating.put_back(viewer, request=row)
    else:
        raise Invalid("malformed_request", f"A status is one of {', '.join(State.values)}.", field="status")
    return JsonResponse({})


@endpoint(strict=True)
@require_POST
def grant(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Let a person in who has not asked. Invalid for one who may have the files already, NotFound for nobody."""
    body = bodies.json_object(request)
    embedding = _gated(request, owner, name)
    try:
        gating.grant(found.viewer_of(request), embedding=embedding, name=bodies.text(body, "user"))
    except Conflict as error:
        raise _invalid(error) from None
    except Unacceptable as error:
        raise NotFound(error.message, code="user_not_found") from None
    return JsonResponse({})


@endpoint(strict=True)
@require_POST
def ask(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Agree to the terms of the page and ask, as its button does; what comes along as `message` the owner reads."""
    viewer = found.viewer_of(request)
    message = request.POST.get("message", "")
    if request.content_type == "application/json":
        message = bodies.text(bodies.json_object(request), "message", otherwise="")
    embedding = resolve.own(viewer, owner=owner, name=name, act="ask_access")
    try:
        asked = gating.ask(viewer, embedding=embedding, agrees=True, message=message)
    except Conflict as error:
        raise _invalid(error) from None
    return JsonResponse({"status": asked.state})


def _gated(request: HttpRequest, owner: str, name: str) -> Embedding:
    """The embedding whose gate the viewer keeps. Raises as `found.own`, and Invalid where it has none."""
    viewer = found.viewer_of(request)
    row = found.own(viewer, owner, name, act="manage_gate")
    require(viewer, "manage_gate", row)
    if not row.is_gated:
        raise Invalid("not_gated", f"{row.full_name} has no gate: whoever sees it has its files.")
    return row


def _asked(request: HttpRequest, embedding: Embedding, body: dict[str, Any]) -> AccessRequest:
    """The request that a body names by its person or by its id."""
    viewer = found.viewer_of(request)
    if body.get("user") is not None:
        return gates.request(viewer, embedding=embedding, person=bodies.text(body, "user"))
    number = bodies.text(body, "requestId", most=20)
    rows = gates.requests(viewer, embedding=embedding).select_related("embedding__owner")
    row = rows.filter(pk=int(number)).first() if number.isascii() and number.isdecimal() else None
    if row is None:
        raise NotFound("There is no such request.", code="request_not_found")
    return row


def _invalid(error: HubError) -> Invalid:
    """Clients take a 409 for something that they may try again."""
    return Invalid(error.code, error.message, **error.detail)


def _told(row: AccessRequest) -> dict[str, Any]:
    """A line of the lists; what a person wrote is the one field of the form there is here."""
    return {
        "requestId": str(row.pk),
        "status": row.state,
        "timestamp": naming.timestamp(row.created_at),
        "user": {
            "user": row.user.username,
            "fullname": row.user.get_full_name() or row.user.username,
            "email": row.email or None,
        },
        "fields": {"message": row.message} if row.message else None,
    }
