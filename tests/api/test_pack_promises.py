"""What a lock promises where nothing can be written, and that a refused change of a pack changes nothing."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub import blobs
from hub.errors import Full
from hub.models import Conversion
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
PACK = "/api/hub/v1/packs/ada/wet-places"


def test_a_hub_without_room_gives_the_same_lock_as_one_with_room(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.pack("ada", "wet-places", factories.published(name="moss-dragon", family="sd1").head)

    def no_room(*_: object, **__: object) -> None:
        raise Full("store_full", "The store is full.")

    with monkeypatch.context() as store:
        store.setattr(blobs, "put", no_room)
        without = client.get(f"{PACK}/lock")
        card = client.get("/ada/wet-places/resolve/main/glossa.lock.json")
    assert not Conversion.objects.exists()
    with_room = client.get(f"{PACK}/lock")
    assert Conversion.objects.exists()
    assert without.content == with_room.content == b"".join(card)
    layouts = [file["layout"] for file in json.loads(without.content)["members"][0]["files"]]
    assert len(layouts) > 1


def test_a_lock_of_many_members_asks_no_more_than_one_of_two(client: Client) -> None:
    words = [factories.published(name=f"word-{letter}").head for letter in "abcdefg"]
    factories.pack("ada", "few-words", *words[:2])
    factories.pack("ada", "many-words", *words)

    def asked(address: str) -> int:
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    for address in (
        "/api/hub/v1/packs/ada/{}/lock",
        "/api/hub/v1/packs/ada/{}",
        "/api/models/ada/{}/tree/main",
    ):
        assert asked(address.format("many-words")) <= asked(address.format("few-words")) <= 12


def test_a_change_that_is_refused_in_one_part_changes_no_other(client: Client) -> None:
    words = [factories.published(name=name).head for name in ("moss-dragon", "rust-tide")]
    pack = factories.pack("ada", "wet-places", *words)
    first, second = pack.members.values_list("pk", flat=True)
    headers = factories.bearer("ada", "read", "manage")
    for changes, status in (
        ({"title": "Damp", "order": [second, 999_999]}, 400),
        ({"order": [second, first], "name": "moss-dragon"}, 409),
        ({"order": [second, first], "visibility": "secret"}, 422),
    ):
        refused = client.patch(PACK, json.dumps(changes), content_type="application/json", headers=headers)
        assert refused.status_code == status, refused.content
        told = client.get(PACK).json()
        assert (told["title"], [one["id"] for one in told["members"]]) == ("Wet Places", [first, second])
    both = {"order": [second, first], "title": "Damp"}
    told = client.patch(PACK, json.dumps(both), content_type="application/json", headers=headers).json()
    assert (told["title"], [one["id"] for one in told["members"]]) == ("Damp", [second, first])
