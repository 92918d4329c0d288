"""Small lists: creators, tags, people and words; and who one is oneself."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.civitai import words
from hub.formats.base_models import BASE_MODELS
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def test_creators_are_those_with_something_public(client: Client) -> None:
    shelf.published(), shelf.published(name="fog")
    shelf.published("otto", "ink-wash")
    shelf.published("vera", "secret", visibility="private")
    shelf.published("wanda", "quiet", visibility="unlisted")
    factories.user("nobody-yet")
    answer = shelf.get(client, "/creators")
    assert answer["items"] == [
        {"username": name, "modelCount": count, "image": None,
         "link": f"http://testserver/api/v1/models?username={name}"}
        for name, count in (("mara", 2), ("otto", 1))
    ]  # fmt: skip
    assert answer["metadata"] == {"totalItems": 2, "currentPage": 1, "pageSize": 20, "totalPages": 1}
    assert [one["username"] for one in shelf.get(client, "/creators", {"query": "TT"})["items"]] == ["otto"]
    mine = shelf.get(client, "/creators", headers=shelf.bearer("vera"))["items"]
    assert [one["username"] for one in mine] == ["mara", "otto"]


def test_tags_are_those_of_public_embeddings(client: Client) -> None:
    shelf.published(tags=["forest", "night"]), shelf.published(name="fog", tags=["night"])
    shelf.published("vera", "secret", visibility="private", tags=["hidden"])
    answer = shelf.get(client, "/tags")
    assert [(tag["name"], tag["modelCount"]) for tag in answer["items"]] == [("forest", 1), ("night", 2)]
    assert answer["items"][0]["link"] == "http://testserver/api/v1/models?tag=forest"
    assert [tag["name"] for tag in shelf.get(client, "/tags", {"query": "igh"})["items"]] == ["night"]


def test_names_come_in_pages_with_links_that_end(client: Client) -> None:
    shelf.published(tags=["a", "b", "c"])
    first = shelf.get(client, "/tags", {"limit": 2})
    assert first["metadata"]["totalPages"] == 2
    assert first["metadata"]["nextPage"] == "http://testserver/api/v1/tags?limit=2&page=2"
    assert "prevPage" not in first["metadata"]
    last = shelf.get(client, "/tags", {"limit": 2, "page": 2})
    assert [tag["name"] for tag in last["items"]] == ["c"]
    assert last["metadata"]["prevPage"] == "http://testserver/api/v1/tags?limit=2&page=1"
    assert "nextPage" not in last["metadata"]
    for query in ({"limit": 201}, {"page": 0}, {"page": "x"}):
        assert client.get(f"{shelf.API}/tags", query).status_code == 400


@pytest.mark.parametrize("path", ["/creators", "/tags", "/users?query=m"])
def test_names_cost_a_fixed_number_of_queries(
    client: Client, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for name in ("mara", "mona", "mike"):
        shelf.published(name, f"word-of-{name}", tags=[name])
    with django_assert_max_num_queries(2):
        assert len(shelf.get(client, path)["items"]) == 3


def test_people_are_found_by_number_and_by_the_beginning_of_their_name(client: Client) -> None:
    owner = shelf.published().embedding.owner
    shelf.published("otto", "ink-wash")
    shelf.published("martin", "secret", visibility="private")
    mara = [{"id": owner.pk, "username": "mara"}]
    assert shelf.get(client, "/users", {"query": "MAR"})["items"] == mara
    assert shelf.get(client, "/users", {"ids": f"{owner.pk},99999"})["items"] == mara
    assert shelf.get(client, "/users")["items"] == []
    assert shelf.get(client, "/users", {"ids": ""})["items"] == []
    assert client.get(f"{shelf.API}/users", {"ids": "x"}).status_code == 400


def test_the_words_are_told_to_anybody_and_may_be_kept(client: Client, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    response = client.get(f"{shelf.API}/enums")
    told = response.json()
    assert set(told) == {"ModelType", "ModelFileType", "ActiveBaseModel", "BaseModel", "BaseModelType"}
    assert all(isinstance(word, str) for words in told.values() for word in words)
    assert response["Cache-Control"].startswith("public, s-maxage=300")
    assert len(told["BaseModel"]) == len(set(told["BaseModel"])) == 99
    assert set(told["ActiveBaseModel"]) < set(told["BaseModel"])
    assert not any(word.endswith("*") for word in told["BaseModel"])


def test_every_base_model_of_ours_has_a_word_of_theirs() -> None:
    assert {base.civitai for base in BASE_MODELS.values()} <= set(words.BASES)
    assert set(words.BY_FAMILY.values()) <= set(words.BASES)


def test_the_person_behind_a_token(client: Client) -> None:
    user = factories.user("mara")
    assert client.get(f"{shelf.API}/me").json()["error"] == "Unauthorized"
    for scope in ("read", "publish"):
        assert shelf.get(client, "/me", headers=shelf.bearer("mara", scope)) == {
            "id": user.owner_id, "username": "mara", "tier": "free", "status": "active",
            "isMember": False, "subscriptions": [],
        }  # fmt: skip


def test_too_many_calls_are_refused_with_the_time_to_wait(client: Client, monkeypatch: Any) -> None:
    from hub.wire import throttle

    monkeypatch.setitem(throttle.LIMITS, "api", throttle.Limit(1, 1))
    assert client.get(f"{shelf.API}/enums").status_code == 200
    refused = client.get(f"{shelf.API}/enums")
    assert (refused.status_code, type(refused.json()["error"])) == (429, str)
    assert int(refused["Retry-After"]) > 0
