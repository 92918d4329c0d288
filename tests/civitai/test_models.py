"""Listing embeddings: what is in a record, which filters and orders there are, and how one walks through all of it."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from hub.access import Viewer
from hub.models import Embedding
from hub.services.embeddings import sharing
from hub.services.versions import freezing, publishing
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def listed(client: Client, **query: Any) -> list[int]:
    return shelf.ids(shelf.get(client, "/models", query))


def test_a_record_has_the_fields_and_types_that_clients_cannot_do_without(client: Client) -> None:
    version = shelf.published(tags=["forest", "night"], summary="A *soft* light.", licence="cc-by-sa-4.0")
    record = shelf.get(client, f"/models/{version.embedding_id}")
    assert record["id"] == version.embedding_id
    assert record["name"] == "Moss Glow"
    assert record["type"] == "TextualInversion"
    assert record["description"] == "<p>A <em>soft</em> light.</p>\n"
    assert record["creator"] == {"username": "mara", "image": None}
    assert record["tags"] == ["forest", "night"]
    assert (record["allowNoCredit"], record["allowDerivatives"], record["allowDifferentLicense"]) == (
        False, True, False
    )  # fmt: skip
    assert record["allowCommercialUse"] == ["Image", "RentCivit", "Rent", "Sell"]
    assert record["availability"] == "Public"
    assert "mode" not in record
    assert all(type(count) is int for count in record["stats"].values())
    (told,) = record["modelVersions"]
    assert (told["id"], told["status"], told["trainedWords"]) == (version.pk, "Published", ["moss-glow"])
    assert told["baseModel"] == "SD 1.5"
    for name in ("publishedAt", "createdAt"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told[name])
    assert told["downloadUrl"] == f"http://testserver/api/download/models/{version.pk}"


def test_an_embedding_without_words_still_has_a_description_that_is_text(client: Client) -> None:
    version = shelf.published()
    record = shelf.get(client, f"/models/{version.embedding_id}")
    assert record["description"] == record["modelVersions"][0]["description"] == ""


def test_the_newest_published_version_is_the_first_and_a_yanked_one_is_not_listed(client: Client) -> None:
    first = shelf.published()
    second, third = shelf.next_version(first), shelf.next_version(first)
    publishing.yank(factories.viewer("mara"), version=third, reason="It learned the background.")
    for record in (
        shelf.get(client, f"/models/{first.embedding_id}"),
        shelf.get(client, "/models")["items"][0],
    ):
        assert [version["id"] for version in record["modelVersions"]] == [second.pk, first.pk]


def test_an_embedding_whose_versions_are_all_yanked_is_archived_and_in_no_list(client: Client) -> None:
    version = shelf.published()
    publishing.yank(factories.viewer("mara"), version=version, reason="Wrong pictures.")
    record = shelf.get(client, f"/models/{version.embedding_id}")
    assert record["mode"] == "Archived"
    (told,) = record["modelVersions"]
    assert told["files"] == []
    assert "downloadUrl" not in told
    assert listed(client) == []


@pytest.mark.parametrize("text", ["0", "-1", "x", "2147483648", "1.0", "\u0661"])
def test_what_is_no_number_is_refused_with_the_place(client: Client, text: str) -> None:
    response = client.get(f"{shelf.API}/models/{text}")
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["name"] == "ZodError"
    assert json.loads(error["message"]) == error["issues"]
    assert error["issues"][0]["path"] == ["id"]


def test_what_is_not_there_is_named_by_its_number(client: Client) -> None:
    response = client.get(f"{shelf.API}/models/999999")
    assert (response.status_code, response.json()["error"]) == (404, "No model with id 999999")


def test_filters_narrow_the_list(client: Client) -> None:
    moss = shelf.published(tags=["night-sky"])
    ink = shelf.published("otto", "ink-wash", licence="cc-by-nc-4.0", family="sd2")
    both = {moss.embedding_id, ink.embedding_id}
    assert set(listed(client)) == both
    assert listed(client, username="OTTO") == [ink.embedding_id]
    assert listed(client, tag="Night Sky") == [moss.embedding_id]
    assert listed(client, tag="night") == []
    assert listed(client, baseModels=["SD 2.1"]) == [ink.embedding_id]
    assert set(listed(client, baseModels="SD 1.5,SD 2.1")) == both
    assert listed(client, baseModels="Nonsense 9") == []
    assert listed(client, ids=f"{moss.embedding_id},999") == [moss.embedding_id]
    assert set(listed(client, ids=[moss.embedding_id, ink.embedding_id])) == both
    assert listed(client, modelVersionIds=ink.pk) == [ink.embedding_id]
    assert set(listed(client, types=["LORA", "TextualInversion"])) == both
    assert set(listed(client, types="LORA,TextualInversion")) == both
    assert listed(client, types="LORA") == []
    assert listed(client, allowCommercialUse="Sell") == [moss.embedding_id]
    assert listed(client, allowCommercialUse="None") == [ink.embedding_id]
    assert listed(client, allowNoCredit="true") == [moss.embedding_id]
    assert listed(client, fromPlatform="true") == []
    for nothing in ("supportsGeneration", "earlyAccess", "archived"):
        assert listed(client, **{nothing: "true"}) == []
        assert set(listed(client, **{nothing: "false"})) == both
    assert (
        set(listed(client, nsfw="true", primaryFileOnly="true", checkpointType="Merge", unknown="x")) == both
    )


def test_the_base_model_is_the_one_a_version_names_in_civitais_words(client: Client) -> None:
    named = shelf.published(base_model=factories.base_model("sd1", name="sd-1-4", installed=False))
    plain = shelf.published(name="ink-wash", family="tiny")
    assert shelf.get(client, f"/model-versions/{named.pk}")["baseModel"] == "SD 1.4"
    assert shelf.get(client, f"/model-versions/{plain.pk}")["baseModel"] == "Other"
    assert listed(client, baseModels="SD 1.4") == [named.embedding_id]
    assert listed(client, baseModels="SD 1.5") == []
    assert listed(client, baseModels="Other") == [plain.embedding_id]


def test_search_finds_name_trigger_creator_and_tag_and_has_no_pages(client: Client) -> None:
    moss = shelf.published(tags=["forest"], title="Soft light")
    shelf.published("otto", "ink-wash")
    for words in ("soft", "moss", "mara", "forest"):
        assert listed(client, query=words) == [moss.embedding_id], words
    assert listed(client, query="nothing-like-it") == []
    refused = client.get(f"{shelf.API}/models", {"query": "moss", "page": "1"})
    assert refused.status_code == 400


def test_orders_and_periods(client: Client, monkeypatch: Any) -> None:
    with monkeypatch.context() as earlier:
        long_ago = timezone.now() - timedelta(days=40)
        earlier.setattr(freezing.timezone, "now", lambda: long_ago)
        old = shelf.published()
    new = shelf.published(name="ink-wash")
    Embedding.objects.filter(pk=old.embedding_id).update(downloads=9)
    assert listed(client, sort="Newest") == [new.embedding_id, old.embedding_id]
    assert listed(client, sort="Oldest") == [old.embedding_id, new.embedding_id]
    for sort in ("Highest Rated", "Most Downloaded", "Most Images"):
        assert listed(client, sort=sort) == [old.embedding_id, new.embedding_id]
    sharing.like(factories.viewer("otto"), embedding=new.embedding)
    assert listed(client, sort="Most Liked") == [new.embedding_id, old.embedding_id]
    assert listed(client, period="Month") == [new.embedding_id]
    assert set(listed(client, period="Year")) == {new.embedding_id, old.embedding_id}


def test_wrong_words_are_refused_together_with_the_words_that_are_allowed(client: Client) -> None:
    query = {"sort": "__invalid__", "period": "__invalid__", "types": "Spell", "limit": "101"}
    response = client.get(f"{shelf.API}/models", query)
    assert response.status_code == 400
    issues = {issue["path"][0]: issue for issue in json.loads(response.json()["error"]["message"])}
    assert set(issues) == {"sort", "period", "types", "limit"}
    assert issues["period"]["options"] == ["AllTime", "Year", "Month", "Week", "Day"]
    assert "Most Downloaded" in issues["sort"]["values"]
    assert "LORA" in issues["types"]["values"]


@pytest.mark.parametrize("query", [{"sort": "Newest"}, {"sort": "Oldest"}, {}, {"query": "word"}])
def test_a_walk_by_cursor_meets_everything_once_and_ends_without_one(client: Client, query: Any) -> None:
    made = {shelf.published(name=f"word-{letter}").embedding_id for letter in "abcde"}
    address, seen = f"{shelf.API}/models?limit=2", []
    for name, value in query.items():
        address += f"&{name}={value}"
    while address:
        answer = client.get(address).json()
        seen += shelf.ids(answer)
        address = answer["metadata"].get("nextPage", "")
        if address:
            assert address.startswith("http://testserver/api/v1/models?limit=2")
            assert isinstance(answer["metadata"]["nextCursor"], str)
            address = f"{urlsplit(address).path}?{urlsplit(address).query}"
        else:
            assert "nextCursor" not in answer["metadata"]
    assert len(seen) == len(made)
    assert set(seen) == made


def test_pages_say_where_they_are_and_end_at_a_thousand(client: Client) -> None:
    for letter in "abc":
        shelf.published(name=f"word-{letter}")
    first = shelf.get(client, "/models", {"limit": 2, "page": 1})
    second = shelf.get(client, "/models", {"limit": 2, "page": 2})
    assert (first["metadata"]["currentPage"], first["metadata"]["pageSize"]) == (1, 2)
    assert "nextPage" in first["metadata"]
    assert "nextPage" not in second["metadata"]
    assert len(set(shelf.ids(first) + shelf.ids(second))) == 3
    assert shelf.get(client, "/models", {"limit": 0})["items"] == []
    deep = client.get(f"{shelf.API}/models", {"limit": 100, "page": 11})
    assert deep.status_code == 429
    assert deep["Retry-After"]


def test_a_cursor_of_somebody_else_is_refused(client: Client) -> None:
    shelf.published()
    foreign = ["x", "1~x", "2026-01-01~1", "~", "2026-01-01T00:00:00~1", f"{9**30}~1", f"1~{9**30}~"]
    for query in ({"sort": "Newest"}, {}, {"query": "moss"}):
        for cursor in foreign:
            response = client.get(f"{shelf.API}/models", {"cursor": cursor, **query})
            assert response.status_code == 400, (query, cursor)


def test_a_text_with_a_nul_in_it_finds_nothing_worse_than_nothing(client: Client) -> None:
    shelf.published()
    for name in ("query", "username", "tag", "baseModels"):
        assert shelf.get(client, f"/models?{name}=%00x")["items"] == [], name
    for name in ("cursor", "ids"):
        assert client.get(f"{shelf.API}/models?{name}=%00x").status_code == 400, name
    for path in ("/creators?query=%00x", "/users?query=%00x", "/images?username=%00x"):
        assert shelf.get(client, path)["items"] == [], path
    assert client.get(f"{shelf.API}/model-versions/by-hash/%00").status_code == 404


def test_marked_things_are_asked_for_with_a_token_and_are_what_its_person_likes(client: Client) -> None:
    liked = shelf.published()
    unlisted = shelf.published(name="unlisted-one", visibility="unlisted")
    shelf.published(name="ink-wash")
    for one in (liked, unlisted):
        sharing.like(factories.viewer("otto"), embedding=one.embedding)
    for name in ("favorites", "hidden"):
        assert client.get(f"{shelf.API}/models", {name: "false"}).json()["error"] == "Unauthorized"
    otto = shelf.bearer("otto")

    def found(**asked: str) -> set[int]:
        return {record["id"] for record in shelf.get(client, "/models", asked, headers=otto)["items"]}

    assert found(favorites="true") == {liked.embedding_id, unlisted.embedding_id}
    assert found(favorites="true", query="unlisted") == {unlisted.embedding_id}
    assert found(favorites="true", types="LORA") == found(hidden="true") == set()
    assert len(found(favorites="false")) == 2
    assert shelf.get(client, "/models?favorites=true", headers=shelf.bearer("ann"))["items"] == []


def test_likes_are_told_of_models_and_versions_at_once(client: Client) -> None:
    version = shelf.published()

    def told() -> list[int]:
        model = shelf.get(client, f"/models/{version.embedding_id}")
        [listed] = shelf.get(client, "/models")["items"]
        alone = shelf.get(client, f"/model-versions/{version.pk}")
        return [
            one["stats"]["thumbsUpCount"]
            for one in (model, model["modelVersions"][0], listed, listed["modelVersions"][0], alone)
        ]

    assert told() == [0] * 5
    for name in ("otto", "ida"):
        sharing.like(factories.viewer(name), embedding=version.embedding)
    assert told() == [2] * 5
    sharing.unlike(factories.viewer("ida"), embedding=version.embedding)
    assert told() == [1] * 5


def test_lists_name_public_things_and_to_their_owner_the_rest(client: Client) -> None:
    shelf.published(name="private-one", visibility="private")
    unlisted = shelf.published(name="unlisted-one", visibility="unlisted")
    public = shelf.published()
    assert listed(client) == [public.embedding_id]
    assert listed(client, ids=unlisted.embedding_id) == []
    assert listed(client, query="one") == []
    mine = shelf.get(client, "/models", {"sort": "Newest"}, headers=shelf.bearer())["items"]
    assert [record["availability"] for record in mine] == ["Public", "Unsearchable", "Private"]
    factories.user("otto")
    assert len(shelf.get(client, "/models", headers=shelf.bearer("otto"))["items"]) == 1
    by_number = shelf.get(client, f"/models/{unlisted.embedding_id}")
    assert by_number["availability"] == "Unsearchable"


@pytest.mark.parametrize("query", [{}, {"query": "word"}, {"sort": "Newest", "baseModels": "SD 1.5"}])
def test_the_number_of_queries_does_not_grow_with_the_list(
    client: Client, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries, query: Any
) -> None:
    for letter in "abcd":
        version = shelf.drawn(shelf.published(name=f"word-{letter}", tags=[f"tag-{letter}"]), tmp_path)
        shelf.next_version(version)
    with django_assert_max_num_queries(11):
        assert len(shelf.get(client, "/models", query)["items"]) == 4


def test_a_page_of_another_site_may_read_all_this_and_asks_first(client: Client) -> None:
    shelf.published()
    answer = client.get(f"{shelf.API}/models")
    assert answer["Access-Control-Allow-Origin"] == answer["Access-Control-Allow-Headers"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer
    for path in ("/models", "/models/1", "/model-versions/by-hash", "/enums", "/me"):
        asked = client.options(shelf.API + path, headers={"origin": "https://elsewhere.example"})
        assert (asked.status_code, asked["Access-Control-Allow-Origin"]) == (200, "*")
    assert client.options("/api/models").status_code == 405


def test_refusals_are_short_json(client: Client) -> None:
    response = client.post(f"{shelf.API}/models")
    assert (response.status_code, response.json()["error"]) == (405, "Method not allowed")
    assert response.json()["code"] == "method_not_allowed"
    assert response["X-Request-Id"] == response.json()["request_id"]
    missing = client.get(f"{shelf.API}/vault/all")
    assert (missing.status_code, type(missing.json()["error"])) == (404, str)
    assert missing["Access-Control-Allow-Origin"] == "*"


def test_a_token_of_another_site_makes_the_caller_anonymous(client: Client) -> None:
    version = shelf.published()
    foreign = {"authorization": "Bearer 0123456789abcdef0123456789abcdef"}
    assert shelf.get(client, "/models", headers=foreign)["items"][0]["id"] == version.embedding_id
    publishing.update_details(
        Viewer(version.embedding.created_by), embedding=version.embedding, visibility="private"
    )
    assert shelf.get(client, "/models", headers=foreign)["items"] == []
    assert client.get(f"{shelf.API}/me", headers=foreign).status_code == 401


def test_a_hub_that_shows_nothing_to_strangers_shows_them_nothing_here(client: Client, settings: Any) -> None:
    version = shelf.published()
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    for path in ("/models", f"/models/{version.embedding_id}", "/creators", "/images"):
        response = client.get(shelf.API + path)
        assert (response.status_code, response.json()["error"]) == (401, "Unauthorized")
        assert client.get(shelf.API + path, headers=shelf.bearer()).status_code == 200
