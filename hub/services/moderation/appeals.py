"""The owner's one answer to a ruling, and what another moderator says to it."""

from datetime import timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, Forbidden, NotFound, Unacceptable
from hub.models import Appeal, Collection, Embedding, Ruling, User
from hub.services import audit, texts
from hub.services.moderation import notices, rulings

DAYS: Final = 30
TEXT_MAX: Final = 2_000


def appeal(viewer: Viewer, *, ruling: Ruling, text: str) -> Appeal:
    """Ask for another look at a ruling on one's own thing, once and within DAYS; it goes to another moderator.

    NotFound for a ruling on somebody else's, Unacceptable without words, Conflict `already_appealed`, `too_late`, or
    `state_conflict` for one that was lifted.
    """
    check(viewer, ruling=ruling)
    text = texts.prose(text, field="text", most=TEXT_MAX)
    if not text:
        raise Unacceptable("field_invalid", "Say why the ruling is wrong.", field="text")
    try:
        with transaction.atomic():
            made = Appeal.objects.create(ruling=ruling, text=text, made_by=viewer.user)
            audit.record(viewer, "appeal", ruling.name, ruling=ruling.pk)
    except IntegrityError:
        raise _twice() from None
    return made


def check(viewer: Viewer, *, ruling: Ruling) -> None:
    """Nothing when the viewer could appeal now; else what `appeal` would raise."""
    match ruling.thing:
        case None:
            raise NotFound("There is no ruling of this number.")
        case Embedding() as thing:
            require(viewer, "edit_card", thing)
        case Collection() as thing:
            require(viewer, "edit_pack", thing)
        case thing:
            require(viewer, "manage_account", thing)
    if ruling.lifted_at is not None:
        raise Conflict("state_conflict", "This ruling was taken back already.")
    if Appeal.objects.filter(ruling=ruling).exists():
        raise _twice()
    if ruling.made_at < timezone.now() - timedelta(days=DAYS):
        raise Conflict("too_late", f"A ruling can be appealed for {DAYS} days.")


def answer(viewer: Viewer, *, appeal: Appeal, outcome: str, text: str) -> Appeal:
    """Uphold the ruling, or overturn and so lift it; the owner reads the text. One that is answered stays as it is.

    Forbidden `ruled_by_you` for whoever made the ruling or owns what it is about, unless there is nobody else.
    """
    require(viewer, "moderate", appeal.ruling.thing)
    if outcome not in Appeal.Outcome.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Appeal.Outcome.values)}.", field="outcome")
    text = texts.line(text, field="answer", most=texts.SUMMARY_MAX, required=True)
    check_judge(viewer, ruling=appeal.ruling)
    with transaction.atomic():
        row = Appeal.objects.select_for_update(of=("self",)).select_related("ruling").get(pk=appeal.pk)
        if row.settled_at is None:
            row.outcome, row.answer, row.settled_by, row.settled_at = (
                outcome,
                text,
                viewer.user,
                timezone.now(),
            )
            row.save(update_fields=["outcome", "answer", "settled_by", "settled_at"])
            audit.record(viewer, "answer_appeal", row.ruling.name, ruling=row.ruling.pk, outcome=outcome)
            notices.tell(row.ruling, "answered")
            if outcome == Appeal.Outcome.OVERTURNED:
                rulings.lift(viewer, ruling=row.ruling, reason=text)
    return row


def check_judge(viewer: Viewer, *, ruling: Ruling) -> None:
    """Nothing when the viewer may judge an appeal to this ruling. Forbidden `ruled_by_you` as `answer` says."""
    assert viewer.user is not None
    concerned = set(notices.people_of(ruling).values_list("pk", flat=True)) | {ruling.made_by_id}
    if viewer.user.pk not in concerned:
        return
    moderators = User.objects.filter(Q(is_moderator=True) | Q(is_staff=True), is_active=True)
    if moderators.exclude(pk__in=[pk for pk in concerned if pk]).exists():
        raise Forbidden(
            "ruled_by_you", "Another moderator has to look at this: you made the ruling, or it is yours."
        )


def _twice() -> Conflict:
    return Conflict("already_appealed", "This ruling was appealed already; the answer is final.")
