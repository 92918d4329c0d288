"""One's own account through the native API: any token may look, a session may change it."""

import pytest
from django.test import Client

from hub.models import User
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
