"""Telling a run's owner that it ended: on the pages until it was seen, and by mail where that was asked for."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.db.models.functions import Now
from django.urls import reverse

from hub.access import Viewer, require
from hub.errors import Conflict
from hub.services.people import mailing
from hub.services.people.mailing import can_mail
from trainer.models import TrainingRun

log = logging.getLogger(__name__)
State = TrainingRun.State
# A mail that could not be sent for so long is no news any more.
PATIENCE: Final = timedelta(hours=6)
MAILS_AT_ONCE: Final = 20


def see(viewer: Viewer, *, run: TrainingRun) -> None:
    """Take note that whoever started the run looks at it; of one that goes on, or of others', nothing is noted."""
    if viewer.user is None or viewer.user.pk != run.created_by_id or not run.is_over or run.seen_at:
        return
    TrainingRun.objects.filter(pk=run.pk, seen_at=None).update(seen_at=Now())


def ask(viewer: Viewer, *, run: TrainingRun, wanted: bool) -> None:
    """Have a mail sent when the run ends, or not. Conflict `state_conflict` when none can be sent or it is over."""
    require(viewer, "see_training_images", run)
    if wanted and run.is_over:
        raise Conflict("state_conflict", "This run is over already.")
    if wanted and not can_mail(viewer.user):
        raise Conflict("state_conflict", "There is no confirmed mail address that this hub could write to.")
    TrainingRun.objects.filter(pk=run.pk).update(tell_by_mail=wanted)


def send_due() -> int:
    """Send the mails about ended runs that wait. Returns how many went out; a server that is out is tried again later.

    Each mail goes out once: whoever marks the run sends it.
    """
    due = TrainingRun.objects.filter(
        tell_by_mail=True,
        told_at=None,
        state__in=(State.DONE, State.FAILED),
        finished_at__gt=Now() - PATIENCE,
    ).select_related("created_by", "embedding__owner")[:MAILS_AT_ONCE]
    sent = 0
    for run in due:
        if not TrainingRun.objects.filter(pk=run.pk, told_at=None).update(told_at=Now()):
            continue
        try:
            _mail(run)
        except (SMTPException, OSError) as error:
            log.warning("run %s: the mail about its end could not be sent: %s", run.pk, error)
            TrainingRun.objects.filter(pk=run.pk).update(told_at=None)
            break
        sent += 1
    return sent


def _mail(run: TrainingRun) -> None:
    if not can_mail(run.created_by):
        return
    address = str(settings.PUBLIC_URL).rstrip("/") + reverse("run", args=[run.pk])
    is_done = run.state == State.DONE
    subject = f"{run.trigger} is learned" if is_done else f"{run.trigger} could not be learned"
    lines = [
        "Its preview sheet waits for you; look it over, then publish." if is_done else run.message,
        run.message if is_done and run.message else "",
        address,
    ]
    mailing.send(run.created_by, subject=subject, lines=lines)
