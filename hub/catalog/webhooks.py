"""A person's own webhooks and what was sent to them."""

from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from hub.access import ACTS, Viewer, has_scope_for, require
from hub.errors import Forbidden, NotFound
from hub.models import Delivery, Webhook


def list_own(viewer: Viewer) -> QuerySet[Webhook]:
    """The viewer's webhooks, newest first; `last_state` and `last_status` are those of the newest delivery."""
    require(viewer, "manage_webhooks", viewer.user.owner if viewer.user else None)
    assert viewer.user is not None
    newest = Delivery.objects.filter(webhook=OuterRef("pk")).order_by("-created_at", "-pk")
    return (
        Webhook.objects.filter(owner=viewer.user.owner_id)
        .select_related("embedding__owner", "owner")
        .annotate(
            last_state=Subquery(newest.values("state")[:1]),
            last_status=Subquery(newest.values("status")[:1]),
        )
        .order_by("-created_at", "-pk")
    )


def own(viewer: Viewer, *, number: int) -> Webhook:
    """One of the viewer's webhooks. NotFound for everybody else's."""
    found = list_own(viewer).filter(pk=number).first()
    if found is None:
        raise NotFound("You have no webhook of this number.")
    return found


def deliveries(webhook: Webhook) -> QuerySet[Delivery]:
    """What a webhook of the viewer's was told, newest first."""
    return webhook.deliveries.order_by("-created_at", "-pk")


def delivery(webhook: Webhook, *, key: UUID) -> Delivery:
    """One of its deliveries. NotFound for those of others, and for what is past keeping."""
    found = webhook.deliveries.filter(key=key).first()
    if found is None:
        raise NotFound("This webhook was told nothing under this id, or too long ago.")
    return found


def require_sight(viewer: Viewer, *, event: str) -> None:
    """Forbidden `insufficient_scope` for a token that could not read what this event tells."""
    act = "see_run" if event.startswith("run.") else "see_private"
    if not has_scope_for(viewer, act):
        scope = ACTS[act].scope
        message = f"What {event} tells needs a token with the scope “{scope}”."
        raise Forbidden("insufficient_scope", message, scope=scope)
