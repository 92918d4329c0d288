"""Gates: set by owners and admins, passed by agreeing or by being let in, each step in the audit log."""

from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from hub import worker
from hub.access import ANONYMOUS, Viewer, visible
from hub.catalog import gates
from hub.errors import Conflict, Forbidden, HubError, NotFound, Unacceptable, Unauthenticated
from hub.models import AccessRequest, AuditEntry, Embedding, OutboxJob, Version
from hub.services.embeddings import gating, transferring
from hub.services.pushing import pending
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
State = AccessRequest.State
ADA, BOB = "ada", "bob"


def gated(gate: str = "manual", **fields: Any) -> Embedding:
    made = factories.published(**fields)
    return gating.set_gate(Viewer(made.created_by), embedding=made, gate=gate, terms="No likenesses.")


def ask(row: Embedding, name: str = BOB, **fields: Any) -> AccessRequest:
    return gating.ask(factories.viewer(name), embedding=row, **{"agrees": True, **fields})


def may_have(row: Embedding, viewer: Viewer) -> bool:
    """The one and the many, which must not differ."""
    one = gates.may_have(viewer, gates.of(row))
    many = gates.open_to(viewer, visible(Version.objects.resolvable(), viewer).filter(embedding=row))
    assert one == many.exists()
    return one


def acts() -> list[str]:
    return list(AuditEntry.objects.order_by("sequence").values_list("act", flat=True))


def test_a_manual_gate_opens_for_whom_the_owner_lets_in() -> None:
    row, bob = gated(), factories.viewer(BOB)
    assert not may_have(row, bob) and not may_have(row, ANONYMOUS)
    asked = ask(row, message="For a  zine.")
    assert (asked.state, asked.message, asked.terms) == (State.PENDING, "For a zine.", "No likenesses.")
    assert asked.email == "bob@example.org" and asked.decided_at is None
    assert not may_have(row, bob)
    answered = gating.accept(factories.viewer(), request=asked)
    assert answered.decided_by == factories.user() and answered.decided_at is not None
    assert may_have(row, bob)
    assert not may_have(row, factories.viewer("cara"))
    assert [act for act in acts() if "user" not in act][-3:] == ["set_gate", "ask_access", "accept_access"]


def test_an_auto_gate_opens_for_whoever_agrees() -> None:
    row = gated("auto")
    with pytest.raises(Unacceptable) as refused:
        ask(row, agrees=False)
    assert refused.value.field == "agree" and not AccessRequest.objects.exists()
    asked = ask(row)
    assert asked.state == State.ACCEPTED and asked.decided_by is None and asked.decided_at is not None
    assert may_have(row, factories.viewer(BOB))


def test_who_is_rejected_cannot_ask_again_and_can_be_let_in_after_all() -> None:
    row = gated("auto")
    asked = gating.reject(factories.viewer(), request=ask(row), reason="Not for that.")
    assert not may_have(row, factories.viewer(BOB))
    for act in (lambda: ask(row), lambda: gating.withdraw(factories.viewer(BOB), embedding=row)):
        with pytest.raises(Forbidden) as refused:
            act()
        assert refused.value.code == "access_rejected"
    with pytest.raises(Forbidden, match="Not for that"):
        gates.check(factories.viewer(BOB), gates.of(row))
    gating.accept(factories.viewer(), request=asked)
    assert may_have(row, factories.viewer(BOB))
    assert AccessRequest.objects.get().reason == ""
    assert acts()[-2:] == ["revoke_access", "accept_access"]


def test_what_is_put_back_waits_for_the_owner_whatever_the_gate_does() -> None:
    row = gated("auto")
    gating.put_back(factories.viewer(), request=ask(row))
    assert ask(row).state == State.PENDING
    assert not may_have(row, factories.viewer(BOB))
    with pytest.raises(Forbidden):
        gating.withdraw(factories.viewer(BOB), embedding=row)


