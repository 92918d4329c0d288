"""For tools that cannot be pointed elsewhere: what they would have written beside the file, and lists to give them."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from hub import blobs
from hub.models import Download, Version
from hub.services.importing import sidecars
from hub.services.upkeep import counting
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
NAMES = ["moss-glow.civitai.info", "moss-glow.json", "moss-glow.cm-info.json", "moss-glow.preview.png"]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """A version with pictures."""
    return shelf.drawn(shelf.published(tags=["forest"], summary="A soft light."), tmp_path)


def sidecar(client: Client, version: Version, name: str, **options: Any) -> Any:
    response = client.get(f"{shelf.API}/model-versions/{version.pk}/sidecars/{name}", **options)
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    return response


def test_the_sidecars_of_a_version_are_listed_with_their_addresses(client: Client, version: Version) -> None:
    items = shelf.get(client, f"/model-versions/{version.pk}/sidecars")["items"]
    assert [item["name"] for item in items] == [*NAMES, "moss-glow.zip"]
    for item in items:
        assert client.get(item["url"].removeprefix("http://testserver")).status_code == 200
    plain = shelf.published(name="ink-wash")
    bare = shelf.get(client, f"/model-versions/{plain.pk}/sidecars")["items"]
    assert "ink-wash.preview.png" not in [item["name"] for item in bare]
    missing = client.get(f"{shelf.API}/model-versions/{plain.pk}/sidecars/ink-wash.preview.png")
    assert missing.status_code == 404


def test_civitai_helpers_holds_the_whole_version(client: Client, version: Version) -> None:
    record = sidecar(client, version, NAMES[0]).json()
    assert record == shelf.get(client, f"/model-versions/{version.pk}")


def test_a1111s_holds_the_word_for_the_prompt_it_belongs_in(client: Client, version: Version) -> None:
    notes = sidecar(client, version, NAMES[1]).json()
    assert (notes["activation text"], notes["negative text"], notes["sd version"]) == ("moss-glow", "", "SD1")
    negative = shelf.published(name="bad-hands", kind="negative")
    notes = sidecar(client, negative, "bad-hands.json").json()
    assert (notes["activation text"], notes["negative text"]) == ("", "bad-hands")


def test_stability_matrix_finds_its_own_keys(client: Client, version: Version) -> None:
    info = sidecar(client, version, NAMES[2]).json()
    record = shelf.get(client, f"/model-versions/{version.pk}")
    assert (info["ModelId"], info["VersionId"], info["ModelType"]) == (
        version.embedding_id, version.pk, "TextualInversion",
    )  # fmt: skip
    assert info["Hashes"] == record["files"][0]["hashes"]
    assert info["TrainedWords"] == ["moss-glow"]
    assert info["Tags"] == ["forest"]


def test_the_preview_is_a_picture_that_every_tool_shows(client: Client, version: Version) -> None:
    data = sidecar(client, version, NAMES[3]).content
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "PNG"
        assert min(picture.size) >= 256
    assert sidecar(client, version, NAMES[3])["Content-Type"] == "image/png"


def test_the_zip_holds_the_file_and_all_of_them_and_counts_as_a_pull(
    client: Client, version: Version
) -> None:
    data = sidecar(client, version, "moss-glow.zip").content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["moss-glow.safetensors", *NAMES]
        tensors = archive.read("moss-glow.safetensors")
    assert tensors == blobs.read(version.files.get(layout="canonical").blob_id)
    assert sidecar(client, version, "moss-glow.zip").content == data
    counting.tally.write()
    assert Download.objects.get().count == 2


def test_an_unpacked_zip_reads_as_the_tools_folder_it_stands_in_for(
    client: Client, version: Version, tmp_path: Path
) -> None:
    folder = tmp_path / "embeddings"
    with zipfile.ZipFile(io.BytesIO(sidecar(client, version, "moss-glow.zip").content)) as archive:
        archive.extractall(folder)
    for name in NAMES[:3]:
        notes = sidecars.read_all([folder / name])
        assert notes.warnings == []
        assert notes.words == ["moss-glow"]
    notes = sidecars.read_all([folder / NAMES[2]])
    assert (notes.title, notes.tags, notes.base) == ("Moss Glow", ["forest"], "SD 1.5")
    assert notes.hashes == {version.files.get(layout="canonical").blob_id}
    out = io.StringIO()
    factories.user("otto")
    call_command("import_folder", str(folder), "--owner", "otto", "--dry-run", "--json", stdout=out)
    (row, _) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert row["file"] == "moss-glow.safetensors"


def test_comfyui_manager_reads_its_list(client: Client, version: Version) -> None:
    shelf.published(name="only-tiny", family="tiny")
    shelf.published(name="secret", visibility="private")
    (entry,) = shelf.get(client, "/lists/model-list.json")["models"]
    size = version.files.get(layout="canonical").blob.size
    assert entry == {
        "name": "Moss Glow (mara/moss-glow)", "type": "embedding", "base": "SD1.5", "save_path": "default",
        "description": "A soft light.", "reference": "http://testserver/mara/moss-glow",
        "filename": "moss-glow.safetensors", "size": f"{size / 1000:.1f}KB",
        "url": f"http://testserver/api/download/models/{version.pk}",
    }  # fmt: skip


def test_invokeai_reads_its_list(client: Client, version: Version) -> None:
    newest = shelf.next_version(version)
    shelf.published(name="only-tiny", family="tiny")
    (entry,) = shelf.get(client, "/lists/invokeai.json")
    assert (entry["base"], entry["type"], entry["name"]) == ("sd-1", "embedding", "moss-glow")
    assert entry["source"] == f"http://testserver/api/download/models/{newest.pk}"


def test_addresses_come_one_a_line_and_lists_take_the_filters(client: Client, version: Version) -> None:
    other = shelf.published("otto", "ink-wash", family="sd2")

    def lines(**query: Any) -> list[str]:
        return client.get(f"{shelf.API}/lists/addresses.txt", query).content.decode().splitlines()

    assert len(lines()) == 2
    assert lines(username="otto") == [f"http://testserver/api/download/models/{other.pk}"]
    assert lines(baseModels="SD 1.5") == [f"http://testserver/api/download/models/{version.pk}"]
    assert client.get(f"{shelf.API}/lists/addresses.txt", {"sort": "x"}).status_code == 400


@pytest.mark.parametrize("name", ["model-list.json", "invokeai.json", "addresses.txt"])
def test_a_list_costs_a_fixed_number_of_queries(
    client: Client, name: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for letter in "abcd":
        shelf.published(name=f"word-{letter}")
    with django_assert_max_num_queries(10):
        assert client.get(f"{shelf.API}/lists/{name}").status_code == 200
