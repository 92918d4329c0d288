"""The native API of embeddings: found, made, published, described, withdrawn, by programs as by people."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.models import Blob, Embedding, Version
from tests import factories, samples

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
PLACE = f"{API}/embeddings/ada/moss-dragon"


@pytest.fixture
def token() -> dict[str, str]:
    return factories.bearer("ada", "read", "publish", "manage")


def file(seed: int = 7) -> SimpleUploadedFile:
    return SimpleUploadedFile("moss.safetensors", samples.canonical_file("tiny", vectors=2, seed=seed))


def make(client: Client, token: dict[str, str], **fields: Any) -> Any:
    given = {"name": "moss-dragon", "kind": "style", "title": "Moss dragon", **fields}
    return client.post(f"{API}/embeddings", given, content_type="application/json", headers=token)


def publish(client: Client, token: dict[str, str], seed: int = 7, **fields: Any) -> Any:
    given = {"file": file(seed), "trigger": "moss-dragon", "licence": "cc0-1.0", **fields}
    return client.post(f"{PLACE}/versions", given, headers=token)


def test_an_embedding_is_made_published_and_found(client: Client, token: dict[str, str]) -> None:
    made = make(client, token, tags=["green"])
    assert made.status_code == 201, made.content
    assert made["Location"] == f"http://testserver{PLACE}"
    assert made.json()["version"] is None and made.json()["versions"] == []
    assert client.get(f"{API}/embeddings").json()["items"] == []
    version = publish(client, token, notes="First.")
    assert version.status_code == 201, version.content
    told = version.json()
    assert (told["name"], told["trigger"], told["vectors_per_token"], told["notes"]) == (
        "v1", "moss-dragon", 2, "First.",
    )  # fmt: skip
    assert told["sha256"] == Version.objects.get().files.get(layout="canonical").blob_id
    [listed] = client.get(f"{API}/embeddings?q=moss&family=tiny&kind=style&tag=green").json()["items"]
    assert listed["name"] == "ada/moss-dragon" and listed["version"] == told
    whole = client.get(PLACE).json()
    assert whole["versions"] == [1] and whole["version"] == told
    more = {"initializer": "", "sheet_state": "none", "insights": {}, "provenance": {}}
    assert client.get(told["url"]).json() == {**told, **more}
    assert client.get(told["files"]).json()["files"][0]["sha256"] == told["sha256"]
    assert client.get(f"{PLACE}/versions").json() == {"items": [told], "next": None}


def test_facets_count_what_the_other_filters_leave_and_lead_to_as_many(client: Client) -> None:
    factories.published(tags=["green"], family="sd1")
    factories.published("bob", "ink-wash", kind="object", licence="mit", tags=["green", "ink"], family="sd1")
    factories.published("bob", "hidden", visibility="private", tags=["green"])
    told = client.get(f"{API}/embeddings/facets").json()
    assert (told["total"], told["is_capped"]) == (2, False)
    assert [(one["value"], one["count"]) for one in told["tag"]] == [("green", 2), ("ink", 1)]
    assert {one["label"]: one["count"] for one in told["kind"]} == {"style": 1, "object": 1}
    narrowed = client.get(f"{API}/embeddings/facets?tag=ink&q=ink").json()
    assert narrowed["total"] == 1 and [one["value"] for one in narrowed["licence"]] == ["mit"]
    for name in ("kind", "family", "licence", "tag"):
        for one in told[name]:
            found = client.get(f"{API}/embeddings", {name: one["value"]}).json()["items"]
            assert len(found) == one["count"], one
    assert client.get(f"{API}/embeddings/facets?kind=nothing").status_code == 400


def test_family_and_licence_are_those_of_the_newest_version(client: Client) -> None:
    embedding = factories.published(licence="mit")
    factories.version(embedding, trigger="moss-dragon", licence="cc0-1.0")
    assert client.get(f"{API}/embeddings?licence=mit").json()["items"] == []
    [found] = client.get(f"{API}/embeddings?licence=cc0-1.0").json()["items"]
    assert found["version"]["licence"] == "cc0-1.0"


def test_filters_leave_out_what_does_not_fit(client: Client) -> None:
    factories.published(family="sd1")
    for wanted in (
        "family=sdxl",
        "kind=negative",
        "tag=blue",
        "licence=mit",
        "owner=bob",
        "trained_here=true",
    ):
        assert client.get(f"{API}/embeddings?{wanted}").json()["items"] == [], wanted
    assert len(client.get(f"{API}/embeddings?owner=ada&family=sd1").json()["items"]) == 1


def test_every_wrong_parameter_is_named_at_once(client: Client) -> None:
    answer = client.get(f"{API}/embeddings?limit=1000&sort=nicest")
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "malformed_request")
    assert {one["field"] for one in error["detail"]["errors"]} == {"limit", "sort"}


def test_the_list_goes_on_with_a_cursor_and_meets_nothing_twice(client: Client) -> None:
    names = [factories.published(name=f"word-{number}").full_name for number in range(5)]
    seen, address = [], f"{API}/embeddings?limit=2"
    while address:
        answer = client.get(address)
        seen += [one["name"] for one in answer.json()["items"]]
        address = answer.json()["next"]
        assert ("Link" in answer) == bool(address)
    assert seen == names[::-1]


def test_a_list_costs_as_many_queries_for_many_as_for_one(
    client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        factories.published(name=f"word-{number}")
    with django_assert_max_num_queries(12) as captured:
        client.get(f"{API}/embeddings")
    first = len(captured)
    for number in range(3, 15):
        factories.published(name=f"word-{number}")
    with django_assert_max_num_queries(first):
        client.get(f"{API}/embeddings")


def test_what_is_private_is_found_by_its_owner_alone(client: Client, token: dict[str, str]) -> None:
    factories.published(visibility="private")
    assert client.get(f"{API}/embeddings").json()["items"] == []
    assert client.get(PLACE).status_code == 404
    assert len(client.get(f"{API}/embeddings?owner=ada", headers=token).json()["items"]) == 1
    assert client.get(PLACE, headers=token).status_code == 200
    stranger = factories.bearer("bob", "read", "publish", "manage")
    assert client.get(PLACE, headers=stranger).status_code == 404
    assert client.delete(PLACE, headers=stranger).status_code == 404


def test_a_reader_who_has_it_is_told_so(client: Client) -> None:
    factories.published()
    for address in (
        PLACE,
        f"{PLACE}/versions",
        f"{PLACE}/versions/1",
        f"{API}/embeddings",
        f"{API}/base-models",
    ):
        first = client.get(address)
        again = client.get(address, headers={"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b""), address


def test_a_description_changes_only_from_the_state_that_was_read(
    client: Client, token: dict[str, str]
) -> None:
    factories.published()
    etag = client.get(PLACE, headers=token)["ETag"]
    change: dict[str, Any] = {"content_type": "application/json", "headers": {**token, "if-match": etag}}
    first = client.patch(PLACE, {"summary": "Scales.", "tags": ["green", "wet"]}, **change)
    assert (first.status_code, first.json()["summary"], first.json()["tags"]) == (
        200,
        "Scales.",
        ["green", "wet"],
    )
    second = client.patch(PLACE, {"summary": "Fur."}, **change)
    assert (second.status_code, second.json()["error"]["code"]) == (412, "stale")
    assert Embedding.objects.get().summary == "Scales."


def test_an_unknown_field_and_a_wrong_one_change_nothing(client: Client, token: dict[str, str]) -> None:
    factories.published()
    for given, status, code, field in (
        ({"sumary": "x"}, 422, "field_invalid", "sumary"),
        ({"visibility": "secret"}, 422, "field_invalid", "visibility"),
        ({"title": "x" * 200}, 422, "field_invalid", "title"),
        (["title"], 400, "malformed_request", None),
    ):
        answer = client.patch(PLACE, given, content_type="application/json", headers=token)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["detail"].get("field")) == (status, code, field)
    assert Embedding.objects.get().title == "Moss Dragon"


def test_a_version_is_yanked_offered_again_and_deleted(client: Client, token: dict[str, str]) -> None:
    make(client, token)
    publish(client, token)
    publish(client, token, seed=8)
    answer = client.post(
        f"{PLACE}/versions/2/yank", {"reason": "Too strong."}, content_type="application/json", headers=token
    )
    assert (answer.status_code, answer.json()["state"], answer.json()["reason"]) == (
        200,
        "yanked",
        "Too strong.",
    )
    assert client.get(PLACE).json()["version"]["number"] == 1
    assert client.post(f"{PLACE}/versions/2/unyank", headers=token).json()["state"] == "published"
    assert client.get(PLACE).json()["version"]["number"] == 2
    assert client.delete(f"{PLACE}/versions/2", headers=token).status_code == 204
    assert client.get(f"{PLACE}/versions/2").status_code == 410
    assert client.delete(PLACE, headers=token).status_code == 204
    assert client.get(PLACE).status_code == 410


def test_a_token_without_the_scope_is_told_which_one_it_needs(client: Client) -> None:
    answer = make(client, factories.bearer("ada", "read"))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["detail"]["scope"]) == (
        403,
        "insufficient_scope",
        "publish",
    )
    assert make(client, {}).status_code == 401


def test_a_refused_file_leaves_nothing(client: Client, token: dict[str, str]) -> None:
    make(client, token)
    blobs = Blob.objects.count()
    answer = publish(client, token, file=SimpleUploadedFile("x.pt", b"hello, this is text"))
    error = answer.json()["error"]
    assert (answer.status_code, error["detail"]["field"]) == (422, "file")
    assert error["detail"]["rule"]
    assert publish(client, token, trigger="photo").status_code == 422
    assert publish(client, token, licence="").status_code == 422
    assert not Version.objects.exists() and Blob.objects.count() == blobs


def test_the_same_call_with_the_same_key_is_done_once(client: Client, token: dict[str, str]) -> None:
    key = {**token, "idempotency-key": "push-0001"}
    first, again = make(client, key), make(client, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true" and again.content == first.content
    assert again["Location"] == first["Location"]
    other = make(client, key, name="other-word")
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
    assert Embedding.objects.count() == 1
    versions = [publish(client, {**token, "idempotency-key": "push-0002"}, seed=5) for _ in range(2)]
    assert [one.status_code for one in versions] == [201, 201]
    assert versions[1]["Idempotency-Replayed"] == "true"
    changed = publish(client, {**token, "idempotency-key": "push-0002"}, seed=6)
    assert (changed.status_code, changed.json()["error"]["code"]) == (409, "key_reused")


def test_a_refused_call_may_be_mended_and_sent_again_with_its_key(
    client: Client, token: dict[str, str]
) -> None:
    key = {**token, "idempotency-key": "push-0003"}
    assert make(client, key, kind="nothing").status_code == 422
    assert make(client, key).status_code == 201


def test_answers_say_how_many_calls_are_left(client: Client) -> None:
    left = [int(client.get(f"{API}/base-models")["RateLimit-Remaining"]) for _ in range(2)]
    assert left[1] == left[0] - 1


def test_who_am_i(client: Client, token: dict[str, str]) -> None:
    told = client.get(f"{API}/whoami", headers=token).json()
    assert (told["name"], told["scopes"]) == ("ada", ["manage", "publish", "read"])
    assert client.get(f"{API}/whoami").status_code == 401


def test_another_address_is_refused_in_the_body_of_this_door(client: Client) -> None:
    for address in (f"{API}/nothing", f"{API}/embeddings/a/b/c/d"):
        answer = client.get(address)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_a_version_is_labelled_and_the_label_is_taken_off(client: Client, token: dict[str, str]) -> None:
    make(client, token)
    publish(client, token)
    address = f"{PLACE}/versions/1/label"

    def put(label: str) -> Any:
        return client.put(address, {"label": label}, content_type="application/json", headers=token)

    assert [put("soft").json()["label"] for _ in range(2)] == ["soft", "soft"]
    taken = put("hard")
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "label_taken")
    assert put("main").json()["error"]["detail"]["field"] == "label"
    assert [client.delete(address, headers=token).json()["label"] for _ in range(2)] == ["", ""]
    assert client.put(address, {"label": "x"}, content_type="application/json").status_code == 401
    stranger = factories.bearer("bob", "manage", "read")
    refused = client.put(address, {"label": "x"}, content_type="application/json", headers=stranger)
    assert refused.status_code == 403


def test_another_name_leads_on_from_the_old_one(client: Client, token: dict[str, str]) -> None:
    make(client, token)
    publish(client, token)

    def rename(name: str, headers: dict[str, str]) -> Any:
        return client.post(
            f"{PLACE}/rename", {"name": name}, content_type="application/json", headers=headers
        )

    assert rename("other", factories.bearer("bob", "manage", "read")).status_code == 403
    assert rename("No Name", token).status_code == 422
    renamed = rename("fern-dragon", token)
    assert (renamed.status_code, renamed.json()["name"]) == (200, "ada/fern-dragon")
    assert renamed["Location"] == renamed.json()["url"]
    old = client.get(PLACE)
    assert (old.status_code, old["Location"]) == (307, f"{API}/embeddings/ada/fern-dragon")


def test_people_their_likes_and_their_words_are_found(client: Client, token: dict[str, str]) -> None:
    factories.published(title="Moss dragon")
    factories.published(name="secret", visibility="private")
    person = client.get(f"{API}/people/ada").json()
    assert (person["name"], person["published"], person["packs"]) == ("ada", 1, [])
    assert [one["name"] for one in client.get(person["embeddings"]).json()["items"]] == ["ada/moss-dragon"]
    assert client.get(f"{API}/people/nobody").status_code == 404
    bob = factories.bearer("bob", "read", "manage")
    assert client.get(f"{API}/likes", headers=bob).json()["items"] == []
    client.put(f"{PLACE}/like", headers=bob)
    [liked] = client.get(f"{API}/likes", headers=bob).json()["items"]
    assert (liked["name"], liked["trigger"]) == ("ada/moss-dragon", "moss-dragon")
    assert client.get(f"{API}/likes").status_code == 401
    [namesake] = client.get(f"{API}/triggers/MOSS-dragon").json()["items"]
    assert namesake["name"] == "ada/moss-dragon"
    assert client.get(f"{API}/triggers/unused").json()["items"] == []


def test_lists_are_sorted_by_name_and_words_in_any_order_asked_for(client: Client) -> None:
    for name, title in (("moss-b", "apple moss"), ("moss-a", "Zebra~moss"), ("moss-c", "Apple moss 2")):
        factories.published(name=name, title=title)

    def names(**asked: str) -> list[str]:
        found: list[str] = []
        answer = client.get(f"{API}/embeddings", {"limit": "1", **asked}).json()
        while True:
            found += [one["title"] for one in answer["items"]]
            if not answer["next"]:
                return found
            answer = client.get(answer["next"]).json()

    by_name = ["apple moss", "Apple moss 2", "Zebra~moss"]
    assert names(sort="name") == names(sort="name", q="moss") == by_name
    assert names(sort="newest", q="moss") == ["Apple moss 2", "Zebra~moss", "apple moss"] == names()
    assert sorted(names(q="moss")) == sorted(by_name)


def test_related_words_and_twins_are_those_of_the_page(client: Client) -> None:
    data = samples.canonical_file(seed=777)
    factories.published(tags=["green"], ingested=factories.ingested(data))
    factories.published("bob", "copy", kind="object", ingested=factories.ingested(data))
    factories.published("bob", "fern", kind="object", tags=["green"])
    factories.published("bob", "secret", tags=["green"], visibility="private")
    answer = client.get(f"{API}/embeddings/ada/moss-dragon/related").json()
    assert [one["name"] for one in answer["twins"]] == ["bob/copy"]
    assert [one["name"] for one in answer["related"]] == ["bob/fern"]
    assert client.get(f"{API}/embeddings/bob/secret/related").status_code == 404


def test_the_same_file_again_without_a_key_is_the_version_that_it_made(
    client: Client, token: dict[str, str]
) -> None:
    make(client, token)

    def publish(**fields: Any) -> Any:
        given = {"file": file(), "trigger": "moss-dragon", "licence": "cc0-1.0", **fields}
        return client.post(f"{PLACE}/versions", given, headers=token)

    first, again = publish(), publish()
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json() and again["Location"] == first["Location"]
    assert publish(file=file(8)).json()["number"] == 2
    assert (publish().status_code, publish().json()["number"]) == (200, 1)
    for other in ({"licence": "cc-by-4.0"}, {"label": "spring"}):
        assert publish(**other).json()["error"]["code"] == "version_exists"
    assert Version.objects.count() == 2
