"""Mails to the hub's own people: whether one may be sent, and sending it."""

from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from hub.models import User

MAIL_SECONDS: Final = 15


def can_mail(user: User | None) -> bool:
    """Whether the hub sends mail and knows that the address is this person's own."""
    if user is None or not user.email or not settings.HUB["HUB_EMAIL_URL"]:
        return False
    if user.made_by_operator:
        return True
    return EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=True).exists()


def send(user: User, *, subject: str, lines: list[str]) -> None:
    """One mail, a paragraph a line; empty ones are left out. Raises SMTPException or OSError."""
    EmailMessage(
        subject,
        "\n\n".join(line for line in lines if line) + "\n",
        to=[user.email],
        connection=get_connection(timeout=MAIL_SECONDS),
    ).send()
