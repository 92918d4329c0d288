"""People: making their accounts together with the name they publish under, and one-time ways in."""

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, Unauthenticated
from hub.models import Owner, SignInLink, User
from hub.services import audit, names, texts

LINK_HOURS = 24


def create_user(
    *,
    name: str,
    email: str = "",
    password: str | None = None,
    staff: bool = False,
    moderator: bool = False,
    made_by_operator: bool = False,
) -> User:
    """A person and the owner of the same name. Without a password only links let them in.

    Unacceptable for an illegal or reserved name, Conflict `name_taken` or `name_too_similar`.
    """
    name = name.strip().lower()
    names.check_owner_name(name)
    try:
        with transaction.atomic():
            owner = Owner.objects.create(name=name, look_alike=names.look_alike(name))
            user = User(
                username=name,
                email=email.strip(),
                owner=owner,
                is_staff=staff,
                is_superuser=staff,
                is_moderator=moderator,
                made_by_operator=made_by_operator,
            )
            user.set_password(password)
            user.save()
            audit.record(Viewer(user), "create_user", name, staff=staff, moderator=moderator)
    except IntegrityError:
        raise Conflict("name_taken", f"The name “{name}” is taken. Choose another.", field="name") from None
    return user


def update_profile(viewer: Viewer, *, about: str) -> None:
    """Change what the viewer's page says of them. Unacceptable over the length, or with a secret in it."""
    require(viewer, "manage_account", viewer.user)
    assert viewer.user is not None
    about = texts.line(about, field="about", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        User.objects.filter(pk=viewer.user.pk).update(about=about)
        audit.record(viewer, "update_profile", viewer.user.username)


def one_time_link(user: User) -> str:
    """A token that signs this person in once within 24 hours."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SignInLink.objects.filter(user=user, expires_at__lt=timezone.now()).delete()
        SignInLink.objects.create(
            user=user, digest=_digest(token), expires_at=timezone.now() + timedelta(hours=LINK_HOURS)
        )
        audit.record(Viewer(user), "create_sign_in_link", user.username)
    return token


def user_for_link(token: str) -> User:
    """The person whose link this is; the link is used up. Unauthenticated `link_expired` for any other."""
    now = timezone.now()
    with transaction.atomic():
        link = SignInLink.objects.select_related("user__owner").filter(digest=_digest(token)).first()
        used = SignInLink.objects.filter(
            digest=_digest(token), used_at=None, expires_at__gt=now, user__is_active=True
        ).update(used_at=now)
        if link is None or not used:
            raise Unauthenticated(
                "link_expired", "This sign-in link was used or is too old. Ask the hub for a new one."
            )
        audit.record(Viewer(link.user), "use_sign_in_link", link.user.username)
        return link.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
