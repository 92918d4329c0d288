"""The publisher's own pictures through the native API: added to drafts and versions, ordered, taken away."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub import blobs
from hub.models import Preview, Version
from hub.services.versions import publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db
PLACE = "/api/hub/v1/embeddings/ada/moss-dragon"
JSON = "application/json"


@pytest.fixture
def ada() -> dict[str, str]:
    return factories.bearer("ada", "read", "publish")


@pytest.fixture(params=["draft", "version"])
def address(request: pytest.FixtureRequest) -> str:
    """The pictures of a draft, and of a version."""
    if request.param == "draft":
        return f"{PLACE}/drafts/{factories.draft().pk}/pictures"
    factories.published()
    return f"{PLACE}/versions/1/pictures"


def add(client: Client, address: str, headers: dict[str, str], colour: str = "navy") -> Any:
    file = SimpleUploadedFile(f"{colour}.png", samples.picture(colour=colour), "image/png")
    return client.post(address, {"file": file}, headers=headers)


def ids(answer: Any) -> list[int]:
    return [one["id"] for one in answer.json()["items"]]


def test_pictures_are_added_ordered_and_taken_away(client: Client, ada: dict[str, str], address: str) -> None:
    for colour in ("navy", "seagreen", "firebrick"):
        added = add(client, address, ada, colour)
        assert added.status_code == 201, added.content
    first, second, third = ids(added)
    assert {one["role"] for one in added.json()["items"]} == {"upload"}
    for order, expected in (([third, first], [third, first, second]), ([second], [second, third, first])):
        ordered = client.put(address, {"order": order}, content_type=JSON, headers=ada)
        assert (ordered.status_code, ids(ordered)) == (200, expected)
    assert ids(client.get(address, headers=ada)) == [second, third, first]
    gone = Preview.objects.get(pk=third).blob_id
    assert client.delete(f"{address}/{third}", headers=ada).status_code == 204
    assert client.delete(f"{address}/{third}", headers=ada).status_code == 404
    assert ids(client.get(address, headers=ada)) == [second, first]
    assert not blobs.exists(gone)
    assert ids(add(client, address, ada, "black"))[:2] == [second, first]


def test_the_same_picture_again_changes_nothing(client: Client, ada: dict[str, str], address: str) -> None:
    assert ids(add(client, address, ada)) == ids(add(client, address, ada))


def test_what_is_no_picture_is_refused_and_leaves_nothing(
    client: Client, ada: dict[str, str], address: str
) -> None:
    file = SimpleUploadedFile("x.png", b"text", "image/png")
    assert client.post(address, {"file": file}, headers=ada).status_code == 422
    assert client.post(address, {}, headers=ada).json()["error"]["code"] == "file_missing"
    assert not Preview.objects.exists()


def test_there_is_room_for_eight(client: Client, ada: dict[str, str], address: str) -> None:
    for number in range(8):
        assert add(client, address, ada, f"#0000{number:02x}").status_code == 201
    refused = add(client, address, ada, "white")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "too_many_pictures")


def test_the_pictures_of_the_sheet_are_the_hubs(client: Client, ada: dict[str, str], tmp_path: Path) -> None:
    version = factories.published().versions.get()
    factories.sheet(version, tmp_path, columns=1)
    address = f"{PLACE}/versions/1/pictures"
    listed = client.get(address).json()["items"]
    assert [(one["role"], one["block"]) for one in listed] == [("image", "A"), ("image", "C"), ("sheet", "")]
    assert client.delete(f"{address}/{listed[0]['id']}", headers=ada).status_code == 404
    ordered = client.put(address, {"order": [listed[0]["id"]]}, content_type=JSON, headers=ada)
    assert ordered.status_code == 404
    assert Preview.objects.count() == 3


def test_others_change_nothing(client: Client, ada: dict[str, str], address: str) -> None:
    [picture] = ids(add(client, address, ada))
    bob = factories.bearer("bob", "read", "publish")
    expected = 404 if "/drafts/" in address else 403
    assert add(client, address, bob, "black").status_code == expected
    assert client.put(address, {"order": [picture]}, content_type=JSON, headers=bob).status_code == expected
    assert client.delete(f"{address}/{picture}", headers=bob).status_code == expected
    assert Preview.objects.count() == 1


def test_what_was_withdrawn_keeps_its_pictures(client: Client, ada: dict[str, str]) -> None:
    version = factories.published().versions.get()
    [picture] = ids(add(client, f"{PLACE}/versions/1/pictures", ada))
    Version.objects.filter(pk=version.pk).update(state=Version.State.QUARANTINED)
    for answer in (
        add(client, f"{PLACE}/versions/1/pictures", ada, "black"),
        client.delete(f"{PLACE}/versions/1/pictures/{picture}", headers=ada),
    ):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "state_conflict")
    Version.objects.filter(pk=version.pk).update(state=Version.State.PUBLISHED)
    publishing.delete_version(factories.viewer(), version=version)
    assert client.get(f"{PLACE}/versions/1/pictures").status_code == 410
