"""`POST /convert`: one's own file in another layout, the same bytes as from the page, and no trace of it."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.formats import read, write_layout
from hub.models import Blob, Embedding
from hub.models.digest import Conversion
from tests import factories, samples

pytestmark = pytest.mark.django_db
API = "/api/hub/v1/convert"


def convert(data: bytes, layout: str = "onetrainer", *, to: str = API, **more: Any) -> Any:
    file = SimpleUploadedFile("moss-dragon.safetensors", data)
    return Client(enforce_csrf_checks=to == API).post(to, {"file": file, "layout": layout, **more})


@pytest.mark.parametrize("layout", ["canonical", "diffusers", "onetrainer", "webui-image"])
def test_a_file_of_ones_own_comes_back_in_the_layout_as_from_the_page(layout: str) -> None:
    data = samples.embedding_file("sd1", vectors=2)
    made = convert(data, layout)
    assert made.status_code == 200, made.content
    kept = read(made.content, filename="made" + (".png" if layout == "webui-image" else ".safetensors"))
    assert kept.tensors == read(data, filename="moss-dragon.safetensors").tensors
    assert made.content == convert(data, layout, to="/inspect/convert").content
    assert made["Content-Type"] == ("image/png" if layout == "webui-image" else "application/octet-stream")
    assert made["Content-Disposition"].startswith('attachment; filename="')
    assert (made["Cache-Control"], made["X-Content-Type-Options"]) == ("private, no-store", "nosniff")
    assert not (Blob.objects.exists() or Conversion.objects.exists() or Embedding.objects.exists())


def test_the_two_files_of_an_sdxl_word_become_one() -> None:
    whole = read(samples.keyed_file(samples.SLOTS["sdxl"]), filename="moss-dragon.safetensors")
    first, second = (
        write_layout(whole, layout, trigger="moss-dragon") for layout in ("diffusers", "diffusers-2")
    )
    half = SimpleUploadedFile("moss-dragon_2.safetensors", second)
    made = convert(first, "canonical", half=half)
    assert made.status_code == 200, made.content
    assert read(made.content, filename="made.safetensors").tensors == whole.tensors


@pytest.mark.parametrize(
    ("layout", "code"),
    [("webui-pt", "layout_not_served"), ("diffusers-2", "unknown_layout"), ("nope", "unknown_layout")],
)
def test_what_is_not_written_here_is_refused_with_what_there_is(layout: str, code: str) -> None:
    refused = convert(samples.embedding_file("sd1"), layout)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"], error["detail"]["field"]) == (400, code, "layout")
    assert error["detail"]["offered"] == ["canonical", "diffusers", "onetrainer", "webui-image"]


def test_what_is_no_embedding_or_no_form_is_refused() -> None:
    refused = convert(samples.lora_file())
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_an_embedding")
    as_json = Client().post(API, {"layout": "onetrainer"}, content_type="application/json")
    assert (as_json.status_code, as_json.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert Client().post(API, {"layout": "onetrainer"}).json()["error"]["detail"]["field"] == "file"


def test_a_form_is_wanted_where_a_file_is_published(client: Client) -> None:
    factories.embedding()
    answer = client.post(
        "/api/hub/v1/embeddings/ada/moss-dragon/versions", {"trigger": "moss-dragon"},
        content_type="application/json", headers=factories.bearer("ada", "publish"),
    )  # fmt: skip
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
