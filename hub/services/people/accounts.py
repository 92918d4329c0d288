"""People: making their accounts together with the name they publish under, and one-time ways in."""

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, Unauthenticated
from hub.models import Owner, SignInLink, User
from hub.services import audit, texts
from hub.services.embeddings import names

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


def person_of_link(token: str) -> str:
    """The name of the person whose link this is, if it still works. Unauthenticated `link_expired` otherwise."""
    link = _working_links(token).select_related("user").first()
    if link is None:
        raise _link_expired()
    return link.user.username


def user_for_link(token: str) -> User:
    """The person whose link this is; the link is used up. Unauthenticated `link_expired` for any other."""
    with transaction.atomic():
        link = SignInLink.objects.select_related("user__owner").filter(digest=_digest(token)).first()
        if link is None or not _working_links(token).update(used_at=timezone.now()):
            raise _link_expired()
        audit.record(Viewer(link.user), "use_sign_in_link", link.user.username)
        return link.user


def _working_links(token: str) -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(
        digest=_digest(token), used_at=None, expires_at__gt=timezone.now(), user__is_active=True
    )


def _link_expired() -> Unauthenticated:
    return Unauthenticated(
        "link_expired", "This sign-in link was used or is too old. Ask the hub for a new one."
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
