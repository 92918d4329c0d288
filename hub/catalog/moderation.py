"""Flags and rulings: the moderators', hidden from everybody else; a person's own; what a tombstone says."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from hub.access import Viewer, allows, can, has_scope_for, require, under
from hub.errors import NotFound, TakenDown
from hub.models import Collection, Embedding, Flag, Ruling, User

# So long a removed picture is told on its word's page.
NEWS: Final = timedelta(days=30)
OPEN: Final = {"open": True, "settled": False, "all": None}


def own_flags(viewer: Viewer) -> QuerySet[Flag]:
    """The flags that the viewer raised, newest first."""
    require(viewer, "flag", viewer.user.owner if viewer.user else None)
    return flags_with_things().filter(raised_by=viewer.user)


def queue(viewer: Viewer, *, which: str = "open") -> QuerySet[Flag]:
    """Flags on what is still there: the `open` ones, the `settled`, or `all`. NotFound for who is no moderator."""
    check(viewer)
    rows = flags_with_things().filter(embedding__deleted_at=None)
    is_open = OPEN[which]
    return rows if is_open is None else rows.filter(settled_at__isnull=is_open)


def flag(viewer: Viewer, *, number: int) -> Flag:
    """One flag of the queue. NotFound."""
    found = queue(viewer, which="all").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no flag of this number.")
    return found


def rulings(viewer: Viewer, *, kind: str = "", by: str = "") -> QuerySet[Ruling]:
    """All rulings, lifted ones too, newest first; of a kind, or by a moderator. NotFound for who is no moderator."""
    check(viewer)
    rows = _rulings().order_by("-made_at", "-pk")
    if kind in Ruling.Kind.values:
        rows = rows.filter(kind=kind)
    return rows.filter(made_by__username=by.lower()) if by else rows


def appealed(viewer: Viewer, *, which: str = "open") -> QuerySet[Ruling]:
    """Rulings that owners have answered: those that wait for an answer, the settled, or all. NotFound as before."""
    rows = rulings(viewer).filter(appeal__isnull=False)
    is_open = OPEN[which]
    return rows if is_open is None else rows.filter(appeal__settled_at__isnull=is_open)


def ruling(viewer: Viewer, *, number: int) -> Ruling:
    """One ruling. NotFound."""
    found = rulings(viewer).filter(pk=number).first()
    if found is None:
        raise NotFound("There is no ruling of this number.")
    return found


def own_rulings(viewer: Viewer) -> QuerySet[Ruling]:
    """Rulings on what the viewer looks after: their own things, and those of their teams; newest first."""
    require(viewer, "manage_account", viewer.user)
    assert viewer.user is not None
    mine = (
        under(viewer, "edit_card", prefix="version__embedding__")
        | under(viewer, "edit_pack", prefix="pack__")
        | Q(owner=viewer.user.owner_id)
    )
    return _rulings().filter(mine).order_by("-made_at", "-pk")


def own_ruling(viewer: Viewer, *, number: int) -> Ruling:
    """One of them. NotFound."""
    found = own_rulings(viewer).filter(pk=number).first()
    if found is None:
        raise NotFound("There is no ruling of this number.")
    return found


def open_on(viewer: Viewer, thing: Embedding | Collection) -> list[Ruling]:
    """The rulings that stand on this thing, for whoever looks after it; for others none, and no query."""
    act, about = (
        ("edit_card", Q(version__embedding=thing))
        if isinstance(thing, Embedding)
        else ("edit_pack", Q(pack=thing))
    )
    if viewer.user is None or viewer.token is not None or not can(viewer, act, thing):
        return []
    rows = Ruling.objects.filter(about, lifted_at=None).select_related("version", "appeal")
    # A picture that has gone is no news for ever.
    old = Q(kind=Ruling.Kind.REMOVE_PICTURE, made_at__lt=timezone.now() - NEWS)
    rows = rows.exclude(old)
    return list(rows.order_by("version__number", "pk"))


def tombstone(message: str, which: Q) -> TakenDown:
    """What everybody is told of versions that were taken down: since when, for what kind of reason, whom to ask."""
    found = (
        Ruling.objects.filter(which, kind=Ruling.Kind.TAKE_DOWN, lifted_at=None).order_by("-made_at").first()
    )
    detail = {"contact": settings.HUB["HUB_CONTACT"] or None}
    if found is not None:
        detail |= {
            "category": found.category,
            "what": found.get_category_display(),
            "since": found.made_at.date().isoformat(),
        }
    return TakenDown("taken_down", message, **detail)


def trusted(people: Iterable[int]) -> frozenset[int]:
    """Those of these people whose flags count for more (rule M2)."""
    wanted = list(people)
    told = Flag.objects.filter(raised_by__in=wanted).values("raised_by").annotate(
        wrong=Count("pk", filter=Q(outcome=Flag.Outcome.DISMISSED)),
        right=Count("pk", filter=Q(outcome=Flag.Outcome.ACTED)),
    )  # fmt: skip
    enough = max(1, settings.HUB["HUB_TRUSTED_AFTER_FLAGS"])
    proven = {row["raised_by"] for row in told if row["right"] >= max(enough, 3 * row["wrong"])}
    moderators = User.objects.filter(Q(is_moderator=True) | Q(is_staff=True), pk__in=wanted)
    return frozenset(proven | set(moderators.values_list("pk", flat=True)))


def flags_with_things() -> QuerySet[Flag]:
    """All flags with what they are about, newest first; for whoever has asked whether they may be seen."""
    return Flag.objects.select_related(
        "embedding__owner", "pack__owner", "owner", "version", "picture", "settled_by"
    ).order_by("-created_at", "-pk")


def _rulings() -> QuerySet[Ruling]:
    return Ruling.objects.select_related(
        "version__embedding__owner", "pack__owner", "owner", "made_by", "lifted_by", "appeal", "picture"
    )


def check(viewer: Viewer) -> None:
    """Nothing for a moderator; others are told by `require` where only the token is in the way."""
    if allows(viewer, "moderate"):
        return
    if viewer.user is None or not has_scope_for(viewer, "moderate"):
        require(viewer, "moderate", viewer.user.owner if viewer.user else None)
    raise NotFound()
