"""Access tokens: `glossa_` + 40 random base62 characters + a checksum of 6. Only their SHA-256 is stored."""

import hashlib
import re
import secrets
import string
import zlib
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, NotFound, Unacceptable, Unauthenticated
from hub.killpoints import kill_point
from hub.models import AccessToken, User
from hub.services import audit

SCOPES: Final = ("read", "publish", "manage", "train")
DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 366
MAX_TOKENS: Final = 50

_PREFIX: Final = "glossa_"
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SHAPE: Final = re.compile(rf"{_PREFIX}([0-9A-Za-z]{{40}})([0-9A-Za-z]{{6}})")


def create(
    viewer: Viewer, *, name: str, scopes: list[str], days: int | None = DEFAULT_DAYS
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is shown this once.

    Raises Unacceptable for a name, scope or age out of bounds, Conflict `too_many_tokens` over MAX_TOKENS.
    """
    require(viewer, "manage_tokens", viewer.user)
    assert viewer.user is not None
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80 or not name.isprintable():
        raise Unacceptable("field_invalid", "Give the token a name of at most 80 characters.", field="name")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise Unacceptable("field_invalid", f"Scopes are {', '.join(SCOPES)}.", field="scopes")
    if days is None or not 1 <= days <= MAX_DAYS:
        raise Unacceptable("field_invalid", f"A token lives 1 to {MAX_DAYS} days.", field="days")
    body = "".join(secrets.choice(_ALPHABET) for _ in range(40))
    secret = _PREFIX + body + _checksum(body)
    with transaction.atomic():
        viewer.user.__class__.objects.select_for_update().get(pk=viewer.user.pk)
        if AccessToken.objects.usable().filter(user=viewer.user).count() >= MAX_TOKENS:
            raise Conflict("too_many_tokens", f"You have {MAX_TOKENS} tokens; revoke one first.")
        token = AccessToken.objects.create(
            user=viewer.user,
            name=name,
            digest=_digest(secret),
            prefix=secret[:11],
            scopes=[scope for scope in SCOPES if scope in scopes],
            expires_at=timezone.now() + timedelta(days=days),
        )
        audit.record(viewer, "create_token", token.prefix, scopes=token.scopes, days=days)
    return token, secret


def revoke(viewer: Viewer, *, token: AccessToken) -> None:
    """End a token from the next request on; harmless to repeat. NotFound for somebody else's."""
    require(viewer, "manage_tokens", viewer.user)
    assert viewer.user is not None
    if token.user_id != viewer.user.pk:
        raise NotFound()
    _end(viewer, token)


def give_up(viewer: Viewer) -> None:
    """End the very token that the viewer came with. NotFound for a viewer who came without one."""
    require(viewer, "give_up_token", viewer.user)
    if viewer.token is None:
        raise NotFound("This call came without a token; name the one to revoke.")
    _end(viewer, viewer.token)


def _end(viewer: Viewer, token: AccessToken) -> None:
    with transaction.atomic():
        if AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(viewer, "revoke_token", token.prefix)
    kill_point("K49")


def viewer_for(secret: str) -> Viewer:
    """Whoever holds this secret. Unauthenticated for one that is mistyped, unknown, revoked or expired."""
    shape = _SHAPE.fullmatch(secret)
    if shape is None or _checksum(shape[1]) != shape[2]:
        raise Unauthenticated("not_authenticated", "This is not an access token of this hub.")
    token = AccessToken.objects.select_related("user__owner").filter(digest=_digest(secret)).first()
    if token is None:
        raise Unauthenticated("not_authenticated", "This access token is not known here.")
    if token.revoked_at is not None or not token.user.is_active:
        raise Unauthenticated("token_revoked", "This access token was revoked.")
    if not token.is_usable:
        raise Unauthenticated("token_expired", "This access token has expired; make a new one.")
    _note_use(token)
    return Viewer(token.user, token)


def viewer_again(*, user_id: int, token_id: int) -> Viewer:
    """The viewer that a signed link was made for: a person, or one of a person's tokens (0: by session).

    Unauthenticated when the account is frozen, or the token no longer works.
    """
    if token_id:
        token = AccessToken.objects.usable().select_related("user__owner").filter(pk=token_id).first()
        if token is not None and token.user_id == user_id:
            return Viewer(token.user, token)
    else:
        user = User.objects.select_related("owner").filter(pk=user_id, is_active=True).first()
        if user is not None:
            return Viewer(user)
    raise Unauthenticated("not_authenticated", "Sign in, or send an access token.")


def refuse_secrets(text: str, *, field: str) -> None:
    """Refuse text that shows one of our own tokens, and revoke the token: it has been seen."""
    found = [match[0] for match in _SHAPE.finditer(text) if _checksum(match[1]) == match[2]]
    if not found:
        return
    digests = [_digest(secret) for secret in found]
    AccessToken.objects.filter(digest__in=digests, revoked_at=None).update(revoked_at=timezone.now())
    raise Unacceptable(
        "secret_in_text",
        "This text holds an access token of this hub. The token was revoked; take it out and make a new one.",
        field=field,
        rule="T9",
    )


def _note_use(token: AccessToken) -> None:
    """Keep the day of last use; one write a day, and none that a read-only moment could fail for."""
    today = timezone.now().date()
    if token.last_used_on != today:
        stale = Q(last_used_on=None) | Q(last_used_on__lt=today)
        AccessToken.objects.filter(stale, pk=token.pk).update(last_used_on=today)
        token.last_used_on = today


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    letters = ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        letters = _ALPHABET[rest] + letters
    return letters
