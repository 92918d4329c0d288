"""`…/gate`: the gate before the files of an embedding; `…/access`: asking; `…/access-requests`: answering."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.access import Viewer, require
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.gate_shapes import (
    AccessRequestShape,
    AccessRequestsShape,
    AnswerForm,
    AskedAccessShape,
    AskForm,
    GateForm,
    GateShape,
    GrantForm,
    RequestsQuery,
)
from hub.api.pages import page
from hub.catalog import gates, resolve
from hub.models import AccessRequest, Embedding
from hub.services.embeddings import gating
from hub.wire.idempotency import once

State = AccessRequest.State


@documented("getGate", "The gate of an embedding, and where you stand at it.", gives=GateShape)
@documented(
    "updateGate",
    "Put a gate before the files, change it or its terms, or take it away.",
    method="PATCH",
    takes={"application/json": GateForm},
    gives=GateShape,
    refuses=(410, 412),
)
@endpoint("GET", "PATCH")
def gate(request: Request, owner: str, name: str) -> HttpResponse:
    """The gate: read, or set."""
    viewer = viewer_of(request)
    if request.method == "PATCH":
        row = _own(viewer, owner, name)
        check_unchanged(request._request, lambda: _gate(request._request, viewer, row))
        given = asked.body(GateForm, request.data)
        row = gating.set_gate(viewer, embedding=row, **given)
    else:
        row = resolve.embedding(viewer, owner=owner, name=name)
    return json_answer(request._request, _gate(request._request, viewer, row))


@documented(
    "askForAccess",
    "Agree to the terms of a gated embedding and ask for its files; harmless to repeat.",
    method="POST",
    takes={"application/json": AskForm},
    gives=AccessRequestShape,
    refuses=(410,),
)
@documented(
    "withdrawAccess",
    "Take your request back, or give your grant up.",
    method="DELETE",
    gives=None,
    status=204,
    refuses=(410,),
)
@endpoint("POST", "DELETE")
@once
def access(request: Request, owner: str, name: str) -> HttpResponse:
    """One's own request: made, or taken back."""
    viewer = viewer_of(request)
    row = resolve.own(viewer, owner=owner, name=name, act="ask_access")
    if request.method == "DELETE":
        gating.withdraw(viewer, embedding=row)
        return HttpResponse(status=204)
    given = asked.body(AskForm, request.data)
    made = gating.ask(viewer, embedding=row, agrees=given["agree"], message=given["message"])
    return json_answer(request._request, _request(made))


@documented(
    "listAccessRequests",
    "Who asked for the files, newest first; for those who answer.",
    asks=RequestsQuery,
    gives=AccessRequestsShape,
)
@documented(
    "grantAccess",
    "Let a person in who has not asked.",
    method="POST",
    takes={"application/json": GrantForm},
    gives=AskedAccessShape,
    status=201,
    refuses=(410,),
)
@endpoint("GET", "POST")
@once
def requests(request: Request, owner: str, name: str) -> HttpResponse:
    """All requests, or a grant unasked."""
    viewer = viewer_of(request)
    row = _own(viewer, owner, name)
    if request.method == "POST":
        made = gating.grant(viewer, embedding=row, name=asked.body(GrantForm, request.data)["name"])
        content = _asked(request._request, row, made)
        response = json_answer(request._request, content, status=201)
        response["Location"] = content["url"]
        return response
    given = asked.query(RequestsQuery, request.GET.dict())
    rows = gates.requests(viewer, embedding=row, state=given.get("state", ""))
    return page(request._request, rows, given, lambda one: _asked(request._request, row, one))


@documented("getAccessRequest", "The request of one person.", gives=AskedAccessShape)
@documented(
    "answerAccessRequest",
    "Accept it, reject it, take a grant back, or let it wait again; harmless to repeat.",
    method="PATCH",
    takes={"application/json": AnswerForm},
    gives=AskedAccessShape,
    refuses=(410, 412),
)
@endpoint("GET", "PATCH")
def one(request: Request, owner: str, name: str, person: str) -> HttpResponse:
    """One request: read, or answered."""
    viewer = viewer_of(request)
    row = _own(viewer, owner, name)
    found = gates.request(viewer, embedding=row, person=person)
    if request.method == "PATCH":
        check_unchanged(request._request, lambda: _asked(request._request, row, found))
        given = asked.body(AnswerForm, request.data)
        found = _answered(viewer, found, **given)
    return json_answer(request._request, _asked(request._request, row, found))


def _answered(viewer: Viewer, row: AccessRequest, *, state: str, reason: str) -> AccessRequest:
    if state == State.REJECTED:
        return gating.reject(viewer, request=row, reason=reason)
    return (gating.accept if state == State.ACCEPTED else gating.put_back)(viewer, request=row)


def _own(viewer: Viewer, owner: str, name: str) -> Embedding:
    """The embedding whose gate the viewer keeps."""
    row = resolve.own(viewer, owner=owner, name=name, act="manage_gate")
    require(viewer, "manage_gate", row)
    return row


def _gate(request: HttpRequest, viewer: Viewer, row: Embedding) -> dict[str, Any]:
    """GateShape."""
    own = gates.own(viewer, row)
    return {
        "gate": row.gate,
        "terms": row.gate_terms,
        "may_have": gates.may_have(viewer, gates.of(row)),
        "request": _request(own) if own else None,
        "page": payloads.address(request, "entry", row.owner.name, row.name),
    }


def _request(row: AccessRequest) -> dict[str, Any]:
    """AccessRequestShape."""
    return {
        "person": row.user.username,
        "state": row.state,
        "message": row.message,
        "email": row.email,
        "terms": row.terms,
        "reason": row.reason,
        "created": row.created_at,
        "decided": row.decided_at,
    }


def _asked(request: HttpRequest, embedding: Embedding, row: AccessRequest) -> dict[str, Any]:
    """AskedAccessShape."""
    place = (embedding.owner.name, embedding.name, row.user.username)
    return {
        **_request(row),
        "decided_by": row.decided_by.username if row.decided_by else None,
        "url": payloads.address(request, "api_access_request", *place),
    }
