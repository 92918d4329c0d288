"""What a delivery says: the same records as the answers of this door, as the webhook's owner may see them now."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest
from django.utils.module_loading import import_string

from hub.access import Viewer, visible
from hub.api import payloads
from hub.catalog import whole
from hub.errors import NotFound
from hub.models import AccessRequest, Delivery, Embedding, Version, Webhook
from hub.services.webhooks import events


class OwnAddress(HttpRequest):
    """A request that nobody made: whole addresses begin as the hub's own does."""

    def build_absolute_uri(self, location: str | None = None) -> str:
        """The place on this hub."""
        return f"{settings.PUBLIC_URL}{location or '/'}"


def body(delivery: Delivery) -> bytes:
    """The JSON to be sent. NotFound when the owner may not see any more what it is about."""
    said = {
        "id": str(delivery.key),
        "type": delivery.event,
        "timestamp": delivery.created_at,
        "data": _data(delivery),
    }
    return json.dumps(said, cls=DjangoJSONEncoder, separators=(",", ":")).encode()


def webhook(request: HttpRequest, row: Webhook) -> dict[str, Any]:
    """WebhookShape."""
    return {
        "id": row.pk,
        "url": row.url,
        "events": row.events,
        "embedding": row.embedding.full_name if row.embedding else None,
        "is_active": row.is_active,
        "off_reason": row.off_reason,
        "created": row.created_at,
        "failing_since": row.failing_since,
        "deliveries": payloads.address(request, "api_webhook_deliveries", row.pk),
        "page": payloads.address(request, "webhook", row.pk),
        "address": payloads.address(request, "api_webhook", row.pk),
    }


def _data(delivery: Delivery) -> dict[str, Any]:
    row, about, request = delivery.webhook, delivery.about, OwnAddress()
    if not row.user.is_active or row.user.owner_id != row.owner_id:
        raise NotFound("The account of its owner is frozen.")
    viewer = Viewer(row.user)
    kind = delivery.event.partition(".")[0]
    if delivery.event == events.PING:
        return {"webhook": webhook(request, row)}
    if kind in events.SAYERS:
        say: Callable[[HttpRequest, Viewer, str], Any] = import_string(events.SAYERS[kind])
        return {kind: say(request, viewer, about[kind])}
    return _SAYS[delivery.event](request, viewer, row, about)


def _version(request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]) -> dict[str, Any]:
    """The version, and the embedding that it is one of."""
    of = _embedding(viewer, row, about)
    found = whole.load(whole.pullable(viewer).filter(pk=about["version"], embedding=of))
    if not found:
        raise NotFound("The version has been withdrawn since.")
    return {"embedding": _told(request, viewer, of), "version": payloads.version(request, found[0])}


def _held_version(
    request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Which version moderators hold or took down, and why; nobody can pull it."""
    of = _embedding(viewer, row, about)
    found = visible(Version.objects.filter(pk=about["version"], embedding=of), viewer).first()
    if found is None:
        raise NotFound("The version has been withdrawn since.")
    held = {"number": found.number, "name": found.name, "state": found.state, "reason": found.state_reason}
    return {"embedding": _told(request, viewer, of), "version": held}


def _gone_version(
    request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Which number is gone; there is nothing else to say of it."""
    of = _embedding(viewer, row, about)
    gone = {"number": about["number"], "name": f"v{about['number']}", "state": Version.State.DELETED.value}
    return {"embedding": _told(request, viewer, of), "version": gone}


def _renamed(request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]) -> dict[str, Any]:
    """The embedding under its name of today, and the one before."""
    of = _embedding(viewer, row, about)
    before = f"{of.owner.name}/{about['before']}"
    return {"embedding": _told(request, viewer, of), "before": before}


def _gone_embedding(
    request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]
) -> dict[str, Any]:
    """Its name; nobody may see more of it."""
    found = (
        Embedding.objects.select_related("owner").filter(pk=about["embedding"], owner=row.owner_id).first()
    )
    if found is None:
        raise NotFound("The embedding is somebody else's now.")
    return {"embedding": {"name": found.full_name, "owner": found.owner.name}}


def _asked(request: HttpRequest, viewer: Viewer, row: Webhook, about: Mapping[str, Any]) -> dict[str, Any]:
    """Who asks for the files of a gated embedding, and where that is answered; what they shared stays on the page."""
    of = _embedding(viewer, row, about)
    found = AccessRequest.objects.filter(pk=about["request"], embedding=of).select_related("user").first()
    if found is None:
        raise NotFound("The request was taken back.")
    page = payloads.address(request, "access_requests", of.owner.name, of.name)
    told = {"person": found.user.username, "state": found.state, "created": found.created_at, "page": page}
    return {"embedding": _told(request, viewer, of), "request": told}


_SAYS: Mapping[str, Callable[[HttpRequest, Viewer, Webhook, Mapping[str, Any]], dict[str, Any]]] = {
    "version.published": _version,
    "version.yanked": _version,
    "version.unyanked": _version,
    "version.deleted": _gone_version,
    "version.quarantined": _held_version,
    "version.taken_down": _held_version,
    "version.restored": _version,
    "embedding.renamed": _renamed,
    "embedding.deleted": _gone_embedding,
    "access.requested": _asked,
}


def _embedding(viewer: Viewer, row: Webhook, about: Mapping[str, Any]) -> Embedding:
    rows = Embedding.objects.select_related("owner", "head").prefetch_related("tags")
    found = visible(rows.filter(pk=about["embedding"], owner=row.owner_id), viewer).first()
    if found is None:
        raise NotFound("The embedding has been withdrawn since.")
    of: Embedding = found
    return of


def _told(request: HttpRequest, viewer: Viewer, row: Embedding) -> dict[str, Any]:
    """EmbeddingShape."""
    newest = whole.load(whole.pullable(viewer).filter(pk=row.head_id)) if row.head_id else []
    return payloads.embedding(request, row, newest[0] if newest else None)
