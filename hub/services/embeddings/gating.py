"""Gates: an owner sets one before the files of an embedding, people ask to be let in, the owner answers (rule L5).

Grants are to people and never by link; who was rejected cannot ask again. `hub.catalog.gates` asks who may have what.
"""

from typing import Final

from django.db import transaction
from django.utils import timezone

from hub import jobs
from hub.access import Viewer, can, can_see, require, role_on
from hub.catalog import gates
from hub.errors import Conflict, Forbidden, NotFound, Unacceptable
from hub.models import AccessRequest, Embedding, User
from hub.models.registry import Gate
from hub.services import audit, texts
from hub.services.embeddings import details, gate_mails
from hub.services.people import mailing
from hub.services.webhooks import events

MESSAGE_MAX: Final = 1_000
REASON_MAX: Final = 280
MAIL_AFTER: Final = 60
State = AccessRequest.State
_ACTS: Final = {
    State.ACCEPTED: "accept_access",
    State.REJECTED: "reject_access",
    State.PENDING: "reopen_access",
}


def set_gate(
    viewer: Viewer, *, embedding: Embedding, gate: str | None = None, terms: str | None = None
) -> Embedding:
    """Put a gate before the files, change it or its terms, or take it away; counts from the next request on.

    Requests and grants stay, whatever the gate. Unacceptable with the field.
    """
    require(viewer, "manage_gate", embedding)
    given = {"gate": gate, "gate_terms": terms}
    change = details.Change({name: value for name, value in given.items() if value is not None})
    with transaction.atomic():
        row, told = details.apply(viewer, embedding, change)
        if told:
            audit.record(viewer, "set_gate", row, changed=told, gate=row.gate)
    return row


def ask(viewer: Viewer, *, embedding: Embedding, agrees: bool, message: str = "") -> AccessRequest:
    """Agree to the terms and ask for the files, sharing name and mail address with the owner; harmless to repeat.

    With an `auto` gate that is the grant; with a `manual` one the owner answers. Unacceptable without agreement,
    Conflict `not_gated` or `has_access` where there is nothing to ask for, Forbidden `access_rejected` after a no.
    """
    require(viewer, "ask_access", embedding)
    assert viewer.user is not None
    if not can_see(viewer, embedding):
        raise NotFound()
    if not agrees:
        raise Unacceptable("field_invalid", "Agree to the terms to ask for the files.", field="agree")
    said = texts.line(message, field="message", most=MESSAGE_MAX)
    with transaction.atomic():
        row = _locked(embedding)
        _check_is_gated(row)
        if can(viewer, "pull_gated", row) or role_on(viewer, row) is not None:
            raise Conflict("has_access", "These files are yours to have already.")
        asked = AccessRequest.objects.filter(embedding=row, user=viewer.user).first()
        if asked is not None and asked.state == State.REJECTED:
            raise Forbidden("access_rejected", f"The owner of {row.full_name} rejected your request.")
        if asked is not None and (asked.state == State.ACCEPTED or not _lets_in(row, asked)):
            return asked
        is_new, asked = asked is None, asked or AccessRequest(embedding=row, user=viewer.user, message=said)
        asked.terms, asked.email = row.gate_terms, viewer.user.email
        if _lets_in(row, asked):
            asked.state, asked.decided_at = State.ACCEPTED, timezone.now()
        asked.save()
        audit.record(viewer, "ask_access", row, state=asked.state)
        if is_new:
            events.tell("access.requested", row, request=asked.pk)
        if is_new and asked.state == State.PENDING and gate_mails.readers(asked):
            # Who takes it back at once, and asks again and again, fills nobody's mailbox.
            jobs.enqueue("mail_access_request", asked.pk, delay_seconds=MAIL_AFTER)
    return asked


def _lets_in(row: Embedding, asked: AccessRequest) -> bool:
    """Whether the gate itself answers; what an owner has put back waits for the owner."""
    return row.gate == Gate.AUTO and asked.decided_at is None


def withdraw(viewer: Viewer, *, embedding: Embedding) -> None:
    """Take one's own request back, or give a grant up, with all that was shared; harmless to repeat.

    Forbidden `access_rejected` after a no, which a new request would only go round.
    """
    require(viewer, "ask_access", embedding)
    with transaction.atomic():
        row = _locked(embedding)
        asked = AccessRequest.objects.filter(embedding=row, user=viewer.user).first()
        if asked is None:
            return
        if asked.state == State.REJECTED or (asked.state == State.PENDING and asked.decided_at is not None):
            raise Forbidden("access_rejected", f"The owner of {row.full_name} has answered this request.")
        asked.delete()
        audit.record(viewer, "withdraw_access", row, state=asked.state)


def accept(viewer: Viewer, *, request: AccessRequest) -> AccessRequest:
    """Let the person in; also one who was rejected before. Harmless to repeat."""
    return _decide(viewer, request, State.ACCEPTED)


def reject(viewer: Viewer, *, request: AccessRequest, reason: str = "") -> AccessRequest:
    """Say no, for good, or take a grant back, from the person's next request on. The person is told the reason."""
    why = texts.line(reason, field="reason", most=REASON_MAX)
    return _decide(viewer, request, State.REJECTED, why)


def put_back(viewer: Viewer, *, request: AccessRequest) -> AccessRequest:
    """Make an answer undone: the request waits again, and opens nothing until it is answered."""
    return _decide(viewer, request, State.PENDING)


def grant(viewer: Viewer, *, embedding: Embedding, name: str) -> AccessRequest:
    """Let a person in who has not asked, or has. Unacceptable for nobody of that name, Conflict `has_access`."""
    require(viewer, "manage_gate", embedding)
    user = User.objects.filter(username=name.strip().lower(), is_active=True).first()
    if user is None:
        raise Unacceptable("field_invalid", "There is no person of this name on this hub.", field="name")
    with transaction.atomic():
        row = _locked(embedding)
        _check_is_gated(row)
        if gates.may_have(Viewer(user), gates.of(row)):
            raise Conflict("has_access", f"{user.username} may have these files already.", field="name")
        asked, _ = AccessRequest.objects.get_or_create(embedding=row, user=user)
        return _decide(viewer, asked, State.ACCEPTED)


def _decide(viewer: Viewer, request: AccessRequest, state: State, reason: str = "") -> AccessRequest:
    require(viewer, "manage_gate", request.embedding)
    with transaction.atomic():
        _locked(request.embedding)
        rows = AccessRequest.objects.select_related("user", "embedding__owner")
        row = rows.filter(pk=request.pk).first()
        if row is None:
            raise NotFound("This request was taken back.", code="request_not_found")
        if (row.state, row.reason) == (state, reason):
            return row
        act = "revoke_access" if (row.state, state) == (State.ACCEPTED, State.REJECTED) else _ACTS[state]
        row.state, row.reason = state, reason
        row.decided_at, row.decided_by = timezone.now(), viewer.user
        row.save(update_fields=["state", "reason", "decided_at", "decided_by"])
        audit.record(viewer, act, row.embedding, person=row.user.username, reason=reason)
        if state != State.PENDING and mailing.can_mail(row.user):
            jobs.enqueue("mail_access_answer", row.pk)
    return row


def _locked(embedding: Embedding) -> Embedding:
    """The stored row, held: whoever asks and whoever sets the gate or answers wait for each other."""
    return details.held(embedding)


def _check_is_gated(row: Embedding) -> None:
    if not row.is_gated:
        raise Conflict("not_gated", f"{row.full_name} has no gate: whoever sees it has its files.")
