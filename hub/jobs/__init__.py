"""Jobs that cannot be lost: promised in the transaction of their cause, sent by name after its commit.

A job's row stays until the job has been done, so a stopped, emptied or replaced broker costs time and
nothing else. The price: a job may be delivered twice, so every actor is safe to run twice.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from hub.jobs import relay
from hub.models import OutboxJob

__all__ = ["QUEUE_OF", "enqueue", "register"]

QUEUE_OF: dict[str, str] = {
    "count_download": "default",
    "mail_invitation": "default",
    "mail_access_request": "default",
    "mail_access_answer": "default",
    "make_files": "default",
    "render_sheet": "gpu",
    "run_training": "gpu",
    "send_webhooks": "hooks",
}


def register(name: str, queue: str) -> None:
    """Say which queue does the jobs of this name. ValueError when another queue was named before."""
    if QUEUE_OF.setdefault(name, queue) != queue:
        raise ValueError(f"jobs named {name!r} belong to queue {QUEUE_OF[name]!r}")


def enqueue(name: str, *args: Any, delay_seconds: float = 0) -> None:
    """Promise a job: its row commits or rolls back with the caller's transaction.

    Arguments are numbers, texts and ids. A broker that is out delays the job and fails nothing.
    LookupError for a name without a queue.
    """
    if name not in QUEUE_OF:
        raise LookupError(f"no queue does jobs named {name!r}")
    plain = [str(argument) if isinstance(argument, UUID) else argument for argument in args]
    run_after = timezone.now() + timedelta(seconds=delay_seconds) if delay_seconds else None
    job = OutboxJob.objects.create(name=name, queue=QUEUE_OF[name], args=plain, run_after=run_after)
    if run_after is None:
        transaction.on_commit(lambda: relay.send_now(job))
