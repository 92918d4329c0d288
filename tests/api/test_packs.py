"""Packs and likes through the native API, and the lock file that the client is given."""

import hashlib
import json
from typing import Any

import pytest
from django.test import Client

from hub.client import lockfile
from hub.models import Collection
from hub.services.packs import packs
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
API = "/api/hub/v1"
LOCK = f"{API}/packs/ada/wet-places/lock"


def bearer(name: str, *scopes: str) -> dict[str, str]:
    return {"authorization": f"Bearer {factories.token(name, scopes=list(scopes))[1]}"}


@pytest.fixture
def pack() -> Collection:
    words = [factories.published(name="moss-dragon").head, factories.published("bob", "rust-tide").head]
    return factories.pack("ada", "wet-places", *words)


def send(client: Client, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]) -> Any:
    return client.generic(
        method, f"{API}/{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def test_a_pack_is_made_filled_ordered_bumped_and_deleted(client: Client) -> None:
    headers = bearer("ada", "read", "publish", "manage")
    first, second = factories.published(name="moss-dragon"), factories.published("bob", "rust-tide")
    made = send(client, "POST", "packs", {"name": "wet-places", "title": "Wet places"}, headers)
    assert (made.status_code, made["Location"]) == (201, f"http://testserver{API}/packs/ada/wet-places")
    place = "packs/ada/wet-places"
    for row, note in ((first, "old"), (second, "new")):
        body = {"name": row.full_name, "note": note}
        assert send(client, "POST", f"{place}/members", body, headers).status_code == 201
    factories.version(first, trigger="moss-dragon")
    told = client.get(f"{API}/{place}", headers=headers).json()
    assert [(one["name"], one["version"], one["newer"]) for one in told["members"]] == [
        ("ada/moss-dragon", 1, 2), ("bob/rust-tide", 1, None),
    ]  # fmt: skip
    ids = [one["id"] for one in told["members"]]
    bumped = send(client, "PATCH", f"{place}/members/{ids[0]}", {"version": None}, headers).json()
    assert bumped["members"][0]["version"] == 2
    assert bumped["revision"] != told["revision"]
    turned = send(client, "PATCH", place, {"order": ids[::-1], "title": "Damp"}, headers).json()
    assert ([one["id"] for one in turned["members"]], turned["title"]) == (ids[::-1], "Damp")
    assert send(client, "DELETE", f"{place}/members/{ids[0]}", None, headers).status_code == 204
    assert len(client.get(f"{API}/{place}").json()["members"]) == 1
    assert send(client, "DELETE", place, None, headers).status_code == 204
    assert client.get(f"{API}/{place}").status_code == 404


def test_the_lock_is_read_by_the_client_and_is_the_same_bytes_each_time(
    client: Client, pack: Collection
) -> None:
    first, again = client.get(LOCK), client.get(LOCK)
    assert first.content == again.content
    assert first["ETag"] == f'"{hashlib.sha256(first.content).hexdigest()}"'
    assert client.get(LOCK, headers={"if-none-match": first["ETag"]}).status_code == 304
    lock = lockfile.parse(first.content, source="the hub")
    assert lockfile.written(lock) == first.content
    assert (lock.pack, [one.label for one in lock.members]) == (
        "ada/wet-places", ["ada/moss-dragon@v1", "bob/rust-tide@v1"],
    )  # fmt: skip
    assert lock.created_from == client.get(f"{API}/packs/ada/wet-places").json()["revision"]


def test_every_file_of_the_lock_is_at_its_address_with_its_digest(client: Client, pack: Collection) -> None:
    lock = lockfile.parse(client.get(LOCK).content, source="the hub")
    for member in lock.members:
        listed = client.get(f"{API}/embeddings/{member.name}/versions/{member.version}/files").json()["files"]
        assert [one.layout for one in member.files] == [one["layout"] for one in listed]
        for file in member.files:
            assert hashlib.sha256(client.get(file.url).content).hexdigest() == file.sha256


def test_what_a_stranger_may_not_see_is_in_no_answer(client: Client, pack: Collection) -> None:
    publishing.update_details(
        factories.viewer("bob"), embedding=pack.members.last().embedding, visibility="private"
    )
    for path in ("packs/ada/wet-places", "packs/ada/wet-places/lock", "packs"):
        assert b"rust-tide" not in client.get(f"{API}/{path}").content
    packs.update_pack(factories.viewer("ada"), pack=pack, visibility="private")
    refused = client.get(LOCK)
    assert (refused.status_code, refused.json()["error"]["code"]) == (404, "repo_not_found")
    assert client.get(LOCK, headers=bearer("ada", "read")).status_code == 200


def test_a_second_word_of_one_trigger_is_a_conflict_that_names_the_first(
    client: Client, pack: Collection
) -> None:
    factories.published("bob", "other-moss", trigger="moss-dragon")
    headers = bearer("ada", "read", "manage")
    refused = send(client, "POST", "packs/ada/wet-places/members", {"name": "bob/other-moss"}, headers)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "trigger_in_pack")
    assert "ada/moss-dragon v1" in refused.json()["error"]["message"]


def test_likes_are_counted_once_and_need_their_scope(client: Client, pack: Collection) -> None:
    path = "embeddings/ada/moss-dragon/like"
    headers = bearer("bob", "read", "manage")
    for _ in range(2):
        assert send(client, "PUT", path, None, headers).json() == {"likes": 1, "is_liked": True}
    for _ in range(2):
        assert send(client, "DELETE", path, None, headers).json() == {"likes": 0, "is_liked": False}
    assert send(client, "PUT", path, None, bearer("bob", "read")).status_code == 403
    assert send(client, "PUT", path, None, {}).status_code == 401


def test_a_pack_changes_only_from_the_state_that_was_read(client: Client, pack: Collection) -> None:
    headers = bearer("ada", "read", "manage")
    address = f"{API}/packs/ada/wet-places"
    member = pack.members.first()
    assert member is not None
    for place, change in (
        (address, {"title": "Wetter"}),
        (f"{address}/members/{member.pk}", {"note": "First."}),
    ):
        given: Any = {"content_type": "application/json"}
        given["headers"] = {**headers, "if-match": client.get(address, headers=headers)["ETag"]}
        assert client.patch(place, change, **given).status_code == 200
        stale = client.patch(place, change, **given)
        assert (stale.status_code, stale.json()["error"]["code"]) == (412, "stale")
