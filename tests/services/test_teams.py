"""Teams: made, filled, renamed and ended, under the rules Z3 to Z5."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from hub.access import ANONYMOUS, Viewer, can, can_see
from hub.catalog import packs as pack_reads
from hub.catalog import pulls, resolve
from hub.catalog import teams as reads
from hub.errors import Forbidden, HubError, NotFound, Renamed, Unacceptable, Unauthenticated
from hub.models import AuditEntry, Invitation, Membership, OutboxJob, Owner, SearchText, Team
from hub.services.people import accounts, team_mails, teammates, teams
from hub.services.upkeep import fsck
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def roles(team: Team) -> dict[str, str]:
    """Who is what."""
    return {row.user.username: row.role for row in reads.members(team)}


def code_of(call: Callable[[], object]) -> str:
    """The code of the refusal."""
    with pytest.raises(HubError) as refused:
        call()
    return refused.value.code


class TestTheTeamItself:
    """Its name is an owner's name like a person's."""

    def test_whoever_makes_it_is_its_admin_and_alone(self) -> None:
        team = teams.create(factories.viewer(), name=" Fern-House ", about="We like ferns.")
        assert (team.owner.name, team.title, team.about) == ("fern-house", "fern-house", "We like ferns.")
        assert roles(team) == {"ada": "admin"}
        assert AuditEntry.objects.filter(act="create_team", subject="fern-house", actor="ada").exists()

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("ada", "name_taken"),
            ("a-da", "name_too_similar"),
            ("settings", "name_reserved"),
            ("No!", "field_invalid"),
        ],
    )
    def test_names_are_those_of_owners(self, name: str, code: str) -> None:
        factories.user("ada")
        assert code_of(lambda: teams.create(factories.viewer("bob"), name=name)) == code
        assert not Team.objects.exists()

    def test_nobody_signs_up_as_a_team(self) -> None:
        factories.team("fern-house")
        assert code_of(lambda: accounts.create_user(name="fern.house")) == "name_too_similar"

    def test_strangers_make_none_and_a_person_makes_a_bounded_number(self, monkeypatch: Any) -> None:
        with pytest.raises(Unauthenticated):
            teams.create(ANONYMOUS, name="fern-house")
        monkeypatch.setattr(teams, "MOST_TEAMS", 1)
        factories.team("fern-house")
        assert code_of(lambda: factories.team("moss-house")) == "too_many_teams"
        assert not Owner.objects.filter(name="moss-house").exists()

    def test_another_name_keeps_people_and_things_and_the_old_one_leads_there(self) -> None:
        team = factories.team("fern-house", wes="writer")
        embedding = factories.published(team=team)
        pack = factories.pack("ada", "damp", team=team)
        sha = embedding.commits.order_by("-sequence")[0].sha
        teams.rename(factories.viewer(), team=team, name="moss-house")
        with pytest.raises(Renamed) as moved:
            resolve.embedding(ANONYMOUS, owner="Fern-House", name="moss-dragon")
        assert moved.value.detail == {"owner": "moss-house", "name": "moss-dragon"}
        with pytest.raises(Renamed):
            pack_reads.get(ANONYMOUS, owner="fern-house", name=pack.name)
        assert (
            resolve.revision(ANONYMOUS, owner="moss-house", name="moss-dragon", revision=sha).commit.sha
            == sha
        )
        main = resolve.file(
            ANONYMOUS, owner="moss-house", name="moss-dragon", revision="main", path="README.md"
        )
        assert main.commit.message == "Move from fern-house/moss-dragon to moss-house/moss-dragon"
        told = SearchText.objects.get(embedding=embedding)
        assert "moss house" in " ".join([told.word, told.tags, told.summary, told.body])
        assert reads.get(ANONYMOUS, name="fern-house") == reads.get(ANONYMOUS, name="moss-house") == team
        assert code_of(lambda: teams.create(factories.viewer("bob"), name="fernhouse")) == "name_too_similar"
        teams.rename(factories.viewer(), team=team, name="fern-house")
        assert resolve.embedding(ANONYMOUS, owner="fern-house", name="moss-dragon") == embedding
        assert list(fsck.findings()) == []

    def test_only_an_empty_team_is_deleted_and_its_name_is_nobodys_ever_after(self) -> None:
        team = factories.team("fern-house", wes="writer")
        embedding = factories.published(team=team)
        assert code_of(lambda: teams.delete(factories.viewer(), team=team)) == "team_not_empty"
        publishing.delete_embedding(factories.viewer(), embedding=embedding)
        teams.delete(factories.viewer(), team=team)
        assert not Team.objects.exists() and not Membership.objects.exists()
        assert Owner.objects.get(name="fern-house").retired_at is not None
        for again in (lambda: factories.team("fern-house"), lambda: accounts.create_user(name="fern-house")):
            assert code_of(again) == "name_taken"
        assert not can(factories.viewer("wes"), "publish_version", embedding)

    @pytest.mark.parametrize("person", ["wes", "rhea", "bob"])
    def test_only_admins_describe_rename_and_delete(self, person: str) -> None:
        team = factories.team(wes="writer", rhea="reader")
        viewer = factories.viewer(person)
        for act in (
            lambda: teams.describe(viewer, team=team, title="Mine"),
            lambda: teams.rename(viewer, team=team, name="mine"),
            lambda: teams.delete(viewer, team=team),
        ):
            with pytest.raises(Forbidden):
                act()
        team.refresh_from_db()
        assert (team.title, team.owner.name) == ("Fern House", "fern-house")

    def test_no_token_renames_or_deletes_one(self) -> None:
        team = factories.team()
        token = factories.token_viewer("ada", scopes=["read", "publish", "manage", "train"])
        assert code_of(lambda: teams.rename(token, team=team, name="moss-house")) == "session_required"
        assert code_of(lambda: teams.delete(token, team=team)) == "session_required"
        assert teams.describe(token, team=team, about="Ferns.").about == "Ferns."


class TestInvitations:
    """Nobody is in a team who did not say yes."""

    def test_a_person_is_asked_and_comes_in_as_what_they_were_asked(self) -> None:
        team, bob = factories.team(), factories.viewer("bob")
        asked = teammates.invite(factories.viewer(), team=team, name="Bob", role="writer")
        assert roles(team) == {"ada": "admin"}
        assert list(reads.invitations(bob)) == [asked]
        assert not can(bob, "create_embedding", team.owner)
        teammates.accept(bob, invitation=asked)
        assert roles(team) == {"ada": "admin", "bob": "writer"}
        assert can(bob, "create_embedding", team.owner)
        assert code_of(lambda: teammates.accept(bob, invitation=asked)) == "not_found"

    def test_it_is_answered_by_the_one_who_was_asked_and_nobody_else(self) -> None:
        team = factories.team(wes="writer")
        factories.user("bob")
        asked = teammates.invite(factories.viewer(), team=team, name="bob", role="admin")
        for viewer in (factories.viewer("mallory"), factories.viewer("wes"), factories.viewer("ada")):
            with pytest.raises(NotFound):
                teammates.accept(viewer, invitation=asked)
            with pytest.raises(NotFound):
                teammates.decline(viewer, invitation=asked)
        assert "bob" not in roles(team)

    def test_no_is_no_and_can_be_said_twice(self) -> None:
        team, bob = factories.team(), factories.viewer("bob")
        asked = teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
        for _ in range(2):
            teammates.decline(bob, invitation=asked)
        assert roles(team) == {"ada": "admin"} and not Invitation.objects.exists()

    def test_asking_again_changes_the_role_and_the_time(self) -> None:
        team = factories.team()
        factories.user("bob")
        first = teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
        Invitation.objects.update(expires_at=timezone.now() + timedelta(hours=1))
        again = teammates.invite(factories.viewer(), team=team, name="bob", role="writer")
        assert (again.pk, again.role) == (first.pk, "writer")
        assert again.expires_at > timezone.now() + timedelta(days=13)

    def test_an_old_one_has_ended_and_makes_room(self, monkeypatch: Any) -> None:
        monkeypatch.setattr(teammates, "MOST_INVITATIONS", 1)
        team, bob = factories.team(), factories.viewer("bob")
        factories.user("cleo")
        asked = teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
        full = lambda: teammates.invite(factories.viewer(), team=team, name="cleo", role="reader")  # noqa: E731
        assert code_of(full) == "too_many_invitations"
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert code_of(lambda: teammates.accept(bob, invitation=asked)) == "not_found"
        assert not reads.invitations(bob)
        full()

    def test_it_dies_with_the_membership_or_the_role_of_whoever_sent_it(self) -> None:
        team = factories.team(max="admin", zoe="admin")
        people = [factories.viewer(name) for name in ("bob", "cleo")]
        by_max = teammates.invite(factories.viewer("max"), team=team, name="bob", role="reader")
        by_zoe = teammates.invite(factories.viewer("zoe"), team=team, name="cleo", role="reader")
        teammates.remove(factories.viewer(), team=team, name="max")
        teammates.change_role(factories.viewer(), team=team, name="zoe", role="writer")
        for viewer, asked in zip(people, (by_max, by_zoe), strict=True):
            with pytest.raises(NotFound):
                teammates.accept(viewer, invitation=asked)

    def test_nobody_is_asked_who_is_in_or_is_not_there(self) -> None:
        team = factories.team(wes="writer")
        ada = factories.viewer()
        assert code_of(lambda: teammates.invite(ada, team=team, name="wes", role="admin")) == "already_member"
        for name, role in (("nobody-here", "writer"), ("wes", "owner")):
            with pytest.raises(Unacceptable):
                teammates.invite(ada, team=team, name=name, role=role)

    def test_it_is_told_by_mail_where_the_hub_may_write(self, settings: Any) -> None:
        settings.HUB = {**settings.HUB, "HUB_EMAIL_URL": "smtp://localhost"}
        team = factories.team()
        factories.user("bob", made_by_operator=True)
        asked = teammates.invite(factories.viewer(), team=team, name="bob", role="writer")
        teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
        assert OutboxJob.objects.get(name="mail_invitation").args == [asked.pk]
        assert team_mails.mail_invitation(asked.pk)
        [sent] = mail.outbox
        assert sent.to == ["bob@example.org"] and "ada asks you into the team fern-house" in sent.subject
        teammates.withdraw(factories.viewer(), invitation=asked)
        assert not team_mails.mail_invitation(asked.pk)


class TestRoles:
    """Rule Z3, and what ends with a membership: rule Z4."""

    def test_admins_give_roles_and_take_them(self) -> None:
        team = factories.team(wes="writer", rhea="reader")
        ada = factories.viewer()
        teammates.change_role(ada, team=team, name="rhea", role="writer")
        teammates.change_role(ada, team=team, name="wes", role="admin")
        teammates.remove(factories.viewer("wes"), team=team, name="ada")
        assert roles(team) == {"wes": "admin", "rhea": "writer"}
        told = AuditEntry.objects.filter(act__in=["change_role", "remove_member"]).order_by("sequence")
        assert [(row.actor, row.detail["person"]) for row in told] == [
            ("ada", "rhea"),
            ("ada", "wes"),
            ("wes", "ada"),
        ]

    def test_nobody_changes_their_own_role(self) -> None:
        team = factories.team(max="admin")
        with pytest.raises(Forbidden):
            teammates.change_role(factories.viewer(), team=team, name="ada", role="reader")
        assert roles(team)["ada"] == "admin"

    @pytest.mark.parametrize("person", ["wes", "rhea", "bob"])
    def test_writers_and_readers_manage_nobody(self, person: str) -> None:
        team = factories.team(wes="writer", rhea="reader")
        viewer = factories.viewer(person)
        factories.user("cleo")
        for act in (
            lambda: teammates.invite(viewer, team=team, name="cleo", role="reader"),
            lambda: teammates.change_role(viewer, team=team, name=person, role="admin"),
            lambda: teammates.change_role(viewer, team=team, name="ada", role="reader"),
            lambda: teammates.remove(viewer, team=team, name="ada"),
        ):
            with pytest.raises(Forbidden):
                act()
        assert roles(team) == {"ada": "admin", "wes": "writer", "rhea": "reader"}
        assert not Invitation.objects.exists()

    def test_no_token_makes_an_admin_and_one_that_may_manage_does_the_rest(self) -> None:
        team = factories.team(wes="writer")
        factories.user("cleo")
        token = factories.token_viewer("ada", scopes=["manage"])
        for act in (
            lambda: teammates.invite(token, team=team, name="cleo", role="admin"),
            lambda: teammates.change_role(token, team=team, name="wes", role="admin"),
        ):
            assert code_of(act) == "session_required"
        teammates.change_role(token, team=team, name="wes", role="reader")
        other = factories.token_viewer("ada", scopes=["read", "publish", "train"])
        refused = lambda: teammates.remove(other, team=team, name="wes")  # noqa: E731
        assert code_of(refused) == "insufficient_scope"
        assert roles(team) == {"ada": "admin", "wes": "reader"}

    def test_the_last_admin_stays(self) -> None:
        team = factories.team(wes="writer")
        ada, root = factories.viewer(), factories.viewer("root-of-all", staff=True)
        assert code_of(lambda: teammates.leave(ada, team=team)) == "last_admin"
        assert code_of(lambda: teammates.remove(ada, team=team, name="ada")) == "last_admin"
        for act in (
            lambda: teammates.remove(root, team=team, name="ada", reason="asked to"),
            lambda: teammates.change_role(root, team=team, name="ada", role="reader", reason="asked to"),
        ):
            assert code_of(act) == "last_admin"
        teammates.change_role(ada, team=team, name="wes", role="admin")
        teammates.leave(ada, team=team)
        assert roles(team) == {"wes": "admin"}

    def test_a_frozen_admin_does_not_count(self) -> None:
        team = factories.team(max="admin")
        frozen = factories.user("max")
        frozen.is_active = False
        frozen.save()
        assert code_of(lambda: teammates.leave(factories.viewer(), team=team)) == "last_admin"

    def test_members_leave_when_they_like(self) -> None:
        team = factories.team(wes="writer", rhea="reader")
        teammates.leave(factories.viewer("wes"), team=team)
        teammates.remove(factories.viewer("rhea"), team=team, name="rhea")
        assert roles(team) == {"ada": "admin"}
        with pytest.raises(Forbidden):
            teammates.leave(factories.viewer("bob"), team=team)

    def test_the_hubs_administrators_step_in_and_say_why(self) -> None:
        team = factories.team(wes="writer")
        root = factories.viewer("root-of-all", staff=True)
        with pytest.raises(Unacceptable) as refused:
            teammates.change_role(root, team=team, name="wes", role="admin")
        assert refused.value.field == "reason"
        teammates.change_role(root, team=team, name="wes", role="admin", reason="ada has left the company")
        entry = AuditEntry.objects.get(act="change_role")
        assert (entry.actor, entry.detail["reason"]) == ("root-of-all", "ada has left the company")

    def test_a_moderator_has_no_say_in_a_team(self) -> None:
        team = factories.team(wes="writer")
        with pytest.raises(Forbidden):
            teammates.remove(factories.moderator(), team=team, name="wes")


class TestWhatEndsWithAMembership:
    """At once, for sessions and tokens alike."""

    def test_private_pulls_by_a_members_token_work_until_the_member_is_gone(self) -> None:
        team = factories.team(rhea="reader")
        factories.published(team=team, visibility="private")
        asked = {"owner": "fern-house", "name": "moss-dragon", "revision": "main", "path": "README.md"}
        token = factories.token_viewer("rhea", scopes=["read"])
        assert pulls.file(token, **asked) is not None
        assert resolve.file(token, **asked).path == "README.md"
        for other in (factories.token_viewer("rhea", scopes=["publish"]), factories.viewer("bob"), ANONYMOUS):
            assert pulls.file(other, **asked) is None
        teammates.remove(factories.viewer(), team=team, name="rhea")
        assert pulls.file(token, **asked) is None
        with pytest.raises(NotFound):
            resolve.file(token, **asked)

    @pytest.mark.parametrize("visibility", ["public", "private"])
    def test_a_pull_is_one_query_for_members_and_strangers(
        self, visibility: str, django_assert_num_queries: Any
    ) -> None:
        team = factories.team(rhea="reader")
        factories.published(team=team, visibility=visibility)
        asked = {"owner": "fern-house", "name": "moss-dragon", "revision": "main", "path": "README.md"}
        viewers: list[Viewer] = [factories.viewer("rhea"), factories.token_viewer("rhea", scopes=["read"])]
        pulls.file(viewers[0], **asked)
        for viewer in viewers:
            with django_assert_num_queries(1):
                assert pulls.file(viewer, **asked) is not None

    def test_drafts_of_a_team_are_its_writers(self) -> None:
        team = factories.team(wes="writer", rhea="reader")
        draft = factories.draft(factories.embedding(team=team))
        assert publishing.publish(factories.viewer("wes"), version=draft).number == 1
        other = factories.draft(factories.embedding("wes", "fog-word", team=team))
        assert not can_see(factories.viewer("rhea"), other)
        with pytest.raises(NotFound):
            publishing.publish(factories.viewer("rhea"), version=other)
        teammates.remove(factories.viewer(), team=team, name="wes")
        with pytest.raises(NotFound):
            publishing.publish(factories.viewer("wes"), version=other)
