"""`/api/hub/v1/embeddings/…/files` and `?layout=` on the pages: the same bytes, headers and refusals on both."""

import hashlib
from typing import Any

import pytest
from django.test import Client

from hub.formats import LAYOUTS, read
from hub.models import Download
from hub.services.upkeep import counting
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db

API = "/api/hub/v1/embeddings/ada/moss-dragon/versions/1/files"
PAGE = "/ada/moss-dragon/versions/1"
HEAD_PAGE = "/ada/moss-dragon"
DOORS = [API, PAGE, HEAD_PAGE]


@pytest.fixture
def embedding() -> Any:
    return factories.published(family="sd1")


def test_the_list_says_what_a_version_can_be_had_as(client: Client, embedding: Any) -> None:
    listed = client.get(API).json()["files"]
    assert [(one["layout"], one["path"]) for one in listed] == [
        ("canonical", "moss-dragon.safetensors"),
        ("diffusers", "learned_embeds.safetensors"),
        ("onetrainer", "moss-dragon.safetensors"),
        ("webui-image", "moss-dragon.png"),
    ]
    assert "InvokeAI" in listed[0]["tools"]
    assert listed[3]["tools"] == ["A1111", "Forge"]
    assert listed[0]["url"] == f"http://testserver{API}?layout=canonical"
    assert listed[2]["sha256"] is None
    response = client.get(listed[2]["url"])
    assert client.get(API).json()["files"][2]["sha256"] == hashlib.sha256(response.content).hexdigest()


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("layout", ["canonical", "diffusers", "onetrainer", "webui-image"])
def test_each_door_hands_out_the_same_bytes_with_the_same_headers(
    client: Client, embedding: Any, door: str, layout: str
) -> None:
    response = client.get(f"{door}?layout={layout}")
    assert response.status_code == 200, response.content
    digest = hashlib.sha256(response.content).hexdigest()
    assert response["ETag"] == f'"{digest}"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"].startswith("sandbox")
    filename = LAYOUTS[layout].filename.format(trigger="moss-dragon")
    assert response["Content-Disposition"] == f'attachment; filename="{filename}"'
    assert read(response.content, filename=filename).trigger == "moss-dragon"
    part = client.get(f"{door}?layout={layout}", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, response.content[10:20])
    fresh = client.get(f"{door}?layout={layout}", headers={"if-none-match": f'"{digest}"'})
    assert fresh.status_code == 304
    head = client.head(f"{door}?layout={layout}")
    assert (head.content, head["Content-Length"]) == (b"", str(len(response.content)))


@pytest.mark.parametrize("layout", ["canonical", "webui-image"])
def test_a_layout_has_an_address_of_its_own(client: Client, embedding: Any, layout: str) -> None:
    asked, own = client.get(f"{API}?layout={layout}"), client.get(f"{API}/{layout}")
    assert own.status_code == 200 and own.content == asked.content
    headers = ("ETag", "Content-Type", "Content-Disposition", "Cache-Control", "Repr-Digest")
    assert [own[name] for name in headers] == [asked[name] for name in headers]


def test_a_head_makes_the_file_so_that_the_list_knows_it(client: Client, embedding: Any) -> None:
    head = client.head(f"{API}/onetrainer")
    listed = {one["layout"]: one for one in client.get(API).json()["files"]}
    assert head["ETag"] == f'"{listed["onetrainer"]["sha256"]}"'
    assert int(head["Content-Length"]) == listed["onetrainer"]["size"]
    refused = client.get(f"{API}/webui-pt")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "layout_not_served")


@pytest.mark.parametrize("door", DOORS)
def test_a_pickle_is_refused_by_every_door(client: Client, embedding: Any, door: str) -> None:
    response = client.get(f"{door}?layout=webui-pt", headers={"accept": "application/json"})
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["detail"]["field"]) == ("layout_not_served", "layout")


@pytest.mark.parametrize(
    "address",
    [
        "/ada/moss-dragon/resolve/v1/moss-dragon.pt",
        "/ada/moss-dragon/resolve/v1/moss-dragon.png",
        "/ada/moss-dragon/resolve/main/learned_embeds.bin",
    ],
)
def test_pull_protocols_have_the_stored_files_only(client: Client, embedding: Any, address: str) -> None:
    assert client.get(address).status_code == 404


def test_refusals_have_the_one_body(client: Client, embedding: Any) -> None:
    response = client.get(f"{API}?layout=nope")
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"code", "message", "detail", "request_id"}
    assert client.get(API.replace("moss", "ink")).json()["error"]["code"] == "repo_not_found"
    assert client.get(API.replace("/1/", "/7/")).json()["error"]["code"] == "revision_not_found"
    assert client.post(API).status_code == 405


def test_a_private_version_is_handed_to_its_owner_alone(client: Client, embedding: Any) -> None:
    publishing.update_details(factories.viewer(), embedding=embedding, visibility="private")
    for door in DOORS:
        assert client.get(f"{door}?layout=onetrainer").status_code == 404
    _, secret = factories.token(scopes=["read"])
    response = client.get(f"{API}?layout=onetrainer", headers={"authorization": f"Bearer {secret}"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"


def test_a_token_of_another_hub_does_not_stop_a_pull(client: Client, embedding: Any) -> None:
    response = client.get(f"{API}?layout=canonical", headers={"authorization": "Bearer hf_other"})
    assert response.status_code == 200


def test_a_pull_in_any_layout_is_counted_for_the_version(client: Client, embedding: Any) -> None:
    for door in DOORS:
        client.get(f"{door}?layout=webui-image")
    counting.tally.write()
    counted = Download.objects.get()
    assert (counted.version, counted.count) == (embedding.versions.get(), 3)


def test_the_page_lists_every_layout_with_the_tools_that_load_it(client: Client, embedding: Any) -> None:
    page = client.get(PAGE).content.decode()
    assert f'{PAGE}?layout=webui-image"' in page
    assert f'{PAGE}?layout=onetrainer"' in page
    assert "webui-pt" not in page


def test_page_of_a_tiny_word_names_the_one_tool_that_loads_it(client: Client) -> None:
    factories.published(family="tiny")
    page = client.get(PAGE).content.decode()
    assert "A1111" not in page
    assert "ComfyUI" not in page
    assert "?layout=" not in page
