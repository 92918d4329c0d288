"""Flags for the hub's moderators: raised by rules, in the transaction of what raised them, and by people."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from hub.access import Viewer, can_see, require
from hub.errors import NotFound, RateLimited, Unacceptable
from hub.models import Embedding, Flag, User, Version
from hub.models.registry import Visibility
from hub.services import audit, texts
from hub.services.names import reads_like

MUCH_PULLED: Final = 500
MOST_AN_HOUR: Final = 10
TEXT_MAX: Final = 2_000
# The rule of the security documentation under which people raise flags.
BY_PEOPLE: Final = "M1"


def name_like_a_known_one(embedding: Embedding) -> Flag | None:
    """Rule N3: a public name that reads like one of the most pulled names of somebody else is kept for a look.

    The act goes on. The same embedding is flagged once, whatever happens to it later.
    """
    if embedding.visibility != Visibility.PUBLIC:
        return None
    known = (
        Embedding.objects.listed()
        .filter(downloads__gt=0)
        .exclude(owner_id=embedding.owner_id)
        .order_by("-downloads", "pk")
        .values_list("owner__name", "name")[:MUCH_PULLED]
    )
    alike = next((f"{owner}/{name}" for owner, name in known if reads_like(embedding.name, name)), None)
    if alike is None:
        return None
    flag, _ = Flag.objects.get_or_create(embedding=embedding, rule="N3", defaults={"detail": {"like": alike}})
    return flag


def raise_flag(
    viewer: Viewer, *, embedding: Embedding, version: Version | None = None, reason: str, text: str = ""
) -> Flag:
    """Tell the moderators of an embedding, or of one version; the viewer's open flag on it is replaced.

    NotFound for what the viewer cannot see, Unacceptable with the field, RateLimited over MOST_AN_HOUR.
    """
    require(viewer, "flag", embedding)
    assert viewer.user is not None
    if not can_see(viewer, version or embedding):
        raise NotFound()
    if reason not in Flag.Reason.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Flag.Reason.values)}.", field="reason")
    text = texts.prose(text, field="text", most=TEXT_MAX)
    if reason == Flag.Reason.OTHER and not text:
        raise Unacceptable("field_invalid", "Say what is wrong with it.", field="text")
    with transaction.atomic():
        # One at a time for one person: there is no row yet that the first of two flags could be held by.
        User.objects.select_for_update().get(pk=viewer.user.pk)
        mine = Flag.objects.filter(raised_by=viewer.user)
        flag = mine.filter(embedding=embedding, settled_at=None).first()
        if flag is None:
            hour = timezone.now() - timedelta(hours=1)
            if mine.filter(created_at__gt=hour).count() >= MOST_AN_HOUR:
                message = f"You have raised {MOST_AN_HOUR} flags in an hour; go on later."
                raise RateLimited("too_many_flags", message, retry_after=3600)
            flag = Flag(embedding=embedding, rule=BY_PEOPLE, raised_by=viewer.user)
        flag.version, flag.reason, flag.text = version, reason, text
        flag.save()
        audit.record(viewer, "flag", embedding, flag=flag.pk, reason=reason)
    return flag
