"""Flags that people raise for the hub's moderators, and take back."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from hub.access import Viewer, can_see, require
from hub.errors import Conflict, NotFound, RateLimited, Unacceptable
from hub.models import Collection, Embedding, Flag, Owner, Preview, User, Version
from hub.services import audit, texts
from hub.services.moderation import holding

MOST_AN_HOUR: Final = 10
TEXT_MAX: Final = 2_000
# The rule of the security documentation under which people raise flags.
BY_PEOPLE: Final = "M1"
# Whoever had so many flags dismissed lately, and hardly one that led to something, goes on slowly.
FALSE_ALARMS: Final = 5
LATELY: Final = timedelta(days=30)


def raise_flag(
    viewer: Viewer,
    *,
    embedding: Embedding | None = None,
    pack: Collection | None = None,
    owner: Owner | None = None,
    version: Version | None = None,
    picture: Preview | None = None,
    reason: str,
    text: str = "",
) -> Flag:
    """Tell the moderators of an embedding (of one version, or a picture of it), a pack or an owner.

    The viewer's open flag on the same thing is replaced. Enough flags hold a version at once (rule M2). NotFound for
    what the viewer cannot see, Unacceptable with the field, RateLimited over what one person may raise in an hour.
    """
    thing = embedding or pack or owner
    assert thing is not None
    require(viewer, "flag", thing)
    assert viewer.user is not None
    if not isinstance(thing, Owner) and not can_see(viewer, version or thing):
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
        flag = mine.filter(embedding=embedding, pack=pack, owner=owner, settled_at=None).first()
        if flag is None:
            _check_pace(mine)
            flag = Flag(embedding=embedding, pack=pack, owner=owner, rule=BY_PEOPLE, raised_by=viewer.user)
        flag.version, flag.picture, flag.reason, flag.text = version, picture, reason, text
        flag.save()
        audit.record(viewer, "flag", thing, flag=flag.pk, reason=reason)
        if embedding is not None:
            holding.hold_if_due(embedding)
    return flag


def withdraw(viewer: Viewer, *, flag: Flag) -> None:
    """Take one's own open flag back; a settled one stays. Harmless to repeat. NotFound for somebody else's."""
    require(viewer, "flag", viewer.user.owner if viewer.user else None)
    with transaction.atomic():
        row = Flag.objects.filter(pk=flag.pk, raised_by=viewer.user).first()
        if row is None:
            return
        if row.settled_at is not None:
            raise Conflict("already_settled", "Moderators have settled this flag already.")
        audit.record(viewer, "withdraw_flag", row.thing, flag=row.pk)
        row.delete()


def _check_pace(mine: QuerySet[Flag]) -> None:
    """RateLimited for whoever has raised enough in this hour; those who cried wolf lately may raise one."""
    now = timezone.now()
    told = mine.filter(settled_at__gt=now - LATELY).aggregate(
        wrong=Count("pk", filter=Q(outcome=Flag.Outcome.DISMISSED)),
        right=Count("pk", filter=Q(outcome=Flag.Outcome.ACTED)),
    )
    cried = told["wrong"] >= FALSE_ALARMS and told["right"] * 3 < told["wrong"]
    most = 1 if cried else MOST_AN_HOUR
    if mine.filter(created_at__gt=now - timedelta(hours=1)).count() < most:
        return
    message = f"You have raised {MOST_AN_HOUR} flags in an hour; go on later."
    if cried:
        message = "Most of what you reported lately was in order, so you may report one thing an hour."
    raise RateLimited("too_many_flags", message, retry_after=3600)
