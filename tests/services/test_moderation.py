"""Flags by people, and rulings of moderators: held, taken down, lifted, never undone by the owner."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.access import Viewer, can_see, visible
from hub.catalog import moderation as reads
from hub.errors import Conflict, Forbidden, NotFound, RateLimited, TakenDown, Unacceptable, Unauthenticated
from hub.models import AuditEntry, Embedding, Flag, Ruling, Version
from hub.services.moderation import flags, rulings
from hub.services.versions import lifecycle, publishing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def embedding() -> Embedding:
    return factories.published()


@pytest.fixture
def mod() -> Viewer:
    return factories.moderator()


def state(embedding: Embedding, number: int = 1) -> str:
    return str(embedding.versions.get(number=number).state)


def hold(mod: Viewer, embedding: Embedding, kind: str = "quarantine", **given: Any) -> Ruling:
    return rulings.rule(mod, embedding=embedding, kind=kind, reason="Is looked at.", **given)[0]


def test_a_held_version_is_hidden_and_comes_back_as_it_was(embedding: Embedding, mod: Viewer) -> None:
    ruling = hold(mod, embedding)
    assert state(embedding) == "quarantined"
    version = embedding.versions.get()
    assert not can_see(factories.viewer("bob"), version)
    assert can_see(factories.viewer("ada"), version) and can_see(mod, version)
    embedding.refresh_from_db()
    assert embedding.head is None
    rulings.lift(mod, ruling=ruling, reason="A mistake.")
    rulings.lift(mod, ruling=ruling)
    embedding.refresh_from_db()
    assert state(embedding) == "published" and embedding.head == version
    ruling.refresh_from_db()
    assert ruling.lifted_reason == "A mistake." and ruling.lifted_by == mod.user
    assert set(AuditEntry.objects.values_list("act", flat=True)) >= {"quarantine", "release"}


def test_a_yanked_version_comes_back_yanked_with_its_own_reason(embedding: Embedding, mod: Viewer) -> None:
    lifecycle.yank(factories.viewer(), version=embedding.versions.get(), reason="Too strong.")
    first = hold(mod, embedding)
    second = hold(mod, embedding, "take_down")
    first.refresh_from_db()
    assert first.lifted_at is not None and state(embedding) == "taken_down"
    rulings.lift(mod, ruling=second)
    version = embedding.versions.get()
    assert (version.state, version.state_reason) == ("yanked", "Too strong.")


def test_a_ruling_without_a_version_is_about_all_that_is_offered(embedding: Embedding, mod: Viewer) -> None:
    factories.version(embedding)
    deleted = factories.version(embedding)
    publishing.delete_version(factories.viewer(), version=deleted)
    made = rulings.rule(mod, embedding=embedding, kind="take_down", reason="Copied.")
    assert [one.version.number for one in made] == [1, 2]
    assert [state(embedding, number) for number in (1, 2, 3)] == ["taken_down", "taken_down", "deleted"]
    from hub.catalog import resolve

    with pytest.raises(TakenDown):
        resolve.revision(factories.viewer("bob"), owner="ada", name="moss-dragon", revision="v1")


def test_the_same_ruling_again_changes_nothing(embedding: Embedding, mod: Viewer) -> None:
    version = embedding.versions.get()
    assert hold(mod, embedding, version=version) == hold(mod, embedding, version=version)
    assert Ruling.objects.count() == 1


@pytest.mark.parametrize("kind", ["quarantine", "take_down"])
@pytest.mark.parametrize(
    "act",
    [
        lambda viewer, version: lifecycle.yank(viewer, version=version, reason="Mine."),
        lambda viewer, version: lifecycle.unyank(viewer, version=version),
        lambda viewer, version: lifecycle.delete_version(viewer, version=version),
        lambda viewer, version: lifecycle.delete_embedding(viewer, embedding=version.embedding),
    ],
)
def test_the_owner_cannot_get_around_a_ruling(
    embedding: Embedding, mod: Viewer, kind: str, act: Callable[[Viewer, Version], None]
) -> None:
    hold(mod, embedding, kind)
    before = state(embedding)
    with pytest.raises(Conflict) as refusal:
        act(factories.viewer(), embedding.versions.get())
    assert refusal.value.code == "state_conflict"
    assert state(embedding) == before


def test_what_cannot_be_ruled_on(embedding: Embedding, mod: Viewer) -> None:
    draft = factories.draft(embedding)
    with pytest.raises(Conflict):
        hold(mod, embedding, version=draft)
    ruling = hold(mod, embedding, "take_down")
    with pytest.raises(Conflict):
        hold(mod, embedding, version=ruling.version)
    for given in ({"kind": "burn", "reason": "x"}, {"kind": "take_down", "reason": " "}):
        with pytest.raises(Unacceptable):
            rulings.rule(mod, embedding=embedding, **given)


def test_only_moderators_by_session_rule_and_look(embedding: Embedding, mod: Viewer) -> None:
    ruling = hold(mod, embedding)
    flag = flags.raise_flag(factories.viewer("bob"), embedding=factories.published(name="two"), reason="spam")
    tool = factories.token_viewer("mod", scopes=["read", "publish", "manage", "train"])
    for viewer in (factories.viewer("ada"), factories.viewer("bob"), tool):
        for act in (
            lambda viewer=viewer: hold(viewer, embedding),
            lambda viewer=viewer: rulings.lift(viewer, ruling=ruling),
            lambda viewer=viewer: rulings.settle(viewer, flag=flag, outcome="dismissed"),
        ):
            with pytest.raises((Forbidden, NotFound)):
                act()
    for read in (reads.queue, reads.rulings):
        assert read(mod).exists()
        with pytest.raises(NotFound):
            read(factories.viewer("bob"))
        with pytest.raises(Forbidden):
            read(tool)
        with pytest.raises(Unauthenticated):
            read(Viewer())


def test_a_person_raises_one_flag_and_can_say_it_better(embedding: Embedding) -> None:
    bob = factories.viewer("bob")
    flags.raise_flag(bob, embedding=embedding, reason="spam")
    flag = flags.raise_flag(
        bob, embedding=embedding, version=embedding.versions.get(), reason="copyright", text="From my book."
    )
    assert Flag.objects.get() == flag
    assert (flag.rule, flag.reason, flag.text) == ("M1", "copyright", "From my book.")
    flags.raise_flag(factories.viewer("cleo"), embedding=embedding, reason="spam")
    assert Flag.objects.count() == 2
    assert visible(Embedding.objects.all(), bob).exists()


def test_flags_are_settled_once_and_by_a_ruling(embedding: Embedding, mod: Viewer) -> None:
    bob = factories.viewer("bob")
    first = flags.raise_flag(bob, embedding=embedding, reason="spam")
    rulings.settle(mod, flag=first, outcome="dismissed", note="No spam.")
    again = rulings.settle(mod, flag=first, outcome="acted")
    assert (again.outcome, again.note, again.settled_by) == ("dismissed", "No spam.", mod.user)
    second = flags.raise_flag(bob, embedding=embedding, reason="copyright")
    assert second != first
    hold(mod, embedding)
    second.refresh_from_db()
    assert (second.outcome, second.note) == ("acted", "Is looked at.")
    with pytest.raises(Unacceptable):
        rulings.settle(mod, flag=second, outcome="whatever")


def test_what_is_refused_of_a_flag(embedding: Embedding) -> None:
    bob = factories.viewer("bob")
    for field, given in {"reason": {"reason": "bad"}, "text": {"reason": "other"}}.items():
        with pytest.raises(Unacceptable) as refusal:
            flags.raise_flag(bob, embedding=embedding, **given)
        assert refusal.value.field == field
    hidden = factories.published(name="hidden", visibility="private")
    with pytest.raises(NotFound):
        flags.raise_flag(bob, embedding=hidden, reason="spam")
    with pytest.raises(Unauthenticated):
        flags.raise_flag(Viewer(), embedding=embedding, reason="spam")


def test_ten_flags_an_hour_are_enough() -> None:
    bob = factories.viewer("bob")
    made = [factories.published(name=f"word-{number}") for number in range(flags.MOST_AN_HOUR + 1)]
    for one in made[:-1]:
        flags.raise_flag(bob, embedding=one, reason="spam")
    with pytest.raises(RateLimited):
        flags.raise_flag(bob, embedding=made[-1], reason="spam")
