"""Flags and moderation through the native API: anybody signed in tells, moderators decide by session."""

from typing import Any

import pytest
from django.test import Client

from hub.models import Embedding, Flag, Ruling
from tests import factories
from tests.api.conftest import SignIn

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
JSON = "application/json"
SPAM = {"name": "ada/moss-dragon", "reason": "spam"}


@pytest.fixture
def embedding() -> Embedding:
    return factories.published()


@pytest.fixture
def mod(signed_in: SignIn) -> Client:
    return signed_in("mod", moderator=True)


def send(client: Client, path: str, given: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    return client.post(f"{API}/{path}", given, content_type=JSON, headers=headers or {})


def test_a_flag_is_raised_seen_by_moderators_and_settled(embedding: Embedding, mod: Client) -> None:
    bob = factories.bearer("bob", "manage")
    given = {**SPAM, "version": 1, "reason": "copyright", "text": "From my book."}
    raised = send(Client(), "flags", given, bob)
    assert raised.status_code == 201, raised.content
    [queued] = mod.get(f"{API}/moderation/flags").json()["items"]
    assert raised.json().items() <= queued.items()
    assert (queued["rule"], queued["version"], queued["text"]) == ("M1", 1, "From my book.")
    assert "bob" not in str(queued)
    settled = send(
        mod, f"moderation/flags/{queued['id']}/settle", {"outcome": "dismissed", "note": "Public domain."}
    )
    assert (settled.status_code, settled.json()["outcome"], settled.json()["settled_by"]) == (
        200, "dismissed", "mod",
    )  # fmt: skip
    assert mod.get(queued["url"]).json() == settled.json()
    assert mod.get(f"{API}/moderation/flags").json()["items"] == []
    assert len(mod.get(f"{API}/moderation/flags?state=settled").json()["items"]) == 1
    [mine] = Client().get(f"{API}/flags", headers=bob).json()["items"]
    assert mine["outcome"] == "dismissed" and "note" not in mine


def test_a_version_is_held_and_released(embedding: Embedding, mod: Client) -> None:
    made = send(
        mod,
        "moderation/rulings",
        {"name": "ada/moss-dragon", "version": 1, "kind": "quarantine", "reason": "Is looked at."},
    )
    assert made.status_code == 201, made.content
    [ruling] = made.json()["items"]
    assert (ruling["state"], ruling["made_by"], ruling["lifted"]) == ("quarantined", "mod", None)
    place = f"{API}/embeddings/ada/moss-dragon"
    assert Client().get(place).status_code == 404
    assert mod.get(f"{API}/moderation/rulings").json()["items"] == [ruling]
    lifted = send(mod, f"moderation/rulings/{ruling['id']}/lift", {"reason": "All is well."})
    assert (lifted.json()["state"], lifted.json()["lifted_by"]) == ("published", "mod")
    assert mod.get(ruling["url"]).json() == lifted.json()
    assert Client().get(place).status_code == 200


def test_taking_down_asks_for_the_password_again(embedding: Embedding, signed_in: SignIn) -> None:
    given = {"name": "ada/moss-dragon", "kind": "take_down", "reason": "Copied."}
    stale = signed_in("mod", moderator=True, fresh=False)
    refused = send(stale, "moderation/rulings", given)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "reauthentication_required")
    assert not Ruling.objects.exists()
    assert send(signed_in("mod"), "moderation/rulings", given).status_code == 201
    gone = Client().get(f"{API}/embeddings/ada/moss-dragon/versions/1")
    assert (gone.status_code, gone.json()["error"]["code"]) == (451, "taken_down")


def test_others_do_not_know_of_the_queue_and_no_token_rules(embedding: Embedding, signed_in: SignIn) -> None:
    flag = Flag.objects.create(embedding=embedding, rule="N3")
    factories.moderator()
    token = factories.bearer("mod", "read", "publish", "manage", "train")
    ruling = {"name": "ada/moss-dragon", "kind": "quarantine", "reason": "x"}
    bob = signed_in("bob")
    for path in (
        "moderation/flags",
        f"moderation/flags/{flag.pk}",
        "moderation/rulings",
        "moderation/rulings/1",
    ):
        assert bob.get(f"{API}/{path}").status_code == 404
        assert Client().get(f"{API}/{path}").status_code == 401
        refused = Client().get(f"{API}/{path}", headers=token)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "session_required")
    for path, given in (
        ("moderation/rulings", ruling),
        (f"moderation/flags/{flag.pk}/settle", {"outcome": "acted"}),
    ):
        assert send(bob, path, given).status_code == 404
        assert send(Client(), path, given, token).status_code == 403
    assert embedding.versions.get().state == "published"


