"""A person's own webhooks: adding, changing, a new secret, a test, sending again, taking away."""

from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.utils import timezone

from hub.access import Viewer, require
from hub.catalog import webhooks as reads
from hub.errors import Conflict, NotFound, Unacceptable
from hub.models import Delivery, Embedding, User, Webhook
from hub.services import audit
from hub.services.webhooks import events, signing, targets

MAX_WEBHOOKS: Final = 20
# Tests and repeats that one webhook may have under way, so that nobody makes the hub hammer a host.
MAX_WAITING_BY_HAND: Final = 20
State = Delivery.State


def create(
    viewer: Viewer, *, url: str, events: Iterable[str], embedding: Embedding | None = None
) -> tuple[Webhook, str]:
    """A new webhook and its secret, which is shown this once.

    Raises Unacceptable for an address, an event or an embedding that cannot be, Conflict `too_many_webhooks`,
    Forbidden `webhooks_off` or `insufficient_scope`.
    """
    require(viewer, "manage_webhooks", viewer.user.owner if viewer.user else None)
    assert viewer.user is not None
    targets.target(url)
    webhook = Webhook(
        owner=viewer.user.owner,
        user=viewer.user,
        embedding=_own(viewer, embedding),
        url=url,
        events=_known(viewer, events),
        nonce=signing.new_nonce(),
    )
    with transaction.atomic():
        User.objects.select_for_update().get(pk=viewer.user.pk)
        if Webhook.objects.filter(owner=viewer.user.owner_id).count() >= MAX_WEBHOOKS:
            raise Conflict("too_many_webhooks", f"You have {MAX_WEBHOOKS} webhooks; delete one first.")
        webhook.save(force_insert=True)
        audit.record(viewer, "create_webhook", webhook, webhook=webhook.pk, events=webhook.events)
    return webhook, signing.secret_of(webhook.nonce)


def update(
    viewer: Viewer,
    *,
    webhook: Webhook,
    url: str | None = None,
    events: Iterable[str] | None = None,
    is_active: bool | None = None,
    only: tuple[Embedding | None] | None = None,
) -> Webhook:
    """Change what is given; `only` holds the one embedding, or None for all. Raises as `create`.

    Switched off, what waits is given up. Switched on, its failures are forgotten.
    """
    require(viewer, "manage_webhooks", webhook)
    if url is not None and url != webhook.url:
        targets.target(url)
    tells_no_more = url is None and events is None and only is None and not is_active
    known = webhook.events if tells_no_more else _known(viewer, webhook.events if events is None else events)
    if is_active:
        targets.require_on()
    with transaction.atomic():
        row = _locked(webhook)
        row.url, row.events = url or row.url, known
        if only is not None:
            row.embedding = _own(viewer, only[0])
        if is_active is False and row.is_active:
            switch_off(row)
        elif is_active and not row.is_active:
            row.is_active, row.off_at, row.off_reason, row.told_at = True, None, "", None
            row.failing_since, row.failures = None, 0
        row.save()
        audit.record(
            viewer, "update_webhook", row, webhook=row.pk, events=row.events, is_active=row.is_active
        )
    return row


def rotate(viewer: Viewer, *, webhook: Webhook) -> str:
    """A new secret, shown this once; for a day the old one signs as well, so that receivers can change over."""
    require(viewer, "manage_webhooks", webhook)
    with transaction.atomic():
        row = _locked(webhook)
        row.former_nonce, row.nonce, row.rotated_at = row.nonce, signing.new_nonce(), timezone.now()
        row.save(update_fields=["former_nonce", "nonce", "rotated_at"])
        audit.record(viewer, "rotate_webhook", row, webhook=row.pk)
    return signing.secret_of(row.nonce)


def delete(viewer: Viewer, *, webhook: Webhook) -> None:
    """Take it away with all that was sent to it; harmless to repeat."""
    require(viewer, "manage_webhooks", webhook)
    with transaction.atomic():
        row = Webhook.objects.filter(pk=webhook.pk).first()
        if row is not None:
            audit.record(viewer, "delete_webhook", row, webhook=row.pk)
            row.delete()


def ping(viewer: Viewer, *, webhook: Webhook) -> Delivery:
    """Send a test, once and also to one that is switched off. Conflict `too_many_deliveries` with many under way."""
    require(viewer, "manage_webhooks", webhook)
    targets.require_on()
    with transaction.atomic():
        row = _locked(webhook)
        _check_quiet(row)
        return events.promise([row], events.PING, webhook=row.pk)[0]


def redeliver(viewer: Viewer, *, delivery: Delivery) -> Delivery:
    """Send it once more, under the same id; at once where it waits to be tried again. Its tries are counted anew.

    Conflict `too_many_deliveries` as for `ping`.
    """
    require(viewer, "manage_webhooks", delivery.webhook)
    targets.require_on()
    with transaction.atomic():
        webhook = _locked(delivery.webhook)
        row = webhook.deliveries.select_for_update().filter(pk=delivery.pk).first()
        if row is None:
            raise NotFound()
        if row.is_in_hand:
            return row
        if row.state != State.WAITING:
            _check_quiet(webhook)
        row.state, row.attempts, row.message, row.next_at = State.WAITING, 0, "", timezone.now()
        row.save(update_fields=["state", "attempts", "next_at", "message"])
        events.wake()
    return row


def switch_off(row: Webhook, *, reason: str = "") -> None:
    """Set a locked row to off and give up what waits for it; the caller saves it. With a `reason` its owner is told."""
    row.is_active, row.off_at, row.off_reason, row.told_at = False, timezone.now(), reason[:280], None
    row.deliveries.filter(state=State.WAITING).update(
        state=State.FAILED, message="The webhook was switched off.", lease_until=None
    )


def _locked(webhook: Webhook) -> Webhook:
    row = (
        Webhook.objects.select_for_update(of=("self",))
        .select_related("owner", "embedding__owner")
        .filter(pk=webhook.pk)
        .first()
    )
    if row is None:
        raise NotFound()
    return row


def _check_quiet(webhook: Webhook) -> None:
    if webhook.deliveries.filter(state=State.WAITING).count() >= MAX_WAITING_BY_HAND:
        raise Conflict(
            "too_many_deliveries", "Many deliveries of this webhook wait already; let them end first."
        )


def _known(viewer: Viewer, named: Iterable[str]) -> list[str]:
    """The events in the order of the table, if there are such and the viewer may read what they tell."""
    wanted = set(named)
    if not wanted or not wanted <= set(events.EVENTS):
        raise Unacceptable("field_invalid", f"Events are {', '.join(events.EVENTS)}.", field="events")
    for event in wanted:
        reads.require_sight(viewer, event=event)
    return [event for event in events.EVENTS if event in wanted]


def _own(viewer: Viewer, embedding: Embedding | None) -> Embedding | None:
    assert viewer.user is not None
    if embedding is not None and embedding.owner_id != viewer.user.owner_id:
        raise Unacceptable("field_invalid", "Name one of your own embeddings.", field="embedding")
    return embedding
