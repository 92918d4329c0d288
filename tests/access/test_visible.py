"""Who may know of what: every kind of viewer against every state and visibility."""

from typing import Any

import pytest

from hub.access import ACTS, ANONYMOUS, ROUTES, Viewer, can, can_see, is_open, require, visible
from hub.errors import Forbidden, NotFound, Unauthenticated
from hub.models import Commit, Embedding, Version
from tests import factories

pytestmark = pytest.mark.django_db

STATES = ("draft", "published", "yanked", "quarantined", "taken_down", "deleted")


def viewers() -> dict[str, Viewer]:
    """One of each kind."""
    return {
        "anonymous": ANONYMOUS,
        "stranger": factories.viewer("bob"),
        "owner": factories.viewer("ada"),
        "owner by token": factories.token_viewer("ada", scopes=["read"]),
        "token without read": factories.token_viewer("ada", scopes=["publish"]),
        "moderator": factories.moderator(),
        "moderator by token": factories.token_viewer("mod", scopes=["read"]),
    }


def in_state(state: str, **fields: Any) -> Version:
    """A version in that state, the only one of its embedding."""
    embedding = factories.embedding(name=f"{state.replace('_', '-')}-word", **fields)
    if state == "draft":
        return factories.draft(embedding)
    version = factories.version(embedding)
    Version.objects.filter(pk=version.pk).update(state=state)
    if state != "published":
        Embedding.objects.filter(pk=embedding.pk).update(head=None)
    version.refresh_from_db()
    return version


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_each_viewer_sees_exactly_these_states(visibility: str) -> None:
    versions = {state: in_state(state, visibility=visibility) for state in STATES}
    shared = {"published", "yanked"} if visibility != "private" else set()
    everything = set(STATES) - {"deleted"}
    expected = {
        "anonymous": shared,
        "stranger": shared,
        "owner": everything,
        "owner by token": everything,
        "token without read": shared,
        "moderator": everything if visibility != "private" else set(),
        "moderator by token": shared,
    }
    for name, viewer in viewers().items():
        seen = {state for state, version in versions.items() if can_see(viewer, version)}
        assert seen == expected[name], name


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_a_commit_is_seen_by_whoever_sees_its_version(visibility: str) -> None:
    versions = {state: in_state(state, visibility=visibility) for state in STATES if state != "draft"}
    for name, viewer in viewers().items():
        commits = visible(Commit.objects.exclude(version=None), viewer)
        seen = set(commits.values_list("version__state", flat=True))
        assert seen == {state for state, version in versions.items() if can_see(viewer, version)}, name


@pytest.mark.parametrize("anybody_reads", [True, False])
@pytest.mark.parametrize("visibility", ["public", "unlisted", "private"])
def test_what_can_be_pulled_is_open_by_its_visibility(
    settings: Any, visibility: str, anybody_reads: bool
) -> None:
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": anybody_reads}
    for state in ("published", "yanked"):
        version = in_state(state, visibility=visibility)
        assert is_open(version.embedding.visibility) == can_see(ANONYMOUS, version)


def test_an_embedding_is_known_by_what_it_offers() -> None:
    for state in STATES:
        version = in_state(state)
        assert can_see(ANONYMOUS, version.embedding) == (state in ("published", "yanked")), state
        assert can_see(factories.viewer(), version.embedding)


def test_a_hub_can_keep_everything_for_those_who_signed_in(settings: Any) -> None:
    version = factories.version()
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    assert not can_see(ANONYMOUS, version)
    assert not visible(Embedding.objects.all(), ANONYMOUS).exists()
    assert can_see(factories.viewer("bob"), version)


def test_refusals_tell_the_hidden_from_the_forbidden() -> None:
    public, private = (
        factories.published(name="public"),
        factories.published(name="private", visibility="private"),
    )
    for act in ("publish_version", "edit_card", "delete_version", "change_visibility"):
        for viewer, kind in [(ANONYMOUS, Unauthenticated), (factories.viewer("bob"), Forbidden)]:
            with pytest.raises(kind):
                require(viewer, act, public)
            with pytest.raises(NotFound):
                require(viewer, act, private)
        require(factories.viewer(), act, public)


def test_a_token_does_what_its_scopes_say_and_no_more() -> None:
    embedding = factories.published()
    scopes = ("read", "publish", "manage", "train")
    only = {scope: factories.token_viewer(scopes=[scope]) for scope in scopes}
    all_but = {scope: factories.token_viewer(scopes=[s for s in scopes if s != scope]) for scope in scopes}
    for act, row in ACTS.items():
        if row.scope not in scopes:
            continue
        assert not can(all_but[row.scope], act, embedding), act
        assert can(only[row.scope], act, embedding) == can(factories.viewer(), act, embedding), act


def test_every_route_names_acts_of_the_table() -> None:
    for name, acts in ROUTES.items():
        assert set(acts) - {None} <= set(ACTS), name
