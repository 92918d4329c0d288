"""Coming in, tokens, and the pages of one's own account."""

import re

import pytest
from django.conf import settings

from hub.models import AccessToken, Owner, User
from hub.services.people import accounts, tokens
from tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "quiet river under seven hills"


def sign_up(client, name="carol", **changes):
    fields = {"username": name, "email": f"{name}@example.org", "password1": PASSWORD, **changes}
    return client.post("/accounts/signup/", fields)


def test_signing_up_makes_a_person_with_a_name_to_publish_under(stranger):
    assert sign_up(stranger, "Carol").status_code == 302
    assert User.objects.get().owner == Owner.objects.get(name="carol")
    assert "carol" in stranger.get("/").content.decode()


@pytest.mark.parametrize("name", ["new", "ADA", "a--b", "ad\u0430"])
def test_taken_reserved_and_illegal_names_are_refused_beside_the_field(stranger, name):
    factories.user("ada")
    response = sign_up(stranger, name)
    assert 'id="id_username_error"' in response.content.decode()
    assert User.objects.count() == 1


def test_no_account_can_be_made_where_the_operator_says_so(stranger, monkeypatch):
    monkeypatch.setitem(settings.HUB, "HUB_SIGNUPS", False)
    assert "Accounts by invitation" in sign_up(stranger).content.decode()
    assert not User.objects.exists()


def test_a_password_signs_in_and_a_wrong_one_does_not_say_what_is_wrong(stranger):
    accounts.create_user(name="carol", password=PASSWORD)
    known = stranger.post("/accounts/login/", {"login": "carol", "password": "wrong one, sadly"})
    unknown = stranger.post("/accounts/login/", {"login": "nobody", "password": "wrong one, sadly"})
    assert known.status_code == unknown.status_code == 200
    assert stranger.post("/accounts/login/", {"login": "carol", "password": PASSWORD}).status_code == 302


def test_a_one_time_link_signs_in_once(stranger, client):
    link = accounts.one_time_link(factories.user("ada"))
    assert "Sign in as ada" in stranger.get(f"/sign-in/{link}").content.decode()
    assert stranger.get("/settings/account").status_code == 302, "opening the link alone changes nothing"
    assert stranger.post(f"/sign-in/{link}").status_code == 302
    assert stranger.get("/settings/account").status_code == 200
    second = client.get(f"/sign-in/{link}")
    assert second.status_code == 401 and "This link does not work" in second.content.decode()


def test_a_token_is_shown_once_and_works_until_it_is_revoked(stranger):
    stranger.post(f"/sign-in/{accounts.one_time_link(factories.user('ada'))}")
    made = stranger.post("/settings/tokens", {"name": "laptop", "scopes": ["read"], "days": "30"})
    secret = re.search(r"glossa_[0-9A-Za-z]{46}", made.content.decode())[0]
    assert made["Cache-Control"] == "no-store"
    assert tokens.viewer_for(secret).name == "ada"
    assert secret not in stranger.get("/settings/tokens").content.decode()
    stranger.post(f"/settings/tokens/{AccessToken.objects.get().pk}/revoke")
    assert "revoked" in stranger.get("/settings/tokens").content.decode()


def test_nobody_can_revoke_the_token_of_somebody_else(bob):
    token, secret = factories.token("ada")
    assert bob.post(f"/settings/tokens/{token.pk}/revoke").status_code == 404
    assert tokens.viewer_for(secret).name == "ada"


def test_a_token_never_opens_the_settings(stranger):
    _, secret = factories.token("ada", scopes=["read", "manage"])
    response = stranger.get("/settings/tokens", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 403


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/email/",
        "/accounts/password/set/",
        "/accounts/2fa/",
        "/accounts/logout/",
        "/settings/account",
        "/settings/tokens",
    ],
)
def test_every_page_of_the_account_is_in_our_design(stranger, address):
    stranger.post(f"/sign-in/{accounts.one_time_link(factories.user('ada'))}")
    response = stranger.get(address)
    assert response.status_code == 200
    assert 'class="masthead"' in response.content.decode()


def test_the_profile_says_what_its_owner_writes(ada):
    assert ada.post("/settings/account", {"about": "I draw moss."}).status_code == 302
    assert "I draw moss." in ada.get("/ada").content.decode()
