"""What moderators do: hold a version for a look, take it down, lift that again, settle flags."""

from django.db import transaction
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, Unacceptable
from hub.models import Embedding, Flag, Ruling, Version
from hub.services import audit, lifecycle, texts

State = Version.State
_STATES = {Ruling.Kind.QUARANTINE: State.QUARANTINED, Ruling.Kind.TAKE_DOWN: State.TAKEN_DOWN}
# What a ruling on a whole embedding is about.
_IN_REACH = {
    Ruling.Kind.QUARANTINE: (State.PUBLISHED, State.YANKED),
    Ruling.Kind.TAKE_DOWN: (State.PUBLISHED, State.YANKED, State.QUARANTINED),
}


def rule(
    viewer: Viewer, *, embedding: Embedding, version: Version | None = None, kind: str, reason: str
) -> list[Ruling]:
    """Hold a version for a look or take it down; without a version all that the embedding offers. Harmless to repeat.

    The reason is shown to the owner. The embedding's open flags are settled. Unacceptable with the field,
    Conflict `state_conflict` for what cannot be ruled on.
    """
    require(viewer, "moderate", embedding)
    if kind not in Ruling.Kind.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Ruling.Kind.values)}.", field="kind")
    decided = Ruling.Kind(kind)
    reason = texts.line(reason, field="reason", most=texts.SUMMARY_MAX, required=True)
    with transaction.atomic():
        rows = Version.objects.select_for_update().filter(embedding=embedding, published_at__isnull=False)
        rows = rows.filter(pk=version.pk) if version else rows.filter(state__in=_IN_REACH[decided])
        made = [_rule(viewer, row, decided, reason) for row in rows.order_by("number")]
        if not made:
            raise Conflict("state_conflict", "There is no published version here to rule on.")
        for flag in Flag.objects.filter(embedding=embedding, settled_at=None):
            _settle(viewer, flag, Flag.Outcome.ACTED, reason)
    return made


def lift(viewer: Viewer, *, ruling: Ruling, reason: str = "") -> Ruling:
    """Take a ruling back: the version is again what it was before. Harmless to repeat."""
    require(viewer, "moderate", ruling.version)
    reason = texts.line(reason, field="reason", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        row = Ruling.objects.select_for_update(of=("self",)).select_related("version").get(pk=ruling.pk)
        if row.lifted_at is None:
            act = "release" if row.kind == Ruling.Kind.QUARANTINE else "restore"
            lifecycle.rule(
                viewer, version=row.version, state=row.before_state, act=act, reason=row.before_reason
            )
            _end(viewer, row, reason)
    return row


def settle(viewer: Viewer, *, flag: Flag, outcome: str, note: str = "") -> Flag:
    """Say what became of a flag; one that is settled stays as it is. Unacceptable with the field."""
    require(viewer, "moderate", flag.embedding)
    if outcome not in Flag.Outcome.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Flag.Outcome.values)}.", field="outcome")
    note = texts.line(note, field="note", most=texts.SUMMARY_MAX)
    with transaction.atomic():
        row = Flag.objects.select_for_update(of=("self",)).select_related("embedding__owner").get(pk=flag.pk)
        if row.settled_at is None:
            _settle(viewer, row, outcome, note)
    return row


def _rule(viewer: Viewer, version: Version, kind: Ruling.Kind, reason: str) -> Ruling:
    """The ruling on one version in the caller's transaction; a taking down follows on a holding."""
    before = Ruling.objects.filter(version=version, lifted_at=None).first()
    if before is not None and before.kind == kind:
        return before
    state, said = version.state, version.state_reason
    if before is not None:
        state, said = before.before_state, before.before_reason
    lifecycle.rule(viewer, version=version, state=_STATES[kind], act=kind.value, reason=reason)
    if before is not None:
        _end(viewer, before, reason)
    return Ruling.objects.create(
        version=version, kind=kind, reason=reason, before_state=state, before_reason=said, made_by=viewer.user
    )


def _end(viewer: Viewer, row: Ruling, reason: str) -> None:
    row.lifted_at, row.lifted_by, row.lifted_reason = timezone.now(), viewer.user, reason
    row.save(update_fields=["lifted_at", "lifted_by", "lifted_reason"])


def _settle(viewer: Viewer, row: Flag, outcome: str, note: str) -> None:
    row.settled_at, row.settled_by, row.outcome, row.note = timezone.now(), viewer.user, outcome, note
    row.save(update_fields=["settled_at", "settled_by", "outcome", "note"])
    audit.record(viewer, "settle_flag", row.embedding, flag=row.pk, outcome=outcome)
