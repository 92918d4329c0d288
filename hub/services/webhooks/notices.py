"""Telling the owner of a webhook that the hub has switched it off: by mail, beside what the page says."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.db.models.functions import Now
from django.urls import reverse

from hub.models import Webhook
from hub.services.people import mailing

log = logging.getLogger(__name__)
PATIENCE: Final = timedelta(days=1)
MAILS_AT_ONCE: Final = 20
_ADVICE: Final = (
    "What waited for it was given up. Mend the receiver, send a test, then switch the webhook on again; "
    "what was missed can be sent again from there."
)


def send_due() -> int:
    """Send the mails that wait; answers how many. A server that is out is tried again later, for a day.

    Each mail goes out once: whoever marks the webhook sends it.
    """
    rows = Webhook.objects.filter(is_active=False, told_at=None, off_at__gt=Now() - PATIENCE)
    sent = 0
    for webhook in rows.exclude(off_reason="").select_related("user")[:MAILS_AT_ONCE]:
        if not Webhook.objects.filter(pk=webhook.pk, told_at=None).update(told_at=Now()):
            continue
        try:
            sent += _mail(webhook)
        except (SMTPException, OSError) as error:
            log.warning("%s: the mail about its end could not be sent: %s", webhook, error)
            Webhook.objects.filter(pk=webhook.pk).update(told_at=None)
            break
    return sent


def _mail(webhook: Webhook) -> bool:
    if not mailing.can_mail(webhook.user):
        return False
    mailing.send(
        webhook.user,
        subject=f"Your webhook to {webhook.host} was switched off",
        lines=[
            webhook.off_reason,
            _ADVICE,
            str(settings.PUBLIC_URL) + reverse("webhook", args=[webhook.pk]),
        ],
    )
    return True
