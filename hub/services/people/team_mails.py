"""The mail that tells a person of an invitation; the pages tell of it anyway."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.urls import reverse

from hub.models import Invitation
from hub.services.people import mailing

log = logging.getLogger(__name__)


def mail_invitation(invitation_id: int) -> bool:
    """Send it, unless it was answered or withdrawn meanwhile. Whether it went out."""
    rows = Invitation.objects.pending().select_related("user", "team__owner", "invited_by")
    row = rows.filter(pk=invitation_id).first()
    if row is None or not mailing.can_mail(row.user):
        return False
    team = row.team.owner.name
    try:
        mailing.send(
            row.user,
            subject=f"{row.invited_by.username} asks you into the team {team}",
            lines=[
                f"You would be {row.get_role_display()} of {team}, until {row.expires_at:%-d %B} you can answer:",
                str(settings.PUBLIC_URL).rstrip("/") + reverse("teams"),
            ],
        )
    except (SMTPException, OSError) as error:
        log.warning("the mail about invitation %s could not be sent: %s", row.pk, error)
        return False
    return True