def test_a_request_from_before_is_granted_by_agreeing_once_the_gate_lets_in_all_who_do() -> None:
    row = gated()
    ask(row)
    gating.set_gate(factories.viewer(), embedding=row, gate="auto", terms="Other terms.")
    assert not may_have(row, factories.viewer(BOB))
    assert (ask(row).state, ask(row).terms) == (State.ACCEPTED, "Other terms.")


def test_asking_deciding_and_taking_back_are_harmless_to_repeat() -> None:
    row, bob = gated(), factories.viewer(BOB)
    first = ask(row)
    assert ask(row, message="Again.").pk == first.pk
    for _ in range(2):
        gating.accept(factories.viewer(), request=first)
    assert acts().count("accept_access") == acts().count("ask_access") == 1
    for _ in range(2):
        gating.withdraw(bob, embedding=row)
    assert not may_have(row, bob) and not AccessRequest.objects.exists()
    with pytest.raises(NotFound):
        gating.accept(factories.viewer(), request=first)
    assert ask(row).state == State.PENDING


def test_there_is_nothing_to_ask_for_without_a_gate_or_on_this_side_of_it() -> None:
    row = gated("off")
    with pytest.raises(Conflict) as refused:
        ask(row)
    assert refused.value.code == "not_gated"
    gating.set_gate(factories.viewer(), embedding=row, gate="manual")
    with pytest.raises(Conflict) as refused:
        ask(row, ADA)
    assert refused.value.code == "has_access"


def test_the_owner_lets_somebody_in_who_has_not_asked() -> None:
    row, ada = gated(), factories.viewer()
    factories.user(BOB)
    made = gating.grant(ada, embedding=row, name=" Bob ")
    assert (made.state, made.email, made.terms) == (State.ACCEPTED, "", "")
    assert may_have(row, factories.viewer(BOB))
    for name, error in ((BOB, Conflict), (ADA, Conflict), ("nobody", Unacceptable)):
        with pytest.raises(error):
            gating.grant(ada, embedding=row, name=name)


def test_people_of_the_team_have_the_files_and_its_admins_keep_the_gate() -> None:
    team = factories.team(admin=ADA, rita="reader", wim="writer")
    row = factories.embedding(ADA, team=team)
    factories.version(row, trigger="moss-dragon")
    row = gating.set_gate(factories.viewer(), embedding=row, gate="manual")
    asked = ask(row)
    for name in (ADA, "rita", "wim"):
        assert may_have(row, factories.viewer(name)), name
    for name in ("rita", "wim", BOB):
        keeps = factories.viewer(name)
        for act in (
            lambda keeps=keeps: gating.set_gate(keeps, embedding=row, gate="off"),
            lambda keeps=keeps: gating.accept(keeps, request=asked),
            lambda keeps=keeps: gates.requests(keeps, embedding=row),
            lambda keeps=keeps: gating.grant(keeps, embedding=row, name=BOB),
        ):
            with pytest.raises(Forbidden):
                act()
    assert [one.user.username for one in gates.requests(factories.viewer(), embedding=row)] == [BOB]


def test_moderators_pass_by_session_and_tokens_by_the_scope_read() -> None:
    row = gated("auto")
    ask(row)
    assert may_have(row, factories.moderator())
    assert not may_have(row, factories.token_viewer("mod", scopes=["read", "manage"]))
    for name in (ADA, BOB):
        assert may_have(row, factories.token_viewer(name, scopes=["read"]))
        assert not may_have(row, factories.token_viewer(name, scopes=["publish", "manage"]))


def test_nobody_asks_for_their_own_by_a_token_that_may_not_read() -> None:
    row = gated()
    with pytest.raises(Conflict) as refused:
        gating.ask(factories.token_viewer(ADA, scopes=["manage"]), embedding=row, agrees=True)
    assert refused.value.code == "has_access"


