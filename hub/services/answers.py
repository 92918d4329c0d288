"""A call with a key is done once: its answer is kept for a day and given again."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.access import Viewer
from hub.errors import Conflict
from hub.models import KeptAnswer

KEPT = timedelta(days=1)
# A call that has not been answered for so long is dead, and whoever sends it again starts it anew.
DEAD = timedelta(minutes=10)


def begin(viewer: Viewer, *, key: str, fingerprint: str) -> KeptAnswer:
    """The answer that was given (`status` is not 0), or a row to be filled by `finish` or removed by `drop`.

    Raises Conflict: `key_reused` for another call under the same key, `still_running` while the first is being
    worked on.
    """
    assert viewer.user is not None
    KeptAnswer.objects.filter(user=viewer.user, key=key, created_at__lt=timezone.now() - KEPT).delete()
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user=viewer.user, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return _earlier(viewer, key, fingerprint)


def _earlier(viewer: Viewer, key: str, fingerprint: str) -> KeptAnswer:
    row = KeptAnswer.objects.filter(user=viewer.user, key=key).first()
    if row is not None and row.fingerprint != fingerprint:
        message = "This Idempotency-Key was sent with another call; take a new one for each call."
        raise Conflict("key_reused", message, field="Idempotency-Key")
    if row is not None and row.status:
        return row
    dead = timezone.now() - DEAD
    mine = KeptAnswer.objects.filter(user=viewer.user, key=key, status=0, created_at__lt=dead)
    if row is not None and mine.update(created_at=timezone.now()):
        return row
    raise Conflict("still_running", "The same call is being worked on; ask again in a moment.")


def finish(row: KeptAnswer, *, status: int, body: str, location: str) -> None:
    """Keep what was answered."""
    row.status, row.body, row.location = status, body, location
    row.save(update_fields=["status", "body", "location"])


def drop(row: KeptAnswer) -> None:
    """Forget a call that was refused or failed, so that it can be sent again."""
    KeptAnswer.objects.filter(pk=row.pk, status=0).delete()


def sweep() -> int:
    """Remove what nobody will ask for any more; how many."""
    return KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
