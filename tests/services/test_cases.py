"""Enough reports hold a version (rule M2), appeals go to another moderator, owners are told by mail."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from hub.access import Viewer
from hub.errors import Conflict, Forbidden, NotFound, RateLimited, Unacceptable
from hub.models import AuditEntry, Commit, Embedding, Flag, Notice, Ruling, User
from hub.services.moderation import appeals, flags, notices, rulings
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedding() -> Embedding:
    return factories.published()


@pytest.fixture
def mod() -> Viewer:
    return factories.moderator()


def settled_in(name: str) -> Viewer:
    """A person whose account is older than a day."""
    viewer = factories.viewer(name)
    assert viewer.user is not None
    User.objects.filter(pk=viewer.user.pk).update(date_joined=timezone.now() - timedelta(days=3))
    return Viewer(User.objects.get(pk=viewer.user.pk))


def proven(name: str, *, right: int = 3, wrong: int = 0) -> Viewer:
    """A person whose reports led to something so often, and did not so often."""
    viewer = settled_in(name)
    for number in range(right + wrong):
        Flag.objects.create(
            embedding=factories.embedding("zoe", f"{name}-{number}"), rule="M1", reason="spam", raised_by=viewer.user,
            settled_at=timezone.now() - timedelta(days=40), outcome="acted" if number < right else "dismissed",
        )  # fmt: skip
    return viewer


def report(viewer: Viewer, embedding: Embedding, reason: str = "illegal", **given: Any) -> Flag:
    return flags.raise_flag(viewer, embedding=embedding, reason=reason, **given)


def states(embedding: Embedding) -> list[str]:
    return list(embedding.versions.order_by("number").values_list("state", flat=True))


def test_a_trusted_report_and_another_hold_what_is_offered(embedding: Embedding) -> None:
    factories.version(embedding)
    report(settled_in("bob"), embedding)
    assert states(embedding) == ["published", "published"]
    report(proven("cleo"), embedding)
    assert states(embedding) == ["quarantined", "quarantined"]
    ruling = Ruling.objects.first()
    assert ruling is not None
    assert (ruling.rule, ruling.made_by, ruling.category, ruling.kind) == (
        "M2",
        None,
        "illegal",
        "quarantine",
    )
    assert Flag.objects.filter(embedding=embedding, settled_at=None).count() == 2
    entry = AuditEntry.objects.filter(act="quarantine").first()
    assert entry is not None and entry.actor == "anonymous" and entry.detail["rule"] == "M2"
    assert not Commit.objects.filter(created_by__username__in=["bob", "cleo"]).exists()


def test_only_the_versions_that_are_named_are_held(embedding: Embedding) -> None:
    second = factories.version(embedding)
    report(settled_in("bob"), embedding, version=second)
    report(factories.moderator(), embedding, version=second)
    assert states(embedding) == ["published", "quarantined"]


@pytest.mark.parametrize(
    "who",
    [
        lambda: (settled_in("bob"), settled_in("cleo")),
        lambda: (settled_in("bob"), proven("cleo", right=3, wrong=2)),
        lambda: (settled_in("bob"), proven("cleo", right=2)),
        lambda: (factories.viewer("bob"), proven("cleo")),
        lambda: (settled_in("ada"), proven("cleo")),
    ],
    ids=["nobody trusted", "often wrong", "too few", "an account of today", "the owner"],
)
def test_reports_that_are_not_enough_hold_nothing(embedding: Embedding, who: Any) -> None:
    for viewer in who():
        report(viewer, embedding)
    assert states(embedding) == ["published"]


def test_what_can_wait_for_a_moderator_is_not_held(embedding: Embedding) -> None:
    report(proven("bob"), embedding, "spam")
    report(proven("cleo"), embedding, "mislabelled")
    assert states(embedding) == ["published"]


def test_the_operator_may_want_more_people_or_no_holding(embedding: Embedding, settings: Any) -> None:
    for number in (0, 3):
        settings.HUB = {**settings.HUB, "HUB_HOLD_AFTER_FLAGS": number}
        report(proven("bob") if number == 0 else settled_in("bob"), embedding)
        report(settled_in("cleo"), embedding)
        assert states(embedding) == ["published"]
    report(settled_in("dora"), embedding)
    assert states(embedding) == ["quarantined"]


def test_what_a_moderator_gave_back_is_not_held_by_reports_again(embedding: Embedding, mod: Viewer) -> None:
    bob, cleo = settled_in("bob"), proven("cleo", right=4)
    report(bob, embedding)
    report(cleo, embedding)
    assert rulings.dismiss(mod, thing=embedding, note="It is in order.") == 2
    assert states(embedding) == ["published"]
    report(bob, embedding)
    report(cleo, embedding)
    assert states(embedding) == ["published"]


def test_who_cried_wolf_goes_on_slowly() -> None:
    bob = factories.viewer("bob")
    for number in range(flags.FALSE_ALARMS):
        made = report(bob, factories.published(name=f"word-{number}"))
        Flag.objects.filter(pk=made.pk).update(
            settled_at=timezone.now(), outcome="dismissed", created_at=timezone.now() - timedelta(hours=2)
        )
    report(bob, factories.published(name="first"))
    with pytest.raises(RateLimited, match="was in order"):
        report(bob, factories.published(name="second"))


def test_an_appeal_is_made_once_by_the_owner_and_in_time(embedding: Embedding, mod: Viewer) -> None:
    [ruling] = rulings.rule(mod, embedding=embedding, kind="take_down", reason="Copied.")
    ada = factories.viewer()
    for stranger in (factories.viewer("bob"), Viewer()):
        with pytest.raises((Forbidden, NotFound, Exception)):
            appeals.appeal(stranger, ruling=ruling, text="Mine!")
    with pytest.raises(Unacceptable):
        appeals.appeal(ada, ruling=ruling, text="  ")
    appeals.appeal(ada, ruling=ruling, text="It is my own.")
    with pytest.raises(Conflict) as again:
        appeals.appeal(ada, ruling=ruling, text="Really.")
    assert again.value.code == "already_appealed"
    other = factories.published(name="other")
    [late] = rulings.rule(mod, embedding=other, kind="take_down", reason="Copied.")
    Ruling.objects.filter(pk=late.pk).update(made_at=timezone.now() - timedelta(days=appeals.DAYS + 1))
    late.refresh_from_db()
    with pytest.raises(Conflict) as refusal:
        appeals.appeal(ada, ruling=late, text="Only now I see it.")
    assert refusal.value.code == "too_late"


def test_who_ruled_does_not_judge_unless_there_is_nobody_else(embedding: Embedding, mod: Viewer) -> None:
    [ruling] = rulings.rule(mod, embedding=embedding, kind="take_down", reason="Copied.")
    appeal = appeals.appeal(factories.viewer(), ruling=ruling, text="It is my own.")
    mira = factories.moderator("mira")
    with pytest.raises(Forbidden) as refusal:
        appeals.answer(mod, appeal=appeal, outcome="upheld", text="No.")
    assert refusal.value.code == "ruled_by_you"
    User.objects.filter(username="mira").update(is_active=False)
    appeals.answer(mod, appeal=appeal, outcome="upheld", text="No.")
    again = appeals.answer(mira, appeal=appeal, outcome="overturned", text="Yes.")
    assert (again.outcome, again.answer) == ("upheld", "No.")
    assert states(embedding) == ["taken_down"]


def test_an_overturned_ruling_is_lifted_and_stays_in_the_books(embedding: Embedding, mod: Viewer) -> None:
    [ruling] = rulings.rule(
        mod, embedding=embedding, kind="take_down", reason="Copied.", category="copyright"
    )
    appeal = appeals.appeal(factories.viewer(), ruling=ruling, text="It is my own.")
    appeals.answer(factories.moderator("mira"), appeal=appeal, outcome="overturned", text="It is.")
    ruling.refresh_from_db()
    assert ruling.lifted_reason == "It is." and states(embedding) == ["published"]
    assert list(Notice.objects.values_list("about", flat=True)) == ["made", "answered", "lifted"]


def test_what_has_no_bytes_any_more_is_not_given_back(embedding: Embedding, mod: Viewer) -> None:
    [ruling] = rulings.rule(mod, embedding=embedding, kind="take_down", reason="Copied.")
    embedding.versions.update(tensors=None)
    with pytest.raises(Conflict) as refusal:
        rulings.lift(mod, ruling=ruling)
    assert refusal.value.code == "bytes_gone"


def test_the_owner_is_told_by_mail_once(embedding: Embedding, mod: Viewer, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_EMAIL_URL": "smtp://x", "HUB_CONTACT": "law@example.org"}
    User.objects.filter(username="ada").update(made_by_operator=True)
    [ruling] = rulings.rule(
        mod, embedding=embedding, kind="take_down", reason="Copied.", category="copyright"
    )
    assert notices.send_due() == 1 and notices.send_due() == 0
    [sent] = mail.outbox
    assert sent.to == ["ada@example.org"] and "taken down" in sent.subject
    assert "Copied." in sent.body and f"/settings/rulings/{ruling.pk}" in sent.body
    rulings.lift(mod, ruling=ruling, reason="A mistake.")
    rulings.decide(mod, thing=embedding.owner, kind="freeze", reason="Three times now.", category="copyright")
    assert notices.send_due() == 2
    assert "A mistake." in mail.outbox[1].body and "law@example.org" in mail.outbox[2].body


def test_without_mail_nothing_is_sent_and_nothing_breaks(embedding: Embedding, mod: Viewer) -> None:
    rulings.rule(mod, embedding=embedding, kind="take_down", reason="Copied.")
    assert notices.send_due() == 0 and mail.outbox == []


def test_a_held_pack_goes_back_to_what_it_was(mod: Viewer) -> None:
    pack = factories.pack("ada", "wet-places", visibility="private")
    flags.raise_flag(factories.viewer("ada"), pack=pack, reason="spam")
    [ruling] = rulings.decide(mod, thing=pack, kind="quarantine", reason="Links.")
    [again] = rulings.decide(mod, thing=pack, kind="quarantine", reason="Links.")
    assert again == ruling
    rulings.lift(mod, ruling=ruling)
    pack.refresh_from_db()
    assert pack.visibility == "private"


@pytest.mark.parametrize("kind", ["freeze", "clear", "burn"])
def test_a_kind_that_does_not_fit_the_thing_is_refused(embedding: Embedding, mod: Viewer, kind: str) -> None:
    with pytest.raises(Unacceptable):
        rulings.decide(mod, thing=embedding, kind=kind, reason="x")


def test_deleting_what_was_given_back_is_the_owners_again(embedding: Embedding, mod: Viewer) -> None:
    [ruling] = rulings.rule(mod, embedding=embedding, kind="quarantine", reason="A look.")
    rulings.lift(mod, ruling=ruling)
    publishing.delete_version(factories.viewer(), version=embedding.versions.get())
    assert states(embedding) == ["deleted"]
