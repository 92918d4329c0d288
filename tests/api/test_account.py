"""One's own account through the native API: any token may look, a session may change it."""

from typing import Any

import pytest
from django.test import Client

from hub.models import User
from hub.services.embeddings import sharing
from tests import factories
from tests.api.conftest import SignIn

pytestmark = pytest.mark.django_db
ADDRESS = "/api/hub/v1/account"
JSON = "application/json"


def test_what_the_page_says_is_read_and_changed(signed_in: SignIn) -> None:
    ada = signed_in()
    before = ada.get(ADDRESS).json()
    assert (before["name"], before["about"], before["is_moderator"]) == ("ada", "", False)
    assert before["page"] == "http://testserver/ada"
    after = ada.patch(ADDRESS, {"about": "I  like moss."}, content_type=JSON)
    assert (after.status_code, after.json()) == (200, {**before, "about": "I like moss."})
    assert Client().get(ADDRESS, headers=factories.bearer("ada", "train")).json() == after.json()
    assert "I like moss." in ada.get("/ada").content.decode()
    assert ada.patch(ADDRESS, {}, content_type=JSON).json() == after.json()


def test_a_token_looks_and_changes_nothing() -> None:
    token = factories.bearer("ada", "read", "publish", "manage", "train")
    refused = Client().patch(ADDRESS, {"about": "x"}, content_type=JSON, headers=token)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "session_required")
    assert Client().get(ADDRESS).status_code == 401
    assert User.objects.get(username="ada").about == ""


def test_it_changes_only_from_the_state_that_was_read(signed_in: SignIn) -> None:
    ada = signed_in()
    read = {"if-match": ada.get(ADDRESS)["ETag"]}
    assert ada.patch(ADDRESS, {"about": "One."}, content_type=JSON, headers=read).status_code == 200
    stale = ada.patch(ADDRESS, {"about": "Two."}, content_type=JSON, headers=read)
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "stale")
    assert User.objects.get(username="ada").about == "One."


def test_what_is_wrong_is_said_with_its_field(signed_in: SignIn) -> None:
    ada = signed_in()
    _, secret = factories.token("bob")
    for about in ("x" * 281, f"my token is {secret}"):
        refused = ada.patch(ADDRESS, {"about": about}, content_type=JSON)
        assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, "about")
    assert ada.patch(ADDRESS, {"abuot": "x"}, content_type=JSON).status_code == 422


def test_what_stands_on_no_list_is_told_to_its_people_alone(signed_in: SignIn) -> None:
    factories.published(name="half-hidden", visibility="unlisted")
    factories.published(name="secret", visibility="private")
    factories.embedding(name="empty")
    factories.published(name="open")
    place = "/api/hub/v1/people/ada/hidden"

    def names(**headers: Any) -> set[str]:
        return {one["name"] for one in Client().get(place, **headers).json()["items"]}

    assert names(headers=factories.bearer("ada", "read")) == {"ada/half-hidden", "ada/secret", "ada/empty"}
    assert names() == names(headers=factories.bearer("bob", "read")) == set()
    assert signed_in("mod", moderator=True).get(place).json()["items"] == []
    assert Client().get("/api/hub/v1/people/nobody/hidden").status_code == 404


def test_a_team_shows_its_members_what_others_do_not_see() -> None:
    team = factories.team(cleo="reader")
    factories.published(name="secret", team=team, visibility="private")
    place = f"/api/hub/v1/people/{team.owner.name}/hidden"
    [one] = Client().get(place, headers=factories.bearer("cleo", "read")).json()["items"]
    assert (one["name"], one["version"]["number"]) == (f"{team.owner.name}/secret", 1)
    assert Client().get(place, headers=factories.bearer("bob", "read")).json()["items"] == []


def test_whether_one_likes_something_is_asked_by_its_name() -> None:
    sharing.like(factories.viewer("bob"), embedding=factories.published())
    factories.published(name="fern")
    bob = factories.bearer("bob", "read")

    def count(name: str) -> int:
        return len(Client().get("/api/hub/v1/likes", {"name": name}, headers=bob).json()["items"])

    assert [count(one) for one in ("ada/Moss-Dragon", "ada/fern", "nonsense")] == [1, 0, 0]
