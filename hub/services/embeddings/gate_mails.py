"""Mails about gated embeddings: to those who answer a request, and to whoever asked; the pages tell of both anyway."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.urls import reverse

from hub.models import AccessRequest, Membership, Role, User
from hub.services.people import mailing

log = logging.getLogger(__name__)


def readers(row: AccessRequest) -> list[User]:
    """Whom the hub can tell of a request: the owner, or the admins of the team."""
    owner = row.embedding.owner_id
    admins = Membership.objects.filter(team=owner, role=Role.ADMIN).values("user")
    found = User.objects.filter(owner=owner) | User.objects.filter(pk__in=admins)
    return [user for user in found.filter(is_active=True).order_by("pk") if mailing.can_mail(user)]


def mail_request(request_id: int) -> int:
    """Tell of a request that still waits; how many mails went out."""
    row = _row(request_id)
    if row is None or row.state != AccessRequest.State.PENDING:
        return 0
    name, person = row.embedding.full_name, row.user.username
    lines = [
        f"{person} asks for the files of {name}.",
        row.message,
        f"Answer there: {_address('access_requests', row)}",
    ]
    return sum(_send(row, user, f"{person} asks for {name}", lines) for user in readers(row))


def mail_answer(request_id: int) -> bool:
    """Tell whoever asked what they were answered, unless that was undone meanwhile. Whether it went out."""
    row = _row(request_id)
    if row is None or row.state == AccessRequest.State.PENDING or not mailing.can_mail(row.user):
        return False
    name, is_yes = row.embedding.full_name, row.state == AccessRequest.State.ACCEPTED
    lines = [
        f"You may have the files of {name} now." if is_yes else f"You may not have the files of {name}.",
        row.reason,
        _address("entry", row),
    ]
    return _send(row, row.user, f"{name}: you are let in" if is_yes else f"{name}: your request", lines)


def _row(request_id: int) -> AccessRequest | None:
    rows = AccessRequest.objects.select_related("user", "embedding__owner")
    return rows.filter(pk=request_id, embedding__deleted_at=None).first()


def _address(route: str, row: AccessRequest) -> str:
    place = reverse(route, args=[row.embedding.owner.name, row.embedding.name])
    return str(settings.PUBLIC_URL).rstrip("/") + place


def _send(row: AccessRequest, user: User, subject: str, lines: list[str]) -> bool:
    try:
        mailing.send(user, subject=subject, lines=lines)
    except (SMTPException, OSError) as error:
        log.warning("the mail about access request %s could not be sent: %s", row.pk, error)
        return False
    return True
