"""Rulings on what is no version: a picture goes, a pack is held, a profile cleared, an account frozen."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from hub.access import Viewer
from hub.errors import Conflict, Forbidden, Unacceptable
from hub.models import Collection, Embedding, Flag, Owner, Preview, Ruling, User
from hub.services import audit, texts
from hub.services.moderation import notices

Kind = Ruling.Kind
# What a picture is beside its bytes, and is again when its ruling is lifted.
_PICTURE: Final = (
    "role", "content_type", "width", "height", "block", "row", "column", "is_control", "prompt", "negative_prompt",
    "seed", "parameters", "alt",
)  # fmt: skip


def said(reason: str, category: str) -> tuple[str, str]:
    """What a ruling says of itself, cleaned: the reason for the owner, the category for everybody."""
    if category not in Flag.Reason.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Flag.Reason.values)}.", field="category")
    return texts.line(reason, field="reason", most=texts.SUMMARY_MAX, required=True), category


def take(
    viewer: Viewer,
    *,
    thing: Embedding | Collection | Owner,
    kind: str,
    reason: str,
    category: str = Flag.Reason.OTHER,
    picture: Preview | None = None,
) -> Ruling:
    """Make such a ruling, in the caller's transaction. Harmless to repeat.

    Unacceptable for a kind that does not fit the thing, Forbidden `is_a_moderator` for freezing one of them.
    """
    reason, category = said(reason, category)
    made = Ruling(subject=str(thing), kind=kind, category=category, reason=reason, made_by=viewer.user)
    match thing, kind:
        case Collection(), Kind.QUARANTINE:
            ruling = _hold_pack(made, thing)
        case Owner(), Kind.CLEAR:
            ruling = _clear(made, thing)
        case Owner(), Kind.FREEZE:
            ruling = _freeze(made, thing)
        case Embedding(), Kind.REMOVE_PICTURE:
            ruling = _remove_picture(made, thing, picture)
        case _:
            raise Unacceptable("field_invalid", "This cannot be done to that.", field="kind")
    if ruling.pk is None:
        ruling.save()
        audit.record(viewer, kind, thing, ruling=ruling.pk, reason=reason)
        notices.tell(ruling, "made")
    return ruling


def undo(viewer: Viewer, *, ruling: Ruling) -> None:
    """Give back what the ruling took, in the caller's transaction."""
    _UNDO[ruling.kind](ruling)
    audit.record(viewer, f"undo_{ruling.kind}", ruling.name, ruling=ruling.pk)


def _hold_pack(made: Ruling, pack: Collection) -> Ruling:
    row = Collection.objects.select_for_update(of=("self",)).get(pk=pack.pk)
    before = Ruling.objects.filter(pack=row, lifted_at=None).first()
    if before is not None:
        return before
    made.pack, made.before_state = row, row.visibility
    Collection.objects.filter(pk=row.pk).update(visibility=Collection.Visibility.HELD)
    return made


def _give_pack_back(ruling: Ruling) -> None:
    if ruling.pack_id is None:
        raise Conflict("bytes_gone", "The pack was deleted since; there is nothing to give back.")
    Collection.objects.filter(pk=ruling.pack_id).update(visibility=ruling.before_state)


def _clear(made: Ruling, owner: Owner) -> Ruling:
    person = _person(owner)
    if not person.about:
        raise Conflict("state_conflict", "There is no text on this profile.")
    before = Ruling.objects.filter(owner=owner, kind=Kind.CLEAR, lifted_at=None).first()
    if before is not None:
        raise Conflict("state_conflict", "Take back the ruling on its text of before first.")
    made.owner, made.before_reason = owner, person.about
    User.objects.filter(pk=person.pk).update(about="")
    return made


def _give_text_back(ruling: Ruling) -> None:
    """Unless the person has written another one since."""
    User.objects.filter(owner=ruling.owner_id, about="").update(about=ruling.before_reason)


def _freeze(made: Ruling, owner: Owner) -> Ruling:
    person = _person(owner)
    if person.is_moderator or person.is_staff:
        raise Forbidden("is_a_moderator", "Moderators and administrators are frozen by the operator alone.")
    before = Ruling.objects.filter(owner=owner, kind=Kind.FREEZE, lifted_at=None).first()
    if before is not None:
        return before
    made.owner = owner
    User.objects.filter(pk=person.pk).update(is_active=False)
    return made


def _thaw(ruling: Ruling) -> None:
    User.objects.filter(owner=ruling.owner_id).update(is_active=True)


def _remove_picture(made: Ruling, embedding: Embedding, picture: Preview | None) -> Ruling:
    row = Preview.objects.select_for_update(of=("self",)).select_related("version", "blob")
    found = row.filter(pk=picture.pk, version__embedding=embedding).first() if picture else None
    if found is None or found.role != Preview.Role.UPLOAD:
        message = "Choose one of the publisher's pictures; those of the sheet go with their version."
        raise Unacceptable("field_invalid", message, field="picture")
    made.version, made.picture = found.version, found.blob
    made.before = {name: getattr(found, name) for name in _PICTURE}
    found.delete()
    return made


def _give_picture_back(ruling: Ruling) -> None:
    version, blob = ruling.version, ruling.picture
    assert version is not None and blob is not None
    places = version.previews.filter(role=Preview.Role.UPLOAD).values_list("column", flat=True)
    facts = dict(ruling.before)
    if facts["column"] in places:
        facts["column"] = max(places) + 1
    Preview.objects.create(version=version, blob=blob, **facts)


def _person(owner: Owner) -> User:
    person = User.objects.select_for_update().filter(owner=owner).first()
    if person is None:
        raise Conflict("state_conflict", "A team has no account; rule on what it publishes.")
    return person


_UNDO: Final[Mapping[str, Callable[[Ruling], None]]] = MappingProxyType(
    {
        Kind.QUARANTINE: _give_pack_back,
        Kind.CLEAR: _give_text_back,
        Kind.FREEZE: _thaw,
        Kind.REMOVE_PICTURE: _give_picture_back,
    }
)
