"""Access tokens through the native API: a person's session makes and ends them, a token can only end itself."""

from typing import Any

import pytest
from django.test import Client

from hub.models import AccessToken, KeptAnswer
from hub.services.people import tokens
from tests import factories
from tests.api.conftest import SignIn

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
NEW = {"name": "build server", "scopes": ["publish", "read"], "days": 30}


def make(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    return client.post(
        f"{API}/tokens", {**NEW, **fields}, content_type="application/json", headers=headers or {}
    )


def test_a_token_is_made_shown_once_used_listed_and_revoked(signed_in: SignIn) -> None:
    ada = signed_in()
    answer = make(ada)
    made = answer.json()
    assert answer.status_code == 201, answer.content
    assert answer["Cache-Control"] == "no-store" and answer["Location"] == made["url"]
    assert (made["name"], made["scopes"], made["is_usable"]) == ("build server", ["read", "publish"], True)
    assert made["prefix"] == made["secret"][:11]
    bearer = {"authorization": f"Bearer {made['secret']}"}
    assert Client().get(f"{API}/whoami", headers=bearer).json()["scopes"] == ["publish", "read"]
    [listed] = ada.get(f"{API}/tokens").json()["items"]
    assert "secret" not in listed and listed["last_used"] is not None
    assert ada.get(made["url"]).json() == listed
    assert [ada.delete(made["url"]).status_code for _ in range(2)] == [204, 204]
    refused = Client().get(f"{API}/whoami", headers=bearer)
    assert (refused.status_code, refused.json()["error"]["code"]) == (401, "token_revoked")
    assert ada.get(made["url"]).json()["is_usable"] is False


def test_a_token_neither_makes_nor_lists_nor_revokes_tokens(db: None) -> None:
    _, secret = factories.token(scopes=["read", "publish", "manage", "train"])
    other, _ = factories.token()
    bearer, client = {"authorization": f"Bearer {secret}"}, Client()
    for answer in (
        make(client, bearer, scopes=["read"]),
        client.get(f"{API}/tokens", headers=bearer),
        client.delete(f"{API}/tokens/{other.pk}", headers=bearer),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "session_required")
    assert AccessToken.objects.filter(revoked_at=None).count() == 2


@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_a_token_of_any_scope_ends_itself_and_no_other(scope: str) -> None:
    row, secret = factories.token(scopes=[scope])
    other, _ = factories.token(scopes=[scope])
    bearer, client = {"authorization": f"Bearer {secret}"}, Client()
    assert client.delete(f"{API}/tokens/current", headers=bearer).status_code == 204
    assert client.delete(f"{API}/tokens/current", headers=bearer).status_code == 401
    row.refresh_from_db()
    other.refresh_from_db()
    assert row.revoked_at is not None and other.revoked_at is None


def test_a_session_has_no_token_to_give_up(signed_in: SignIn) -> None:
    assert signed_in().delete(f"{API}/tokens/current").status_code == 404


def test_making_one_asks_for_the_password_again_as_the_page_does(signed_in: SignIn) -> None:
    ada = signed_in(fresh=False)
    refused = make(ada)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "reauthentication_required")
    assert "/accounts/reauthenticate/" in refused.json()["error"]["message"]
    assert not AccessToken.objects.exists()
    assert ada.get(f"{API}/tokens").status_code == 200


def test_another_site_cannot_make_one_with_a_visitors_cookie(signed_in: SignIn) -> None:
    refused = make(signed_in(csrf=True))
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "csrf_failed")
    assert int(refused["RateLimit-Remaining"]) < int(refused["RateLimit-Limit"])
    assert not AccessToken.objects.exists()


def test_the_answer_that_is_kept_for_a_key_has_no_secret(signed_in: SignIn) -> None:
    ada, key = signed_in(), {"idempotency-key": "token-0001"}
    first, again = make(ada, key), make(ada, key)
    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert first.json()["secret"] not in str(KeptAnswer.objects.values())
    assert AccessToken.objects.count() == 1


def test_others_are_not_known(signed_in: SignIn) -> None:
    row, _ = factories.token("bob")
    ada = signed_in()
    assert ada.get(f"{API}/tokens").json()["items"] == []
    assert ada.get(f"{API}/tokens/{row.pk}").status_code == 404
    assert ada.delete(f"{API}/tokens/{row.pk}").status_code == 404
    assert Client().get(f"{API}/tokens").status_code == 401


def test_what_is_wrong_is_said_with_its_field(signed_in: SignIn) -> None:
    ada = signed_in()
    for field, value in {"name": "", "scopes": ["everything"], "days": 400}.items():
        refused = make(ada, **{field: value})
        assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, field)
    assert make(ada, scopes=[]).status_code == 422
    assert not AccessToken.objects.exists()


def test_the_list_goes_on_with_a_cursor_and_meets_nothing_twice(signed_in: SignIn) -> None:
    made = [factories.token()[0].pk for _ in range(5)]
    ada, seen, address = signed_in(), [], f"{API}/tokens?limit=2"
    while address:
        answer = ada.get(address).json()
        seen += [one["id"] for one in answer["items"]]
        address = answer["next"]
    assert seen == made[::-1]
    assert ada.get(f"{API}/tokens?cursor=nonsense").status_code == 400
