"""Actors of the queue `default`: small work that a request should not wait for."""

import dramatiq
from django.db import transaction

from hub import blobs
from hub.jobs import promises, ticker
from hub.services import answers, converting, counting, pending
from hub.wire import uploads

HOUR = 3600.0


@dramatiq.actor(actor_name="count_download", queue_name="default")
def count_download(file_id: int, day: str) -> None:
    """Add one download of a file on a day (`YYYY-MM-DD`), once for each promise."""
    with transaction.atomic():
        if promises.first_delivery():
            counting.count_download(file_id=file_id, day=day)


@dramatiq.actor(actor_name="make_files", queue_name="default")
def make_files(version_id: int) -> None:
    """Make every file of a version that went into a pack, so that nobody waits for them at its lock file."""
    converting.make_all(version_id=version_id)


ticker.every(HOUR, answers.sweep)
ticker.every(HOUR, blobs.sweep)
ticker.every(HOUR, pending.sweep)
ticker.every(HOUR, uploads.sweep)
