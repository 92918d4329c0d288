"""Owners are told of rulings: a row in the transaction of the ruling, and a mail where the hub sends any."""

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import Final

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from hub.models import Membership, Notice, Role, Ruling, User
from hub.services.people import mailing

log = logging.getLogger(__name__)
PATIENCE: Final = timedelta(days=1)
MAILS_AT_ONCE: Final = 20


def tell(ruling: Ruling, about: str) -> None:
    """Promise to tell the people whose thing it is about, in the caller's transaction."""
    Notice.objects.bulk_create([Notice(user=user, ruling=ruling, about=about) for user in people_of(ruling)])


def people_of(ruling: Ruling) -> QuerySet[User]:
    """Whom a ruling concerns: the person, or the admins of the team, under whose name the thing stands."""
    thing = ruling.thing
    owner = getattr(thing, "owner_id", None) or (thing.pk if thing is not None else None)
    admins = Membership.objects.filter(team=owner, role=Role.ADMIN).values("user")
    return User.objects.filter(owner=owner) | User.objects.filter(pk__in=admins)


def send_due() -> int:
    """Send the mails that wait; answers how many. A server that is out is tried again later, for a day."""
    rows = Notice.objects.filter(mailed_at=None, made_at__gt=Now() - PATIENCE)
    loaded = rows.select_related(
        "user", "ruling__version__embedding__owner", "ruling__pack__owner", "ruling__owner", "ruling__appeal"
    )
    sent = 0
    for notice in loaded[:MAILS_AT_ONCE]:
        # Each mail goes out once: whoever marks the row sends it.
        if not Notice.objects.filter(pk=notice.pk, mailed_at=None).update(mailed_at=Now()):
            continue
        try:
            sent += _mail(notice)
        except (SMTPException, OSError) as error:
            log.warning("notice %s could not be sent: %s", notice.pk, error)
            Notice.objects.filter(pk=notice.pk).update(mailed_at=None)
            break
    return sent


def _mail(notice: Notice) -> bool:
    if not mailing.can_mail(notice.user):
        return False
    mailing.send(notice.user, subject=_subject(notice), lines=_lines(notice))
    return True


def _subject(notice: Notice) -> str:
    ruling = notice.ruling
    if notice.about == Notice.About.ANSWERED:
        return f"Your appeal about {ruling.name} was answered"
    if notice.about == Notice.About.LIFTED:
        return f"{ruling.name}: the ruling was taken back"
    return f"{ruling.name}: {ruling.get_kind_display()}"


def _lines(notice: Notice) -> list[str]:
    ruling = notice.ruling
    what = f"{ruling.name} {ruling.version.name}" if ruling.version else ruling.name
    link = f"{settings.PUBLIC_URL}{reverse('own_ruling', args=[ruling.pk])}"
    if notice.about == Notice.About.ANSWERED:
        appeal = ruling.appeal
        return [f"{what}: {appeal.get_outcome_display()}.", appeal.answer, link]
    if notice.about == Notice.About.LIFTED:
        return [f"{what} is again what it was before.", ruling.lifted_reason, link]
    told = [f"{what}: {ruling.get_kind_display()}, for {ruling.get_category_display()}.", ruling.reason]
    if ruling.kind == Ruling.Kind.FREEZE:
        contact = settings.HUB["HUB_CONTACT"]
        return [
            *told,
            f"If this is wrong, write to {contact}." if contact else "If this is wrong, answer this mail.",
        ]
    return [*told, "If this is wrong, say so once, there:", link]
