"""Carries promised jobs to the broker: at once after the commit, and by a sweep for what was missed."""

import logging
import time
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone
from dramatiq import Message

from hub.jobs import broker
from hub.killpoints import kill_point
from hub.models import OutboxJob

log = logging.getLogger(__name__)

# After a failure a request does not try the broker again for this long; the sweep does.
QUIET_SECONDS = 5.0
# The broker's memory may lose its last second to a power cut: what was sent and is not done is sent again
# after this long, then after twice as long, and so on.
RESEND_SECONDS = 600
LONGEST_RESEND = 10
_MEMORY_KEY = "hub:outbox:remembered"
_quiet_until = 0.0


def send_now(job: OutboxJob) -> bool:
    """Send a job whose transaction has just committed; False leaves it to the sweep."""
    global _quiet_until
    kill_point("K10")
    if time.monotonic() < _quiet_until:
        return False
    try:
        _notice_emptied()
        _send(job)
    except broker.OUT as error:
        _quiet_until = time.monotonic() + QUIET_SECONDS
        log.warning("the broker is out, job %s waits for the sweep: %s", job, error)
        return False
    return True


def send_pending(limit: int = 200) -> int:
    """Send the jobs that are due and not sent, oldest first; answers how many. A broker that is out: 0."""
    sent = 0
    try:
        _notice_emptied()
        _doubt_old()
        for job in _due(limit):
            _send(job)
            sent += 1
    except broker.OUT as error:
        log.warning("the broker is out, jobs wait: %s", error)
    return sent


def _due(limit: int) -> list[OutboxJob]:
    now = timezone.now()
    due = Q(run_after=None) | Q(run_after__lte=now)
    return list(OutboxJob.objects.filter(due, sent_at=None).order_by("created_at")[:limit])


def _notice_emptied() -> None:
    """Mark everything as unsent when the key is gone: then all that was in the broker is gone too."""
    if broker.get().client.set(_MEMORY_KEY, "1", nx=True):
        OutboxJob.objects.exclude(sent_at=None).update(sent_at=None)


def _doubt_old() -> None:
    """Mark as unsent what was sent long ago and is still not done."""
    now, old = timezone.now(), Q(pk=None)
    for attempts in range(1, LONGEST_RESEND + 1):
        old |= Q(attempts=attempts, sent_at__lt=now - timedelta(seconds=RESEND_SECONDS * 2 ** (attempts - 1)))
    # Looked for first, since an UPDATE takes SQLite's only write lock even when it finds nothing.
    if OutboxJob.objects.filter(old).exists():
        OutboxJob.objects.filter(old).update(sent_at=None)


def _send(job: OutboxJob) -> None:
    # The row's id is in the message, so that the worker can say which promise it kept.
    message: Message[None] = Message(
        queue_name=job.queue,
        actor_name=job.name,
        args=tuple(job.args),
        kwargs={},
        options={"outbox": str(job.id)},
    )
    broker.get().enqueue(message)
    kill_point("K11")
    OutboxJob.objects.filter(id=job.id).update(sent_at=timezone.now(), attempts=F("attempts") + 1)
