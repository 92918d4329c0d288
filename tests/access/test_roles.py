"""The table of the security documentation, cell by cell: each act by each role, on a thing of one's own and of a team.

What is expected stands here and not in the product: the columns are those of the published table.
"""

from typing import Any, Final

import pytest

from hub.access import ACTS, ANONYMOUS, Viewer, acts_on, can, can_see, role_on
from hub.models import Embedding, Membership, Role, Team, Version
from tests import factories

pytestmark = pytest.mark.django_db

COLUMNS: Final = ("anonymous", "user", "reader", "writer", "admin", "moderator", "administrator")
# x: may, -: may not. On a thing that stands under a team's name, and that the viewer did not make.
TABLE: Final = {
    "see_public":             "x x x x x x x",
    "see_private":            "- - x x x x x",
    "whoami":                 "- x x x x x x",
    "create_embedding":       "- - - x x - -",
    "see_draft":              "- - - x x - -",
    "publish_version":        "- - - x x - -",
    "add_preview":            "- - - x x - -",
    "edit_card":              "- - - x x - -",
    "yank":                   "- - - x x x x",
    "delete_version":         "- - - - x - -",
    "change_visibility":      "- - - - x - -",
    "rename":                 "- - - - x - -",
    "pull_gated":             "- - x x x x x",
    "ask_access":             "- x x x x x x",
    "manage_gate":            "- - - - x - -",
    "transfer":               "- - - - x - -",
    "create_pack":            "- - - x x - -",
    "edit_pack":              "- - - x x - -",
    "delete_pack":            "- - - - x - -",
    "like":                   "- x x x x x x",
    "flag":                   "- x x x x x x",
    "moderate":               "- - - - - x x",
    "see_run":                "- - x x x x x",
    "see_training_images":    "- - - - x - -",
    "delete_training_images": "- - - - x x x",
    "start_run":              "- - - x x - -",
    "resume_run":             "- - - - x - -",
    "cancel_run":             "- - - - x x x",
    "manage_webhooks":        "- - - - x - -",
    "manage_tokens":          "- - - - x - -",
    "give_up_token":          "- x x x x x x",
    "manage_account":         "- - - - x - -",
    "create_team":            "- x x x x x x",
    "see_teams":              "- x x x x x x",
    "edit_team":              "- - - - x - -",
    "see_invitations":        "- - - - x - x",
    "manage_members":         "- - - - x - x",
    "make_admin":             "- - - - x - x",
    "leave_team":             "- - x x x - -",
    "answer_invitation":      "- x x x x x x",
    "rename_team":            "- - - - x - -",
    "delete_team":            "- - - - x - -",
    "sign_in":                "x x x x x x x",
    "ask_in_a_body":          "x x x x x x x",
    "follow_link":            "x x x x x x x",
}  # fmt: skip
# What a writer may do besides to what the writer made.
OWN_TO_WRITERS: Final = {"see_training_images", "delete_training_images", "resume_run", "cancel_run"}
NEVER_BY_TOKEN: Final = {
    "transfer", "moderate", "manage_tokens", "manage_account", "make_admin", "rename_team", "delete_team",
}  # fmt: skip


@pytest.fixture
def team() -> Team:
    """ada is its admin, wes its writer, rhea its reader."""
    return factories.team(wes="writer", rhea="reader")


def viewers() -> dict[str, Viewer]:
    """One for each column."""
    return {
        "anonymous": ANONYMOUS,
        "user": factories.viewer("bob"),
        "reader": factories.viewer("rhea"),
        "writer": factories.viewer("wes"),
        "admin": factories.viewer("ada"),
        "moderator": factories.moderator(),
        "administrator": factories.viewer("root-of-all", staff=True),
    }


def cells(act: str) -> dict[str, bool]:
    """What the table says of an act, by column."""
    return dict(zip(COLUMNS, (cell == "x" for cell in TABLE[act].split()), strict=True))


def test_every_act_has_a_row() -> None:
    assert set(TABLE) == set(ACTS)


def test_each_role_may_exactly_what_the_table_says(team: Team) -> None:
    thing = factories.published(team=team)
    for name, viewer in viewers().items():
        expected = {act for act in TABLE if cells(act)[name]}
        assert {act for act in ACTS if can(viewer, act, thing)} == expected, name
        assert acts_on(viewer, thing) == expected, name


def test_everybody_is_admin_of_their_own_name_and_nothing_more() -> None:
    own = factories.published("bob")
    owner = factories.viewer("bob")
    assert role_on(owner, own) is Role.ADMIN
    assert acts_on(owner, own) == {act for act in TABLE if cells(act)["admin"]}
    assert role_on(factories.viewer("ada"), own) is None


