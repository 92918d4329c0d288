"""Whose turn it is and what came of it. The row of a delivery is the truth; messages only wake a worker.

Each is sent at least once: a worker takes it under a lease, and writes down what came of it only while that lease is
its own. What a dead worker held is due again when the lease has run out.
"""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from hub.models import Delivery, OutboxJob, Webhook
from hub.services.webhooks import events, webhooks

# Longer than any attempt may take (`hub.wire.outgoing`).
LEASE: Final = timedelta(seconds=60)
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
# A webhook that has failed for so long, and so often, is switched off.
OFF_AFTER: Final = timedelta(days=3)
OFF_FAILURES: Final = 12
KEPT: Final = timedelta(days=30)
State = Delivery.State


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: the status that was answered, or None and why there was no answer."""

    status: int | None
    message: str = ""
    milliseconds: int | None = None
    body: str = ""

    @property
    def is_good(self) -> bool:
        """Taken by the receiver."""
        return self.status is not None and 200 <= self.status < 300


def claim_next() -> Delivery | None:
    """Take the delivery that has been due for longest, or None when nothing is."""
    for pk in list(_due().order_by("next_at", "pk").values_list("pk", flat=True)[:20]):
        taken = _due().filter(pk=pk)
        if taken.update(lease_until=Now() + LEASE, attempts=F("attempts") + 1, sent_at=Now()):
            return Delivery.objects.select_related("webhook__user__owner", "webhook__owner").get(pk=pk)
    return None


def record(claimed: Delivery, outcome: Outcome) -> None:
    """Write down what came of an attempt: delivered, tried again later, or given up. Nothing once the lease is lost."""
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update().filter(pk=claimed.webhook_id).first()
        row = _held(claimed)
        if webhook is None or row is None:
            return
        row.status, row.message, row.body = outcome.status, outcome.message[:280], outcome.body
        row.milliseconds, row.lease_until = outcome.milliseconds, None
        if outcome.is_good:
            row.state = State.DELIVERED
            webhook.failing_since, webhook.failures = None, 0
        elif row.event == events.PING or row.attempts > len(WAITS):
            row.state = State.FAILED
        else:
            row.next_at = timezone.now() + WAITS[row.attempts - 1]
        row.save()
        if row.event != events.PING and not outcome.is_good:
            _note_failure(webhook, row)
        webhook.save()


def drop(claimed: Delivery, *, message: str) -> None:
    """End a delivery whose owner may not see any more what it is about. Nothing is sent."""
    with transaction.atomic():
        row = _held(claimed)
        if row is not None:
            row.state, row.message, row.lease_until, row.sent_at = State.DROPPED, message[:280], None, None
            row.save()


def wake() -> None:
    """Have a worker woken when something is due and none is on its way; for every few seconds."""
    on_its_way = OutboxJob.objects.filter(name=events.JOB, created_at__gt=Now() - LEASE)
    if on_its_way.exists() or not _due().exists():
        return
    with transaction.atomic():
        events.wake()


def sweep() -> int:
    """Forget what ended long ago; answers how much."""
    old = Delivery.objects.exclude(state=State.WAITING).filter(created_at__lt=Now() - KEPT)
    return old.delete()[0]


def _due() -> QuerySet[Delivery]:
    is_free = Q(lease_until=None) | Q(lease_until__lt=Now())
    # By the clock that set it: SQLite's own knows milliseconds only, and would be behind by a part of one.
    return Delivery.objects.filter(is_free, state=State.WAITING, next_at__lte=timezone.now())


def _held(claimed: Delivery) -> Delivery | None:
    rows = Delivery.objects.select_for_update(of=("self",))
    return rows.filter(pk=claimed.pk, state=State.WAITING, lease_until=claimed.lease_until).first()


def _note_failure(webhook: Webhook, row: Delivery) -> None:
    """Count it; switch the webhook off when its receiver says that it is gone, or has failed for days."""
    now = timezone.now()
    webhook.failing_since, webhook.failures = webhook.failing_since or now, webhook.failures + 1
    has_failed_for_days = webhook.failing_since < now - OFF_AFTER and webhook.failures >= OFF_FAILURES
    if not webhook.is_active:
        return
    if row.status == HTTPStatus.GONE:
        webhooks.switch_off(webhook, reason="Its receiver answered 410: it is gone.")
    elif has_failed_for_days:
        days = (now - webhook.failing_since).days
        webhooks.switch_off(webhook, reason=f"Nothing has arrived there for {days} days.")
    elif row.status is None and row.state == State.WAITING:
        # Nobody answers: what else waits for this webhook does not try, one after the other, to find out the same.
        webhook.deliveries.filter(state=State.WAITING, lease_until=None, next_at__lt=row.next_at).update(
            next_at=row.next_at
        )
