"""The moderators' queue and rulings, hidden from everybody else; and a person's own flags."""

from typing import Final

from django.db.models import QuerySet

from hub.access import Viewer, allows, has_scope_for, require
from hub.errors import NotFound
from hub.models import Flag, Ruling

OPEN: Final = {"open": True, "settled": False, "all": None}


def own_flags(viewer: Viewer) -> QuerySet[Flag]:
    """The flags that the viewer raised, newest first."""
    require(viewer, "flag", viewer.user.owner if viewer.user else None)
    return _flags().filter(raised_by=viewer.user)


def queue(viewer: Viewer, *, which: str = "open") -> QuerySet[Flag]:
    """Flags on what is still there: the `open` ones, the `settled`, or `all`. NotFound for who is no moderator."""
    _check(viewer)
    rows = _flags().filter(embedding__deleted_at=None)
    is_open = OPEN[which]
    return rows if is_open is None else rows.filter(settled_at__isnull=is_open)


def flag(viewer: Viewer, *, number: int) -> Flag:
    """One flag of the queue. NotFound."""
    found = queue(viewer, which="all").filter(pk=number).first()
    if found is None:
        raise NotFound("There is no flag of this number.")
    return found


def rulings(viewer: Viewer) -> QuerySet[Ruling]:
    """All rulings, lifted ones too, newest first. NotFound for who is no moderator."""
    _check(viewer)
    return Ruling.objects.select_related("version__embedding__owner", "made_by", "lifted_by").order_by(
        "-made_at", "-pk"
    )


def ruling(viewer: Viewer, *, number: int) -> Ruling:
    """One ruling. NotFound."""
    found = rulings(viewer).filter(pk=number).first()
    if found is None:
        raise NotFound("There is no ruling of this number.")
    return found


def _flags() -> QuerySet[Flag]:
    return Flag.objects.select_related("embedding__owner", "version", "settled_by").order_by(
        "-created_at", "-pk"
    )


def _check(viewer: Viewer) -> None:
    """Nothing for a moderator; others are told by `require` where only the token is in the way."""
    if allows(viewer, "moderate"):
        return
    if viewer.user is None or not has_scope_for(viewer, "moderate"):
        require(viewer, "moderate", viewer.user.owner if viewer.user else None)
    raise NotFound()
