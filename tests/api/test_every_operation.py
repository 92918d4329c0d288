"""Every operation of the schema, held to what all of them promise: each success is reached and has its shape."""

import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from hub.models import Embedding
from hub.services.embeddings import renaming
from hub.services.packs import packs
from tests import factories
from tests.api import contract
from tests.api.calls import CALLS, Asked
from tests.api.seeded import ALL, Seeded

pytestmark = pytest.mark.django_db
RATES = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")
# They come as a POST and change nothing.
QUESTIONS = {"inspect", "convert", "adviseOnPictures", "listTrainingPrompts"}
METHODS = {f"{method} {path}" for path, method, _ in contract.operations().values()}


def test_every_operation_of_the_schema_has_a_call_in_the_table() -> None:
    assert set(CALLS) == set(contract.operations()), (
        "tests/api/calls.py: one call for each operation, no more"
    )


@pytest.mark.parametrize(("name", "status"), contract.successes())
def test_every_documented_success_is_reached_and_has_its_shape(hub: Seeded, name: str, status: int) -> None:
    asked = CALLS[name](hub)
    headers = hub.headers(asked.who)
    if status == 200 and contract.documents(name, 201):
        assert contract.call(name, asked, headers).status_code == 201
    if status == 304:
        headers["If-None-Match"] = contract.call(name, asked, headers).headers["etag"][0]
    if status == 206:
        asked.query["layout"] = "canonical"
        headers["Range"] = "bytes=0-9"
    response = contract.call(name, asked, headers)
    assert response.status_code == status, response.text
    assert [name for name in RATES if name not in response.headers] == []


@pytest.mark.parametrize("name", contract.operations())
def test_every_refusal_is_documented_and_tells_the_rate(client: Client, name: str) -> None:
    path, method, _ = contract.operations()[name]
    unknown = next(one for one in ("put", "delete", "patch", "post") if f"{one} {path}" not in METHODS)
    bad_token = {"authorization": "Bearer glossa_nonsense"}
    token = factories.bearer("ada", *ALL)
    answers = [
        client.generic(method.upper(), contract.nowhere(name)),
        client.generic(method.upper(), contract.nowhere(name), headers=bad_token),
        client.generic(unknown.upper(), contract.nowhere(name), headers=token),
    ]
    for answer in answers:
        assert contract.documents(name, answer.status_code), answer.content
        assert [one for one in RATES if one not in answer.headers] == [], answer.status_code
        if answer.status_code >= 400:
            assert set(answer.json()["error"]) == {"code", "message", "detail", "request_id"}
    # What only a session may do is refused to a token first, whatever the method.
    assert answers[2].status_code == 403 or (answers[2].status_code == 405 and answers[2]["Allow"])


@pytest.mark.parametrize("name", contract.heeding("Idempotency-Key"))
def test_a_call_that_is_sent_again_with_its_key_is_done_once(hub: Seeded, name: str) -> None:
    asked = CALLS[name](hub)
    headers = {**hub.headers(asked.who), "Idempotency-Key": f"again-{name}"}
    first, again = contract.call(name, asked, headers), contract.call(name, asked, headers)
    assert again.headers["idempotency-replayed"] == ["true"], again.text
    said, repeated = contract.json_of(first), contract.json_of(again)
    # A secret is in one answer alone.
    assert repeated == ({**said, "secret": None} if said.get("secret") else said)
    assert again.status_code == first.status_code
    assert again.headers.get("location") == first.headers.get("location")


def test_whatever_makes_something_heeds_a_key() -> None:
    makers = {name for name, (_, method, _) in contract.operations().items() if method == "post"}
    assert makers - set(contract.heeding("Idempotency-Key")) == QUESTIONS


@pytest.mark.parametrize("name", contract.lists())
def test_every_list_is_walked_by_cursor_and_meets_everything_once(hub: Seeded, name: str) -> None:
    asked = CALLS[name](hub)
    headers = hub.headers(asked.who)
    if name == "runEvents":  # goes on by the number of the last event
        return
    asked.query["limit"] = 100
    whole = contract.json_of(contract.call(name, asked, headers))
    assert whole["items"] and whole["next"] is None
    met, asked.query["limit"] = [], 1
    for _ in range(len(whole["items"])):
        response = contract.call(name, asked, headers)
        page = contract.json_of(response)
        met += page["items"]
        if page["next"]:
            assert response.headers["link"] == [f'<{page["next"]}>; rel="next"']
            asked.query["cursor"] = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    assert met == whole["items"] and page["next"] is None
    asked.query["cursor"] = "nonsense"
    assert contract.call(name, asked, headers).status_code == 400