def test_a_writer_decides_over_what_the_writer_made(team: Team) -> None:
    theirs = factories.embedding("wes", "wes-word", team=team)
    extra = acts_on(factories.viewer("wes"), theirs) - {act for act in TABLE if cells(act)["writer"]}
    assert extra == OWN_TO_WRITERS
    Membership.objects.filter(user__username="wes").update(role="reader")
    assert not acts_on(factories.viewer("wes"), theirs) & OWN_TO_WRITERS


def test_no_token_does_what_only_a_person_at_the_site_may(team: Team) -> None:
    thing = factories.published(team=team)
    every = factories.token_viewer("ada", scopes=["read", "publish", "manage", "train"])
    refused = acts_on(factories.viewer("ada"), thing) - acts_on(every, thing)
    assert refused == NEVER_BY_TOKEN - {"moderate"}


def test_a_token_of_a_member_needs_role_and_scope(team: Team) -> None:
    thing = factories.published(team=team)
    for person in ("rhea", "wes", "ada"):
        role = acts_on(factories.viewer(person), thing)
        for scope in ("read", "publish", "manage", "train"):
            has = acts_on(factories.token_viewer(person, scopes=[scope]), thing)
            assert has == {act for act in role if ACTS[act].scope in (None, scope)}, (person, scope)


SEEN: Final = {
    # state: who sees the version of a private embedding, beside those who see it in every state
    "draft": set(),
    "published": {"reader"},
    "yanked": {"reader"},
    "quarantined": set(),
    "taken_down": set(),
}  # fmt: skip


@pytest.mark.parametrize("state", SEEN)
def test_private_things_of_a_team_are_its_members(team: Team, state: str) -> None:
    embedding = factories.embedding(team=team, visibility="private")
    version = factories.draft(embedding) if state == "draft" else factories.version(embedding)
    Version.objects.filter(pk=version.pk).update(state=state)
    if state != "published":
        Embedding.objects.filter(pk=embedding.pk).update(head=None)
    expected = {"writer", "admin"} | SEEN[state]
    everybody = viewers()
    assert {name for name, viewer in everybody.items() if can_see(viewer, version)} == expected
    assert {name for name, viewer in everybody.items() if can_see(viewer, version.embedding)} == expected


def test_a_quarantined_version_is_hidden_from_readers_though_it_is_public(team: Team) -> None:
    version = factories.version(factories.embedding(team=team))
    Version.objects.filter(pk=version.pk).update(state="quarantined")
    seen = {name for name, viewer in viewers().items() if can_see(viewer, version)}
    assert seen == {"writer", "admin", "moderator", "administrator"}


def test_a_private_pack_of_a_team_is_its_members() -> None:
    team = factories.team(rhea="reader")
    pack = factories.pack("ada", "damp", team=team, visibility="private")
    assert can_see(factories.viewer("rhea"), pack)
    assert not can_see(factories.viewer("bob"), pack)
    assert not can_see(factories.token_viewer("rhea", scopes=["publish"]), pack)


def test_a_member_sees_nothing_of_the_other_members_own(team: Team) -> None:
    private = factories.published("wes", visibility="private")
    assert not can_see(factories.viewer("ada"), private)
    assert not can(factories.viewer("ada"), "edit_card", private)


def test_what_leaves_a_team_is_its_present_owners_alone(team: Team) -> None:
    moved = factories.published(team=team, visibility="private")
    Embedding.objects.filter(pk=moved.pk).update(owner=factories.user("bob").owner)
    moved.refresh_from_db()
    for person in ("ada", "wes", "rhea"):
        assert not can_see(factories.viewer(person), moved)
        assert not can(factories.viewer(person), "publish_version", moved)
    assert can_see(factories.viewer("bob"), moved)


def test_rights_are_those_of_this_moment_for_sessions_and_tokens_alike(team: Team) -> None:
    thing = factories.published(team=team, visibility="private")
    session, token = factories.viewer("wes"), factories.token_viewer("wes", scopes=["read", "publish"])
    assert can(session, "publish_version", thing) and can(token, "publish_version", thing)
    Membership.objects.filter(user__username="wes").delete()
    for viewer in (session, token):
        assert not can(viewer, "publish_version", thing)
        assert not can_see(viewer, thing)


def test_roles_cost_one_query_however_many_teams(django_assert_num_queries: Any) -> None:
    for number in range(3):
        factories.team(f"house-{number}", rhea="reader")
    thing, viewer = factories.published(), factories.viewer("rhea")
    with django_assert_num_queries(1):
        assert can_see(viewer, thing)
    with django_assert_num_queries(1):
        acts_on(viewer, thing)
    owner = factories.viewer("ada")
    with django_assert_num_queries(0):
        assert can(owner, "edit_card", thing)
        assert not can(viewer, "moderate", thing)
