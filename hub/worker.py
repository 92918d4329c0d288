"""Actors of the queues `default` and `hooks`: small work that a request should not wait for, and webhooks."""

import logging
import time
from typing import Final

import dramatiq
from django.db import transaction

from hub import blobs
from hub.api import webhook_bodies
from hub.errors import NotFound
from hub.jobs import promises, ticker
from hub.killpoints import kill_point
from hub.models import Delivery
from hub.services import answers
from hub.services.embeddings import gate_mails
from hub.services.moderation import notices
from hub.services.people import team_mails
from hub.services.pushing import pending
from hub.services.upkeep import counting
from hub.services.versions import converting
from hub.services.webhooks import events, sending, signing
from hub.services.webhooks import notices as webhook_notices
from hub.services.webhooks.sending import Outcome
from hub.wire import outgoing, uploads

log = logging.getLogger(__name__)
HOUR = 3600.0
WAKE_SECONDS: Final = 5.0
MAIL_SECONDS: Final = 30.0
# One job sends for so long at most, so that a stop need not wait for a long line; the next one goes on.
SENDING_SECONDS: Final = 20.0
AGENT: Final = "Glossa-Webhooks/1"


@dramatiq.actor(actor_name="count_download", queue_name="default")
def count_download(file_id: int, day: str) -> None:
    """Add one download of a file on a day (`YYYY-MM-DD`), once for each promise.

    Hubs of before promised each pull as a job; this does what is left of that.
    """
    with transaction.atomic():
        if promises.first_delivery():
            counting.count_download(file_id=file_id, day=day)


@dramatiq.actor(actor_name="make_files", queue_name="default")
def make_files(version_id: int) -> None:
    """Make every file of a version that went into a pack, so that nobody waits for them at its lock file."""
    converting.make_all(version_id=version_id)


@dramatiq.actor(actor_name="mail_invitation", queue_name="default", max_retries=3)
def mail_invitation(invitation_id: int) -> None:
    """Tell a person by mail that a team wants them."""
    team_mails.mail_invitation(invitation_id)


@dramatiq.actor(actor_name="mail_access_request", queue_name="default", max_retries=3)
def mail_access_request(request_id: int) -> None:
    """Tell by mail those who answer it that somebody asks for the files of a gated embedding."""
    gate_mails.mail_request(request_id)


@dramatiq.actor(actor_name="mail_access_answer", queue_name="default", max_retries=3)
def mail_access_answer(request_id: int) -> None:
    """Tell whoever asked for the files by mail what they were answered."""
    gate_mails.mail_answer(request_id)


@dramatiq.actor(actor_name=events.JOB, queue_name="hooks", max_retries=3)
def send_webhooks() -> None:
    """Send what is due until nothing is. The message only woke this worker: the rows say what there is to do."""
    until = time.monotonic() + SENDING_SECONDS
    while time.monotonic() < until and (claimed := sending.claim_next()) is not None:
        send(claimed)
        kill_point("K53")


def send(claimed: Delivery) -> None:
    """One attempt, and what came of it in the row, whatever that was."""
    kill_point("K51")
    try:
        body = webhook_bodies.body(claimed)
    except NotFound as error:
        sending.drop(claimed, message=f"{error.message} Nothing was sent.")
        return
    except Exception:
        log.exception("delivery %s could not be written", claimed.key)
        sending.record(claimed, Outcome(None, "The hub met an error of its own; it tries again."))
        return
    outcome = _attempt(claimed, body)
    kill_point("K52")
    sending.record(claimed, outcome)


def _attempt(claimed: Delivery, body: bytes) -> Outcome:
    start, told = time.monotonic(), body.decode()
    signed = signing.headers(claimed.webhook, key=str(claimed.key), at=int(time.time()), body=body)
    headers = {"Content-Type": "application/json", "User-Agent": AGENT, **signed}
    try:
        status = outgoing.post(claimed.webhook.url, body=body, headers=headers)
    except outgoing.Undelivered as error:
        return Outcome(None, str(error), outgoing.milliseconds_since(start), told)
    message = "" if 200 <= status < 300 else outgoing.refusal(status)
    return Outcome(status, message, outgoing.milliseconds_since(start), told)


ticker.every(WAKE_SECONDS, sending.wake)
ticker.every(MAIL_SECONDS, notices.send_due)
ticker.every(MAIL_SECONDS, webhook_notices.send_due)
ticker.every(HOUR, sending.sweep)
ticker.every(HOUR, answers.sweep)
ticker.every(HOUR, blobs.sweep)
ticker.every(HOUR, pending.sweep)
ticker.every(HOUR, uploads.sweep)
