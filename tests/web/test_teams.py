"""Pages of teams as strangers, members, admins and the hub's administrators get them."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.models import Embedding, Invitation, Membership, Team
from hub.services.people import teammates
from tests import factories, samples
from tests.api.conftest import signed_in as fresh  # noqa: F401  # a fixture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def browser(name: str) -> Client:
    """That person's browser."""
    client = Client()
    client.force_login(factories.user(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(client: Client, path: str) -> str:
    """A page that is there."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_a_team_is_made_a_person_asked_and_comes_in() -> None:
    ada, bob = browser("ada"), browser("bob")
    assert "No team yet" in text(ada, "/teams")
    made = ada.post("/teams/new", {"name": "Fern-House", "title": "Fern House", "about": "We like ferns."})
    assert made["Location"] == "/teams/fern-house"
    asked = ada.post("/teams/fern-house/invite", {"person": "bob", "role": "writer"})
    assert asked["Location"] == "/teams/fern-house"
    assert "as writer, asked by ada" in text(ada, "/teams/fern-house")
    number = Invitation.objects.get().pk
    home = text(bob, "/")
    assert "1 invitation" in home
    assert "asks you into" in text(bob, "/teams")
    entered = bob.post(f"/teams/invitations/{number}", {"answer": "yes"})
    assert entered["Location"] == "/fern-house"
    page = text(bob, "/fern-house")
    assert "You are writer of fern-house now." in page and "We like ferns." in page
    assert "/new?owner=fern-house" in page
    assert "invitation" not in text(bob, "/")


def test_no_is_an_answer_and_an_admin_can_take_an_invitation_back() -> None:
    team = factories.team()
    bob = browser("bob")
    asked = teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
    assert bob.post(f"/teams/invitations/{asked.pk}", {"answer": "no"})["Location"] == "/teams"
    again = teammates.invite(factories.viewer(), team=team, name="bob", role="reader")
    assert bob.post(f"/teams/invitations/{again.pk}/withdraw").status_code == 302
    assert Invitation.objects.exists()
    browser("ada").post(f"/teams/invitations/{again.pk}/withdraw")
    assert not Invitation.objects.exists() and Membership.objects.count() == 1


def test_roles_change_and_members_go() -> None:
    factories.team(wes="writer", rhea="reader")
    ada = browser("ada")
    assert ada.post("/teams/fern-house/members/rhea", {"do": "role", "role": "writer"}).status_code == 302
    assert Membership.objects.get(user__username="rhea").role == "writer"
    ada.post("/teams/fern-house/members/wes", {"do": "remove"})
    assert not Membership.objects.filter(user__username="wes").exists()
    assert (
        "A team has an admin at all times"
        in ada.post("/teams/fern-house/leave", follow=True).content.decode()
    )
    assert browser("rhea").post("/teams/fern-house/leave")["Location"] == "/teams"
    assert Membership.objects.get().user.username == "ada"


def test_an_admin_is_made_and_a_team_renamed_and_deleted_only_by_who_gave_the_password(fresh: Any) -> None:  # noqa: F811
    factories.team(wes="writer")
    acts = [
        ("/teams/fern-house/members/wes", {"do": "role", "role": "admin"}),
        ("/teams/fern-house/rename", {"name": "moss-house"}),
        ("/teams/moss-house/delete", {"name": "moss-house"}),
    ]
    stale = fresh("ada", fresh=False)
    for path, fields in acts[:2]:
        assert "/accounts/reauthenticate/" in stale.post(path, fields)["Location"]
    assert Membership.objects.get(user__username="wes").role == "writer"
    ada = fresh("ada")
    assert [ada.post(path, fields).status_code for path, fields in acts] == [302, 302, 302]
    assert not Team.objects.exists()
    assert ada.get("/moss-house").status_code == 404


def test_an_old_name_leads_to_the_team(fresh: Any) -> None:  # noqa: F811
    factories.published(team=factories.team())
    fresh("ada").post("/teams/fern-house/rename", {"name": "moss-house"})
    assert Client().get("/fern-house")["Location"] == "/moss-house"
    assert Client().get("/fern-house/moss-dragon")["Location"] == "/moss-house/moss-dragon"


@pytest.mark.parametrize("person", ["wes", "rhea", "bob"])
def test_who_is_no_admin_finds_no_forms_and_gets_no_further(person: str) -> None:
    factories.team(wes="writer", rhea="reader")
    factories.user("cleo")
    client = browser(person)
    if person == "bob":
        assert client.get("/teams/fern-house").status_code == 403
    else:
        page = text(client, "/teams/fern-house")
        assert "Ask them in" not in page and "Rename" not in page and "Leave fern-house" in page
    for path, fields in (
        ("/teams/fern-house/invite", {"person": "cleo", "role": "reader"}),
        ("/teams/fern-house", {"title": "Mine"}),
        ("/teams/fern-house/members/ada", {"do": "remove"}),
    ):
        client.post(path, fields)
    assert not Invitation.objects.exists()
    assert Team.objects.get().title == "Fern House" and Membership.objects.count() == 3


def test_what_is_wrong_is_said_beside_the_field() -> None:
    factories.team()
    ada = browser("ada")
    answer = ada.post("/teams/fern-house/invite", {"person": "nobody-here", "role": "reader"})
    assert answer.status_code == 422 and b"There is no person of this name" in answer.content
    for name in ("fernhouse", "settings", "No!"):
        assert ada.post("/teams/new", {"name": name, "title": "X"}).status_code == 422


def test_administrators_of_the_hub_step_in_with_a_reason() -> None:
    factories.team(wes="writer")
    client = Client()
    client.force_login(
        factories.user("root-of-all", staff=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert "You are not in this team" in text(client, "/teams/fern-house")
    client.post("/teams/fern-house/members/wes", {"do": "remove"})
    assert Membership.objects.count() == 2
    client.post("/teams/fern-house/members/wes", {"do": "remove", "reason": "asked to"})
    assert Membership.objects.count() == 1


def test_the_teams_page_shows_its_people_and_to_them_what_is_private() -> None:
    team = factories.team(rhea="reader")
    factories.published(team=team)
    factories.published(team=team, name="secret-word", visibility="private")
    for client, sees in ((Client(), False), (browser("bob"), False), (browser("rhea"), True)):
        page = text(client, "/fern-house")
        assert "rhea" in page and "moss-dragon" in page
        assert ("secret-word" in page) is sees
        assert client.get("/fern-house/secret-word").status_code == (200 if sees else 404)
    assert "Publish a file</a><a" not in text(browser("rhea"), "/fern-house")


def test_a_word_and_a_pack_are_published_under_the_team() -> None:
    factories.team(wes="writer")
    wes = browser("wes")
    assert 'value="fern-house" selected' in text(wes, "/new?owner=fern-house")
    assert 'name="owner"' not in text(browser("bob"), "/new")
    fields = {
        "file": SimpleUploadedFile("moss.safetensors", samples.canonical_file("tiny", vectors=2, seed=5)),
        "name": "moss-dragon", "title": "Moss", "trigger": "moss-dragon", "kind": "style",
        "licence": "cc0-1.0", "visibility": "public", "owner": "fern-house", "base_model": "unknown",
    }  # fmt: skip
    made = wes.post("/new", fields)
    assert made.status_code == 302, made.content.decode()[-3000:]
    assert made["Location"] == "/fern-house/moss-dragon"
    pack = {"name": "wet-places", "title": "Wet", "visibility": "public", "owner": "fern-house"}
    assert wes.post("/collections/new", pack)["Location"] == "/fern-house/wet-places"
    added = wes.post("/fern-house/moss-dragon/add-to-pack?version=1", {"pack": "fern-house/wet-places"})
    assert added["Location"] == "/fern-house/wet-places"
    refused = browser("bob").post("/new", {**fields, "owner": "fern-house"})
    assert refused.status_code in (302, 422)
    assert set(Embedding.objects.values_list("owner__name", flat=True)) <= {"fern-house", "bob"}


def test_pages_cost_the_same_for_many_people() -> None:
    team = factories.team(rhea="reader")
    ada = browser("ada")

    def counts() -> list[int]:
        found = []
        for path in ("/teams", "/teams/fern-house", "/fern-house"):
            text(ada, path)
            with CaptureQueriesContext(connection) as queries:
                text(ada, path)
            found.append(len(queries))
        return found

    teammates.invite(factories.viewer(), team=team, name=factories.user("guest").username, role="reader")
    first = counts()
    for number in range(4):
        factories.member(team, f"person-{number}")
        factories.team(f"house-{number}")
        guest = factories.user(f"guest-{number}").username
        teammates.invite(factories.viewer(), team=team, name=guest, role="reader")
    assert counts() == first
