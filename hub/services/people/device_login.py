"""Signing a tool in by a code (RFC 8628): the tool asks, a person allows it in the browser, the tool gets a token."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import NotFound, Unacceptable
from hub.models import DeviceLogin
from hub.services import audit
from hub.services.people import tokens

LIFE_SECONDS: Final = 900
INTERVAL_SECONDS: Final = 5
# Without vowels, so that no code is a word, and without letters that look like figures.
_LETTERS: Final = "BCDFGHJKMNPQRSTVWXZ"
State = DeviceLogin.State


def begin() -> tuple[str, DeviceLogin]:
    """A new request; the tool's own secret code, and the row with the code for its person."""
    now = timezone.now()
    code, digits = secrets.token_urlsafe(32), "".join(secrets.choice(_LETTERS) for _ in range(8))
    with transaction.atomic():
        DeviceLogin.objects.filter(expires_at__lt=now).delete()
        row = DeviceLogin.objects.create(
            digest=_digest(code),
            user_code=f"{digits[:4]}-{digits[4:]}",
            expires_at=now + timedelta(seconds=LIFE_SECONDS),
        )
    return code, row


def decide(viewer: Viewer, *, user_code: str, scopes: list[str], allow: bool) -> None:
    """Allow the tool that shows this code a token of the viewer's, or refuse it.

    NotFound for a code that is mistyped, answered already or too old. Unacceptable for scopes that there are not.
    """
    require(viewer, "manage_tokens", viewer.user)
    if allow and (not scopes or not set(scopes) <= set(tokens.SCOPES)):
        raise Unacceptable("field_invalid", f"Scopes are {', '.join(tokens.SCOPES)}.", field="scopes")
    with transaction.atomic():
        rows = DeviceLogin.objects.select_for_update().filter(
            state=State.WAITING, expires_at__gt=timezone.now()
        )
        row = rows.filter(user_code=_plain(user_code)).first()
        if row is None:
            raise NotFound("No tool is waiting with this code. Look for a slip, or start again in the tool.")
        row.state, row.user = State.ALLOWED if allow else State.REFUSED, viewer.user
        row.scopes = scopes if allow else []
        row.save(update_fields=["state", "user", "scopes"])
        audit.record(viewer, "allow_device" if allow else "refuse_device", row.user_code, scopes=row.scopes)


def collect(code: str) -> tuple[str, str]:
    """What has become of a request, in the words of RFC 8628, and the token's secret once it is allowed.

    The secret is handed out once; afterwards the request has expired. Raises as tokens.create.
    """
    with transaction.atomic():
        rows = DeviceLogin.objects.select_for_update(of=("self",)).select_related("user__owner")
        row = rows.filter(digest=_digest(code), expires_at__gt=timezone.now()).first()
        if row is None:
            return "expired_token", ""
        if row.state == State.WAITING:
            return "authorization_pending", ""
        row.delete()
        if row.state == State.REFUSED or row.user is None or not row.user.is_active:
            return "access_denied", ""
        name = f"hf auth login, {timezone.now():%d %b %H:%M}"
        _, secret = tokens.create(Viewer(row.user), name=name, scopes=row.scopes)
    return "", secret


def _plain(user_code: str) -> str:
    """The code as it is kept, however it was typed."""
    letters = "".join(letter for letter in user_code.upper() if letter in _LETTERS)
    return f"{letters[:4]}-{letters[4:]}"


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()