def test_what_is_hidden_cannot_be_flagged_nor_found_out(embedding: Embedding) -> None:
    factories.published(name="secret", visibility="private")
    bob = factories.bearer("bob", "manage", "read")
    for name in ("ada/secret", "ada/nothing", "nonsense"):
        refused = send(Client(), "flags", {**SPAM, "name": name}, bob)
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "repo_not_found")
    assert send(Client(), "flags", {**SPAM, "version": 7}, bob).status_code == 404
    assert send(Client(), "flags", SPAM).status_code == 401
    assert send(Client(), "flags", SPAM, factories.bearer("bob", "read")).status_code == 403
    assert send(Client(), "flags", {**SPAM, "reason": "ugly"}, bob).status_code == 422
    assert not Flag.objects.exists()


def test_the_queue_goes_on_with_a_cursor_and_costs_no_more_for_more(
    mod: Client, django_assert_max_num_queries: Any
) -> None:
    made = [
        Flag.objects.create(embedding=factories.published(name=f"word-{number}"), rule="N3").pk
        for number in range(5)
    ]
    seen, address = [], f"{API}/moderation/flags?limit=2"
    with django_assert_max_num_queries(9) as captured:
        mod.get(address)
    queries = len(captured)
    while address:
        answer = mod.get(address).json()
        seen += [one["id"] for one in answer["items"]]
        address = answer["next"]
    assert seen == made[::-1]
    with django_assert_max_num_queries(queries):
        mod.get(f"{API}/moderation/flags?limit=5")


def test_files_stop_being_pulled_with_the_ruling_and_come_back_with_its_end(
    embedding: Embedding, mod: Client
) -> None:
    addresses = (
        f"{API}/embeddings/ada/moss-dragon/versions/1/files?layout=canonical",
        "/ada/moss-dragon/resolve/v1/moss-dragon.safetensors",
    )

    def pulled() -> list[int]:
        return [Client().get(address).status_code for address in addresses]

    assert pulled() == [200, 200]
    seen = []
    for kind in ("quarantine", "take_down"):
        given = {"name": "ada/moss-dragon", "kind": kind, "reason": "Is looked at."}
        [ruling] = send(mod, "moderation/rulings", given).json()["items"]
        seen.append(pulled())
        send(mod, f"moderation/rulings/{ruling['id']}/lift", {})
        assert pulled() == [200, 200]
    # Clients of the Hugging Face protocol know a repository that is switched off by 403.
    assert seen == [[404, 404], [451, 403]]


def test_a_flag_is_taken_back_until_moderators_have_settled_it(embedding: Embedding, mod: Client) -> None:
    bob, cleo = (factories.bearer(name, "manage") for name in ("bob", "cleo"))
    place = f"{API}/flags/{send(Client(), 'flags', SPAM, bob).json()['id']}"
    assert Client().delete(place, headers=cleo).status_code == 404
    assert Client().delete(place, headers=bob).status_code == 204
    assert Client().delete(place, headers=bob).status_code == 404
    assert mod.get(f"{API}/moderation/flags").json()["items"] == []
    again = send(Client(), "flags", SPAM, bob).json()["id"]
    send(mod, f"moderation/flags/{again}/settle", {"outcome": "dismissed"})
    refused = Client().delete(f"{API}/flags/{again}", headers=bob)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "already_settled")


def test_an_owner_reads_a_ruling_and_answers_it_once(
    embedding: Embedding, mod: Client, signed_in: SignIn
) -> None:
    send(mod, "moderation/rulings", {"name": "ada/moss-dragon", "kind": "quarantine", "reason": "A look."})
    ada = signed_in("ada")
    [told] = ada.get(f"{API}/rulings").json()["items"]
    assert (told["name"], told["version"], told["reason"], told["appeal"]) == (
        "ada/moss-dragon", 1, "A look.", None,
    )  # fmt: skip
    assert "mod" not in str(told).replace("moderation", "")
    where = f"rulings/{told['id']}/appeal"
    made = send(ada, where, {"text": "I drew it."})
    assert made.status_code == 201 and made.json()["appeal"]["text"] == "I drew it."
    assert ada.get(told["url"]).json() == made.json()
    twice = send(ada, where, {"text": "Really."})
    assert (twice.status_code, twice.json()["error"]["code"]) == (409, "already_appealed")
    assert signed_in("bob").get(f"{API}/rulings").json()["items"] == []
    assert signed_in("bob").get(told["url"]).status_code == 404
    assert Client().get(told["url"], headers=factories.bearer("ada", "manage")).status_code == 403


def test_the_page_of_the_api_is_found_beside_its_schema(client: Client) -> None:
    answer = client.get(f"{API}/docs")
    assert (answer.status_code, answer["Location"]) == (302, "/docs/api")
    assert client.get(answer["Location"]).status_code == 200
