"""What is it?, on the page: everything about a file for anybody, nothing stored, nothing private told."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image, PngImagePlugin

from hub.models import Blob, Version
from tests import factories, samples

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def upload(data: bytes, name: str = "moss-dragon.safetensors") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def generated(text: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", text)
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def asked(client, data: bytes, name: str = "moss-dragon.safetensors") -> str:
    response = client.post("/inspect", {"file": upload(data, name)}, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def test_anybody_sees_what_a_file_is_and_nothing_is_stored(stranger):
    html = asked(stranger, samples.embedding_file("sd1", vectors=3, dtype="F16"))
    for words in (
        "Stable Diffusion 1.x",
        "3 vectors",
        "clip_l (768 wide, F16)",
        "Not known here",
        "emb_params",
    ):
        assert words in html, words
    assert "embedding:moss-dragon" in html and "&lt;moss-dragon&gt;" in html
    assert "BLAKE3" in html and "AutoV2" in html and "CRC-32" in html
    assert not Blob.objects.exists() and not Version.objects.exists()


def test_the_page_works_without_scripts(stranger):
    page = stranger.get("/inspect").content.decode()
    assert 'enctype="multipart/form-data"' in page and 'type="file"' in page and 'aria-current="page"' in page
    whole = stranger.post("/inspect", {"file": upload(samples.embedding_file("sd1"))}).content.decode()
    assert "<title>What is it?" in whole and "Stable Diffusion 1.x" in whole


def test_an_address_without_a_file_says_so(stranger):
    response = stranger.post("/inspect", {}, headers=HTMX)
    assert response.status_code == 400 and "Choose a file first." in response.content.decode()


def test_a_known_file_and_a_re_upload_lead_to_their_entry(stranger):
    source = samples.canonical_file("sd1", seed=31)
    factories.version(ingested=factories.ingested(source))
    html = asked(stranger, source)
    assert "this very file" in html and "/ada/moss-dragon/versions/1" in html


def test_a_private_entry_is_shown_to_its_owner_alone(stranger, ada, bob):
    source = samples.canonical_file("sd1", seed=32)
    factories.version(factories.embedding(visibility="private"), ingested=factories.ingested(source))
    for client, sees in ((stranger, False), (bob, False), (ada, True)):
        assert ("ada/moss-dragon" in asked(client, source)) is sees


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, this is text", "plain text"),
        (b"<!doctype html><title>Sign in</title>", "web page"),
        (samples.lora_file(), "LoRA"),
    ],
)
def test_a_refused_file_says_what_it_is_by_which_rule_and_what_to_do(stranger, data, words):
    html = asked(stranger, data)
    assert words in html and "rule <code>" in html and 'role="alert"' in html


def test_what_a_file_says_of_itself_is_escaped(stranger):
    evil = "<script>alert(1)</script>"
    html = asked(
        stranger, samples.embedding_file("sd1", metadata={"modelspec.title": evil, "x": "<b>{{ 1 }}"})
    )
    assert evil not in html and "&lt;script&gt;alert(1)" in html and "<b>{{" not in html
    named = asked(stranger, samples.embedding_file("sd1"), "<img src=x onerror=alert(1)>.safetensors")
    assert "<img src=x" not in named


def test_a_generated_picture_names_its_embeddings_and_each_is_looked_up(stranger):
    version = factories.published(name="moss-dragon").head
    factories.published("bob", "easynegative", trigger="easynegative", visibility="private")
    text = (
        "a hill, moss-dragon\nNegative prompt: easynegative\nSteps: 20, Sampler: Euler a, Seed: 9, "
        f'TI hashes: "renamed: {version.source_sha256[:12]}, easynegative: c74b4e810b03"'
    )
    html = asked(stranger, generated(text), "00001-9.png")
    assert (
        "Made with A1111; it names 2 embeddings." in html
        and "Euler a" in html
        and "/ada/moss-dragon/versions/1" in html
    )
    assert "this very file" in html and "not known here" in html and "bob/easynegative" not in html
    assert not Blob.objects.filter(sha256=version.source_sha256).exists()


def test_an_ordinary_picture_is_called_one(stranger):
    html = asked(stranger, samples.picture("PNG"), "holiday.png")
    assert "ordinary picture" in html
    assert "ordinary picture" in asked(stranger, samples.picture("JPEG"), "holiday.jpg")


def test_nearest_words_come_from_an_installed_base(stranger, tmp_path):
    from trainer.base_folder import BUNDLED

    base = factories.base_model("tiny")
    type(base).objects.filter(pk=base.pk).update(folder=str(BUNDLED), title="Glossa tiny", digest="d")
    word = (BUNDLED.parent / "catalogue" / "zebra-wave" / "embedding.safetensors").read_bytes()
    html = asked(stranger, word, "zebra-wave.safetensors")
    assert "98 of 100 words of Glossa tiny" in html and "striped" in html


def test_another_layout_is_a_download_and_never_a_pickle(stranger):
    data = samples.embedding_file("sd1", vectors=2)
    response = stranger.post("/inspect/convert", {"file": upload(data), "layout": "diffusers"})
    assert response.status_code == 200 and response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="learned_embeds.safetensors"'
    length = int.from_bytes(response.content[:8], "little")
    assert list(json.loads(response.content[8 : 8 + length]))[-1] == "moss-dragon"
    for layout in ("webui-pt", "../x", ""):
        refused = stranger.post("/inspect/convert", {"file": upload(data), "layout": layout})
        assert refused.status_code == 400, layout
    assert not Blob.objects.exists()


def test_the_answer_asks_few_questions(stranger, django_assert_max_num_queries):
    factories.published(name="moss-dragon")
    data = samples.embedding_file("sd1")
    with django_assert_max_num_queries(12):
        asked(stranger, data)


def test_too_many_files_are_stopped(stranger, monkeypatch):
    from hub.wire import throttle

    monkeypatch.setitem(throttle.LIMITS, "inspect", throttle.Limit(1, 1))
    assert stranger.get("/inspect").status_code == 200
    assert stranger.post("/inspect", {"file": upload(b"x")}).status_code == 429


def test_a_publisher_is_told_of_the_same_values_elsewhere(ada):
    source = samples.canonical_file("tiny", seed=33)
    factories.version(factories.embedding("bob", "first-word"), ingested=factories.ingested(source))
    hidden = factories.embedding("bob", "hidden-word", visibility="private")
    factories.version(hidden, ingested=factories.ingested(source))
    sent = {
        "file": upload(source), "name": "copy-cat", "title": "Copy cat", "kind": "style", "trigger": "copy-cat",
        "licence": "cc0-1.0", "visibility": "public",
    }  # fmt: skip
    assert ada.post("/new", sent).status_code == 302
    html = ada.get("/ada/copy-cat").content.decode()
    assert 'Exactly these values are on this hub already: <a href="/bob/first-word/versions/1">' in html
    assert "hidden-word" not in html