@pytest.mark.parametrize("name", contract.heeding("If-Match"))
def test_a_write_with_if_match_changes_only_what_was_read(hub: Seeded, name: str) -> None:
    asked = CALLS[name](hub)
    headers = hub.headers(asked.who)
    reader = contract.reader_of(name)
    kept = {
        key: value for key, value in asked.path.items() if f"{{{key}}}" in contract.operations()[reader][0]
    }
    before = contract.call(reader, Asked(kept), headers).headers["etag"][0]
    refused = contract.call(name, asked, {**headers, "If-Match": '"0-0"'})
    assert refused.status_code == 412, refused.text
    assert contract.call(reader, Asked(kept), headers).headers["etag"][0] == before
    done = contract.call(name, asked, {**headers, "If-Match": before})
    assert done.status_code < 300, done.text


def test_whatever_changes_what_can_be_read_heeds_if_match() -> None:
    read = {path for path, method, _ in contract.operations().values() if method == "get"}
    writes = {
        name
        for name, (path, method, _) in contract.operations().items()
        if path in read and method in ("put", "patch", "delete")
    }
    # There is nothing about a token to overlook, and pictures of a run only go.
    assert writes - set(contract.heeding("If-Match")) == {"revokeToken", "forgetPictures"}


def test_what_is_only_counted_is_no_change(hub: Seeded) -> None:
    asked = CALLS["updateEmbedding"](hub)
    headers = hub.headers("owner")
    read = contract.call("getEmbedding", Asked(asked.path), headers).headers["etag"][0]
    Embedding.objects.filter(pk=hub.embedding.pk).update(downloads=7, likes=3)
    now = contract.call("getEmbedding", Asked(asked.path), {**headers, "If-None-Match": read})
    assert now.status_code == 200 and now.headers["etag"][0] != read
    assert contract.call("updateEmbedding", asked, {**headers, "If-Match": read}).status_code == 200


@pytest.mark.parametrize("name", [name for name, one in contract.operations().items() if "{owner}" in one[0]])
def test_every_address_of_something_leads_on_from_its_former_name(hub: Seeded, name: str) -> None:
    asked = CALLS[name](hub)
    headers = hub.headers("owner" if asked.who == "nobody" else asked.who)
    embedding = Embedding.objects.filter(owner__name=asked.path["owner"], name=asked.path["name"]).first()
    if embedding is None:
        packs.update_pack(hub.ada, pack=hub.pack, name="damp-places")
    else:
        renaming.rename(factories.viewer(asked.path["owner"]), embedding=embedding, name="fresh-name")
    response = contract.call(name, asked, headers)
    assert response.status_code == 307, response.text
    assert ("fresh-name" if embedding else "damp-places") in response.headers["location"][0]


@pytest.mark.parametrize(
    "name", [name for name, (_, _, one) in contract.operations().items() if "requestBody" in one]
)
def test_a_body_of_any_other_kind_is_refused_in_words(hub: Seeded, client: Client, name: str) -> None:
    asked = CALLS[name](hub)
    path, method, _ = contract.operations()[name]
    address = path.format(**asked.path)
    sent = [
        ("application/json", body)
        for body in ('{"a": 1}', "[1, 2]", '"text"', "null", "3", "{", "[[]]", "\x00", "")
    ]
    sent += [("text/plain", "text"), ("multipart/form-data; boundary=x", "--x"), ("", ""), ("image/png", "x")]
    headers = hub.headers(asked.who)
    for number, (content_type, body) in enumerate(sent):
        keyed = {**headers, "Idempotency-Key": f"body-{name}-{number}"}
        answer = client.generic(method.upper(), address, body, content_type=content_type, headers=keyed)
        assert contract.documents(name, answer.status_code), (content_type, body, answer.content)
        if answer.status_code >= 400:
            assert answer.json()["error"]["message"]


def test_how_much_is_reached_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    found = contract.successes()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(contract.operations())} operations, {len(found)} successes, each reached above\n"
        )
    assert len(found) > len(contract.operations())
