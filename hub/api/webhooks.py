"""`/webhooks`: a person's own webhooks, and what was sent to them."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import asked, payloads, webhook_bodies
from hub.api.answers import check_unchanged, json_answer, keep_instead
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import PageQuery, page
from hub.api.webhook_shapes import (
    DeliveriesShape,
    DeliveryShape,
    MadeWebhookShape,
    NewWebhookForm,
    SecretShape,
    WebhookChangesForm,
    WebhookHostsShape,
    WebhookShape,
    WebhooksShape,
    WholeDeliveryShape,
)
from hub.catalog import resolve
from hub.catalog import webhooks as reads
from hub.models import Delivery, Embedding
from hub.services.webhooks import events, targets
from hub.services.webhooks import webhooks as services
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once


@documented("webhookHosts", "Where webhooks may go, and what they can be told of.", gives=WebhookHostsShape)
@endpoint("GET")
def hosts(request: Request) -> HttpResponse:
    """What the operator allows."""
    found = targets.in_words()
    content = {"is_on": bool(found), "hosts": found, "events": dict(events.EVENTS)}
    return json_answer(request._request, content)


@documented("listWebhooks", "Your own webhooks.", asks=PageQuery, gives=WebhooksShape)
@documented(
    "createWebhook",
    "A new webhook; its secret is in this answer alone. A session has to have given its password shortly before.",
    method="POST",
    takes={"application/json": NewWebhookForm},
    gives=MadeWebhookShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def webhooks(request: Request) -> HttpResponse:
    """The webhooks, or a new one."""
    if request.method == "POST":
        return _create(request)
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.list_own(viewer_of(request))
    return page(request._request, rows, given, lambda row: webhook_bodies.webhook(request._request, row))


@documented("getWebhook", "One webhook.", gives=WebhookShape)
@documented(
    "updateWebhook",
    "Change where it goes and what it is told, or switch it off and on.",
    method="PATCH",
    takes={"application/json": WebhookChangesForm},
    gives=WebhookShape,
    refuses=(412,),
)
@documented("deleteWebhook", "Take it away.", method="DELETE", gives=None, status=204, refuses=(412,))
@endpoint("GET", "PATCH", "DELETE")
def webhook(request: Request, number: int) -> HttpResponse:
    """One webhook: read, changed, or taken away."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    if request.method in ("PATCH", "DELETE"):
        check_unchanged(request._request, lambda: webhook_bodies.webhook(request._request, row))
    if request.method == "DELETE":
        services.delete(viewer, webhook=row)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        changes = asked.body(WebhookChangesForm, request.data)
        if "embedding" in changes:
            changes["only"] = (_embedding(viewer, changes.pop("embedding")),)
        row = services.update(viewer, webhook=row, **changes)
    return json_answer(request._request, webhook_bodies.webhook(request._request, row))


@documented(
    "rotateWebhookSecret",
    "A new secret, in this answer alone; the old one signs beside it for a day.",
    method="POST",
    gives=SecretShape,
)
@endpoint("POST")
@once
def secret(request: Request, number: int) -> HttpResponse:
    """Another secret."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    _require_fresh(request)
    made = services.rotate(viewer, webhook=row)
    return _once_only(json_answer(request._request, {"secret": made}), {"secret": None})


@documented("pingWebhook", "Send a test, once.", method="POST", gives=DeliveryShape, status=202)
@endpoint("POST")
@once
def ping(request: Request, number: int) -> HttpResponse:
    """A test on its way."""
    viewer = viewer_of(request)
    made = services.ping(viewer, webhook=reads.own(viewer, number=number))
    return json_answer(request._request, _told(request, made), status=202)


@documented("listDeliveries", "What it was told.", asks=PageQuery, gives=DeliveriesShape)
@endpoint("GET")
def deliveries(request: Request, number: int) -> HttpResponse:
    """Its deliveries, newest first."""
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.deliveries(reads.own(viewer_of(request), number=number))
    return page(request._request, rows, given, lambda row: _told(request, row))


@documented("getDelivery", "One delivery, with what was sent.", gives=WholeDeliveryShape)
@endpoint("GET")
def delivery(request: Request, number: int, key: UUID) -> HttpResponse:
    """One delivery."""
    viewer = viewer_of(request)
    row = reads.delivery(reads.own(viewer, number=number), key=key)
    reads.require_sight(viewer, event=row.event)
    return json_answer(request._request, {**_told(request, row), "body": row.body})


@documented(
    "redeliver", "Send it once more, under the same id.", method="POST", gives=DeliveryShape, status=202
)
@endpoint("POST")
@once
def redeliver(request: Request, number: int, key: UUID) -> HttpResponse:
    """The same delivery on its way again."""
    viewer = viewer_of(request)
    row = reads.delivery(reads.own(viewer, number=number), key=key)
    return json_answer(request._request, _told(request, services.redeliver(viewer, delivery=row)), status=202)


def _create(request: Request) -> HttpResponse:
    viewer, fields = viewer_of(request), asked.body(NewWebhookForm, request.data)
    _require_fresh(request)
    fields["embedding"] = _embedding(viewer, fields["embedding"])
    row, made = services.create(viewer, **fields)
    content = webhook_bodies.webhook(request._request, row)
    response = json_answer(request._request, {**content, "secret": made}, status=201)
    response["Location"] = content["address"]
    return _once_only(response, {**content, "secret": None})


def _once_only(response: HttpResponse, kept: dict[str, Any]) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return keep_instead(response, kept)


def _require_fresh(request: Request) -> None:
    """What comes with a token has no password; its scopes say what it may."""
    if viewer_of(request).token is None:
        require_fresh(request._request)


def _embedding(viewer: Viewer, text: str | None) -> Embedding | None:
    """The viewer's embedding `owner/name`, or `name` alone. NotFound where there is none."""
    if not text:
        return None
    owner, _, name = text.rpartition("/")
    return resolve.own(viewer, owner=owner or viewer.name, name=name, act="manage_webhooks")


def _told(request: Request, row: Delivery) -> dict[str, Any]:
    """DeliveryShape."""
    return {
        "id": row.key,
        "event": row.event,
        "state": row.state,
        "message": row.message,
        "created": row.created_at,
        "attempts": row.attempts,
        "sent": row.sent_at,
        "next_attempt": row.next_at if row.state == Delivery.State.WAITING else None,
        "status": row.status,
        "milliseconds": row.milliseconds,
        "url": payloads.address(request._request, "api_delivery", row.webhook_id, row.key),
    }
