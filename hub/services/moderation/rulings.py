"""What moderators do to versions: hold one for a look, take it down; lifting any ruling; settling flags."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, Unacceptable
from hub.models import Collection, Embedding, Flag, Owner, Ruling, Version
from hub.services import audit, texts
from hub.services.moderation import measures, notices
from hub.services.versions import lifecycle

State = Version.State
Kind = Ruling.Kind
_STATES = {Kind.QUARANTINE: State.QUARANTINED, Kind.TAKE_DOWN: State.TAKEN_DOWN}
# These ask for the password again (rule T3); the doors see to it.
GRAVE = (Kind.TAKE_DOWN, Kind.FREEZE)
# What a ruling on a whole embedding is about.
_IN_REACH = {
    Kind.QUARANTINE: (State.PUBLISHED, State.YANKED),
    Kind.TAKE_DOWN: (State.PUBLISHED, State.YANKED, State.QUARANTINED),
}


def rule(
    viewer: Viewer,
    *,
    embedding: Embedding,
    version: Version | None = None,
    kind: str,
    reason: str,
    category: str = Flag.Reason.OTHER,
) -> list[Ruling]:
    """Hold a version for a look or take it down; without a version all that the embedding offers. Harmless to repeat.

    The reason is shown to the owner, the category to everybody. The embedding's open flags are settled. Unacceptable
    with the field, Conflict `state_conflict` for what cannot be ruled on.
    """
    require(viewer, "moderate", embedding)
    if kind not in _STATES:
        raise Unacceptable("field_invalid", f"One of {', '.join(_STATES)}.", field="kind")
    decided = Kind(kind)
    reason, category = measures.said(reason, category)
    with transaction.atomic():
        rows = Version.objects.select_for_update().filter(embedding=embedding, published_at__isnull=False)
        rows = rows.filter(pk=version.pk) if version else rows.filter(state__in=_IN_REACH[decided])
        made = [_rule(viewer, row, decided, reason, category) for row in rows.order_by("number")]
        if not made:
            raise Conflict("state_conflict", "There is no published version here to rule on.")
        settle_all(viewer, embedding, Flag.Outcome.ACTED, reason)
    return made


def decide(
    viewer: Viewer, *, thing: Embedding | Collection | Owner, kind: str, **given: object
) -> list[Ruling]:
    """A ruling of any kind on what a case is about, as `rule` or as `measures` say; its open flags are settled."""
    require(viewer, "moderate", thing)
    if isinstance(thing, Embedding) and kind in _STATES:
        return rule(viewer, embedding=thing, kind=kind, **given)  # type: ignore[arg-type]  # named by the door's form
    with transaction.atomic():
        made = measures.take(viewer, thing=thing, kind=kind, **given)  # type: ignore[arg-type]  # likewise
        settle_all(viewer, thing, Flag.Outcome.ACTED, made.reason)
    return [made]


def lift(viewer: Viewer, *, ruling: Ruling, reason: str = "") -> Ruling:
    """Take a ruling back: what it was about is again what it was before. Harmless to repeat.

    Conflict `bytes_gone` where nothing is left to give back.
    """
    require(viewer, "moderate", ruling.thing)
    reason = texts.line(reason, field="reason", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        row = _locked(ruling)
        if row.lifted_at is None:
            if row.kind in _STATES and row.version is not None:
                _give_back(viewer, row)
            else:
                measures.undo(viewer, ruling=row)
            _end(viewer, row, reason)
            notices.tell(row, "lifted")
    return row


def settle(viewer: Viewer, *, flag: Flag, outcome: str, note: str = "") -> Flag:
    """Say what became of a flag; one that is settled stays as it is. Unacceptable with the field."""
    require(viewer, "moderate", flag.thing)
    if outcome not in Flag.Outcome.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Flag.Outcome.values)}.", field="outcome")
    note = texts.line(note, field="note", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        rows = Flag.objects.select_for_update(of=("self",))
        row = rows.select_related("embedding__owner", "pack__owner", "owner").get(pk=flag.pk)
        if row.settled_at is None:
            _settle(viewer, row, outcome, note)
    return row


def dismiss(viewer: Viewer, *, thing: Embedding | Collection | Owner, note: str = "") -> int:
    """There is nothing to do: all open flags are settled so, and what a rule held is given back."""
    require(viewer, "moderate", thing)
    note = texts.line(note, field="note", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        held = Ruling.objects.filter(lifted_at=None, made_by=None).exclude(rule="")
        for ruling in held.filter(version__embedding=thing) if isinstance(thing, Embedding) else ():
            lift(viewer, ruling=ruling, reason=note)
        return settle_all(viewer, thing, Flag.Outcome.DISMISSED, note)


def settle_all(viewer: Viewer, thing: Embedding | Collection | Owner, outcome: str, note: str) -> int:
    """Settle the open flags on a thing, in the caller's transaction; answers how many."""
    rows = list(flags_on(thing).filter(settled_at=None))
    for flag in rows:
        _settle(viewer, flag, outcome, note)
    return len(rows)


def flags_on(thing: Embedding | Collection | Owner) -> QuerySet[Flag]:
    """All flags on a thing."""
    field = {Embedding: "embedding", Collection: "pack", Owner: "owner"}[type(thing)]
    return Flag.objects.filter(**{field: thing})


def _rule(viewer: Viewer, version: Version, kind: Ruling.Kind, reason: str, category: str) -> Ruling:
    """The ruling on one version in the caller's transaction; a taking down follows on a holding."""
    before = Ruling.objects.filter(version=version, lifted_at=None, kind__in=_STATES).first()
    if before is not None and before.kind == kind:
        return before
    state, said = version.state, version.state_reason
    if before is not None:
        state, said = before.before_state, before.before_reason
    lifecycle.rule(viewer, version=version, state=_STATES[kind], act=kind.value, reason=reason)
    if before is not None:
        _end(viewer, before, reason)
    made = Ruling.objects.create(
        version=version, subject=str(version.embedding), kind=kind, category=category, reason=reason,
        before_state=state, before_reason=said, made_by=viewer.user,
    )  # fmt: skip
    notices.tell(made, "made")
    return made


def _give_back(viewer: Viewer, row: Ruling) -> None:
    version = row.version
    assert version is not None
    if version.tensors_id is None:
        raise Conflict("bytes_gone", "Its files were deleted since; there is nothing to give back.")
    act = "release" if row.kind == Kind.QUARANTINE else "restore"
    lifecycle.rule(viewer, version=version, state=row.before_state, act=act, reason=row.before_reason)


def _locked(ruling: Ruling) -> Ruling:
    rows = Ruling.objects.select_for_update(of=("self",))
    return rows.select_related("version__embedding__owner", "pack__owner", "owner").get(pk=ruling.pk)


def _end(viewer: Viewer, row: Ruling, reason: str) -> None:
    row.lifted_at, row.lifted_by, row.lifted_reason = timezone.now(), viewer.user, reason
    row.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])


def _settle(viewer: Viewer, row: Flag, outcome: str, note: str) -> None:
    row.settled_at, row.settled_by, row.outcome, row.note = timezone.now(), viewer.user, outcome, note
    row.save(update_fields=["settled_at", "settled_by", "outcome", "note"])
    audit.record(viewer, "settle_flag", row.thing, flag=row.pk, outcome=outcome)
