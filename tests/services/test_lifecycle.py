"""Withdrawing versions: what stops being offered, what still resolves, and what never comes back."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from hub.access import ANONYMOUS
from hub.catalog import browse, resolve
from hub.errors import Conflict, Forbidden, Gone, HubError, NotFound, TakenDown, Unacceptable
from hub.models import Download, Embedding, Version
from hub.services import audit
from hub.services.versions import lifecycle, publishing
from tests import factories

pytestmark = pytest.mark.django_db


def main(name: str = "moss-dragon") -> str:
    """What `main` is for everybody."""
    resolved = resolve.revision(ANONYMOUS, owner="ada", name=name, revision="main")
    assert resolved.version is not None
    return resolved.version.name


def test_main_passes_over_a_yanked_version_which_still_resolves_by_number_and_commit() -> None:
    embedding = factories.published()
    second = factories.version(embedding)
    pin = second.commits.get().sha
    publishing.yank(factories.viewer(), version=second, reason="Too dark.")
    assert main() == "v1"
    for revision in ("v2", pin):
        resolved = resolve.revision(ANONYMOUS, owner="ada", name="moss-dragon", revision=revision)
        assert resolved.version == second
        assert resolved.version.state_reason == "Too dark."
    publishing.unyank(factories.viewer(), version=second)
    assert main() == "v2"


def test_a_yank_needs_a_reason_and_keeps_the_current_card() -> None:
    embedding = factories.published()
    second = factories.version(embedding)
    publishing.update_details(factories.viewer(), embedding=embedding, card="Newest words.")
    with pytest.raises(Unacceptable):
        publishing.yank(factories.viewer(), version=second, reason=" ")
    publishing.yank(factories.viewer(), version=second, reason="Too dark.")
    file = resolve.file(ANONYMOUS, owner="ada", name="moss-dragon", revision="main", path="README.md")
    from hub import blobs

    card = blobs.read(file.sha256).decode()
    assert "Newest words." in card and "version: 1" in card


def test_with_everything_yanked_nothing_is_listed_and_main_does_not_resolve() -> None:
    embedding = factories.published()
    publishing.yank(factories.viewer(), version=embedding.versions.get(), reason="Wrong pictures.")
    assert browse.list_embeddings(ANONYMOUS).total == 0
    with pytest.raises(NotFound) as refusal:
        main()
    assert refusal.value.code == "revision_not_found"
    assert resolve.revision(ANONYMOUS, owner="ada", name="moss-dragon", revision="v1").version is not None


def test_moderators_yank_and_strangers_do_not() -> None:
    version = factories.version()
    with pytest.raises(Forbidden):
        publishing.yank(factories.viewer("bob"), version=version, reason="Envy.")
    assert publishing.yank(factories.moderator(), version=version, reason="Broken.").state == "yanked"
    assert publishing.yank(factories.moderator(), version=version, reason="Again.").state_reason == "Broken."


def test_a_fresh_version_can_be_deleted_and_leaves_a_tombstone() -> None:
    version = factories.version()
    publishing.delete_version(factories.viewer(), version=version)
    for revision in ("v1", version.commits.get().sha):
        with pytest.raises(Gone):
            resolve.revision(ANONYMOUS, owner="ada", name="moss-dragon", revision=revision)
    with pytest.raises(Conflict) as refusal:
        publishing.yank(factories.viewer(), version=version, reason="Late.")
    assert refusal.value.code == "state_conflict"


def test_what_others_rely_on_cannot_be_deleted() -> None:
    version = factories.version()
    Download.objects.create(version=version, day=timezone.now().date(), count=100)
    with pytest.raises(Conflict) as refusal:
        publishing.delete_version(factories.viewer(), version=version)
    assert refusal.value.code == "too_late"
    with pytest.raises(Conflict):
        publishing.delete_embedding(factories.viewer(), embedding=version.embedding)
    version.refresh_from_db()
    assert version.state == "published"


def test_after_three_days_a_public_version_stays_and_a_private_one_may_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    public = factories.version(factories.embedding(name="public"))
    private = factories.version(factories.embedding(name="private", visibility="private"))
    later = timezone.now() + timedelta(hours=73)
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(Conflict):
        publishing.delete_version(factories.viewer(), version=public)
    assert publishing.delete_version(factories.viewer(), version=private).state == "deleted"


def test_a_deleted_embedding_is_gone_and_its_name_stays_taken() -> None:
    embedding = factories.published()
    factories.draft(embedding)
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    with pytest.raises(Gone):
        resolve.embedding(ANONYMOUS, owner="ada", name="moss-dragon")
    with pytest.raises(Conflict):
        factories.embedding(name="moss-dragon")
    assert browse.list_embeddings(ANONYMOUS).total == 0
    assert Version.objects.get().state == "deleted"
    assert Embedding.objects.get().deleted_at is not None


def test_a_deleted_private_embedding_leaves_no_trace_for_others() -> None:
    embedding = factories.published(visibility="private")
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    for viewer in (ANONYMOUS, factories.viewer("bob"), factories.moderator()):
        with pytest.raises(NotFound):
            resolve.embedding(viewer, owner="ada", name="moss-dragon")


def test_a_version_that_was_taken_down_says_so() -> None:
    version = factories.version()
    factories.version(version.embedding)
    Version.objects.filter(pk=version.pk).update(state="taken_down")
    with pytest.raises(TakenDown):
        resolve.revision(ANONYMOUS, owner="ada", name="moss-dragon", revision="v1")
    assert main() == "v2"


def test_a_quarantined_version_does_not_exist_for_strangers() -> None:
    version = factories.version()
    Version.objects.filter(pk=version.pk).update(state="quarantined")
    Embedding.objects.update(head=None)
    with pytest.raises(NotFound):
        resolve.embedding(ANONYMOUS, owner="ada", name="moss-dragon")
    with pytest.raises(NotFound):
        resolve.revision(factories.viewer(), owner="ada", name="moss-dragon", revision="v1")
    assert resolve.embedding(factories.viewer(), owner="ada", name="moss-dragon") == version.embedding


def test_only_listed_transitions_happen_and_each_is_in_the_audit_log() -> None:
    states = list(Version.State)
    acts = {"yank": "yanked", "unyank": "published", "delete_version": "deleted"}
    for number, (state, (act, target)) in enumerate(itertools.product(states, acts.items())):
        version = factories.draft(factories.embedding(name=f"word-{number}"))
        if state not in ("draft", "checking"):
            version = publishing.publish(factories.viewer(), version=version)
        Version.objects.filter(pk=version.pk).update(state=state)
        version.refresh_from_db()
        extra = {"reason": "Because."} if act == "yank" else {}
        allowed = state == target or (
            target in lifecycle.TRANSITIONS[state]
            and state not in ("quarantined", "taken_down")
            and not (act == "unyank" and state != "yanked")
        )
        try:
            getattr(publishing, act)(factories.viewer(), version=version, **extra)
        except HubError as error:
            assert not allowed, (state, act, error)
            assert error.code in ("state_conflict", "not_found")
        else:
            assert allowed, (state, act)
            version.refresh_from_db()
            assert version.state == target
    assert list(audit.breaks()) == []


@pytest.mark.parametrize("state", ["quarantined", "taken_down"])
def test_an_embedding_with_a_held_version_cannot_be_deleted(state: str) -> None:
    embedding = factories.published()
    factories.draft(embedding)
    Version.objects.filter(number=1).update(state=state)
    with pytest.raises(Conflict) as refusal:
        publishing.delete_embedding(factories.viewer(), embedding=embedding)
    assert refusal.value.code == "state_conflict"
    assert Version.objects.get(number=1).state == state and Version.objects.count() == 2