def test_a_transfer_takes_grants_along_and_nothing_that_was_shared() -> None:
    row = gated("auto")
    ask(row, message="For a zine.")
    team = factories.team(admin=ADA)
    moved = transferring.transfer_embedding(factories.viewer(), embedding=row, to=team.owner)
    asked = AccessRequest.objects.get()
    assert (asked.state, asked.email, asked.message) == (State.ACCEPTED, "", "")
    assert may_have(moved, factories.viewer(BOB)) and moved.gate == "auto"


@pytest.mark.parametrize(
    ("state", "kind", "said"),
    [
        (None, Forbidden, "on its page"),
        (State.PENDING, Forbidden, "waits"),
        (State.REJECTED, Forbidden, "rejected"),
        ("stranger", Unauthenticated, "sign in"),
    ],
)
def test_a_refusal_says_what_to_do(state: str | None, kind: type[HubError], said: str) -> None:
    row = gated()
    viewer = ANONYMOUS if state == "stranger" else factories.viewer(BOB)
    if state in State.values:
        ask(row)
        AccessRequest.objects.update(state=state)
    with pytest.raises(kind, match=said) as refused:
        gates.check(viewer, gates.of(row))
    assert refused.value.code == "gated" and refused.value.detail["embedding"] == "ada/moss-dragon"


def test_terms_are_bounded_and_the_gate_is_one_of_three() -> None:
    row = factories.published()
    for fields, field in (({"gate": "closed"}, "gate"), ({"terms": "x" * 9_000}, "terms")):
        with pytest.raises(Unacceptable) as refused:
            gating.set_gate(factories.viewer(), embedding=row, **fields)
        assert refused.value.field == field


def test_digests_that_everybody_is_told_pull_no_bytes_through_a_push(tmp_path: Any) -> None:
    row, bobs = gated(), factories.embedding(BOB, "my-own")
    digest = row.versions.get().files.get(layout="canonical").blob_id
    bob = factories.viewer(BOB)
    with pytest.raises(Unacceptable) as refused:
        pending.write(bob, embedding=bobs, sha256=digest, target=tmp_path / "stolen")
    assert refused.value.code == "upload_missing" and not (tmp_path / "stolen").exists()
    gating.grant(factories.viewer(), embedding=row, name=BOB)
    pending.write(bob, embedding=bobs, sha256=digest, target=tmp_path / "mine")
    assert (tmp_path / "mine").stat().st_size > 0


def test_what_bob_may_not_see_he_cannot_ask_for() -> None:
    row = gated()
    publishing.update_details(factories.viewer(), embedding=row, visibility="private")
    with pytest.raises(NotFound):
        ask(row)


def test_owner_and_asker_are_told_by_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.HUB, "HUB_EMAIL_URL", "smtp://mail.example.org")
    for name in (ADA, BOB):
        user = factories.user(name)
        user.made_by_operator = True
        user.save()
    row = gated()
    asked = ask(row, message="For a zine.")
    jobs = OutboxJob.objects.filter(name="mail_access_request")
    assert [job.args for job in jobs] == [[asked.pk]]
    worker.mail_access_request.fn(asked.pk)
    [told] = mail.outbox
    assert told.to == ["ada@example.org"] and "bob asks" in told.subject
    assert "For a zine." in told.body and "/ada/moss-dragon/requests" in told.body
    gating.reject(factories.viewer(), request=asked, reason="Not for that.")
    assert OutboxJob.objects.filter(name="mail_access_answer").count() == 1
    worker.mail_access_answer.fn(asked.pk)
    assert mail.outbox[1].to == ["bob@example.org"] and "Not for that." in mail.outbox[1].body
    gating.accept(factories.viewer(), request=asked)
    worker.mail_access_answer.fn(asked.pk)
    assert "you are let in" in mail.outbox[2].subject
    worker.mail_access_request.fn(asked.pk)
    assert len(mail.outbox) == 3
