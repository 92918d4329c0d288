"""Pictures: with a version, in the gallery, and as files that every tool can show."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pytest_django import DjangoAssertNumQueries

from hub.formats import showing
from hub.models import Preview, Version
from hub.models.digest import Conversion
from hub.services.versions import ingest, publishing
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """A version with a sheet of two columns, and a picture of its publisher's."""
    return shelf.uploaded(shelf.drawn(shelf.published(), tmp_path))


def shown(client: Client, image: dict[str, Any]) -> bytes:
    """The bytes at the address of a picture."""
    address = image["url"].removeprefix("http://testserver")
    response = client.get(address)
    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    return bytes(response.content)


def test_a_version_shows_what_the_word_does_and_how_it_was_made(client: Client, version: Version) -> None:
    images = shelf.get(client, f"/model-versions/{version.pk}")["images"]
    cells = list(version.previews.filter(block="A").values_list("pk", flat=True))
    upload = version.previews.get(role="upload")
    assert [image["id"] for image in images] == [*cells, upload.pk]
    assert images[0]["meta"] == {
        "prompt": "a picture in the style of moss-glow", "negativePrompt": "", "seed": 0, "steps": 20,
        "Size": "64x48", "resources": [{"name": "moss-glow", "type": "embed"}],
        "civitaiResources": [{"type": "embed", "modelVersionId": version.pk, "weight": 1}],
    }  # fmt: skip
    own = images[-1]["meta"]
    assert own["Size"] == "512x768"
    assert (own["seed"], own["steps"], own["sampler"], own["cfgScale"]) == (42, 25, "DPM++ 2M", 7.5)
    for image in images:
        assert (image["type"], image["nsfwLevel"], image["hasMeta"]) == ("image", 1, True)
        assert image["hasPositivePrompt"] and image["minor"] is image["poi"] is False


def test_within_an_embedding_pictures_come_without_their_settings(client: Client, version: Version) -> None:
    record = shelf.get(client, f"/models/{version.embedding_id}")
    images = record["modelVersions"][0]["images"]
    assert len(images) == 3
    assert all("meta" not in image for image in images)


def test_a_version_shows_ten_pictures_at_most(client: Client, tmp_path: Path) -> None:
    version = shelf.drawn(shelf.published(), tmp_path, blocks="ABCDEF", columns=6)
    images = shelf.get(client, f"/model-versions/{version.pk}")["images"]
    assert len(images) == 10
    told = Preview.objects.in_bulk([image["id"] for image in images])
    assert {preview.block for preview in told.values()} == {"A", "B"}


def test_pictures_are_png_of_the_size_that_is_told_and_never_tiny(client: Client, version: Version) -> None:
    for image in shelf.get(client, f"/model-versions/{version.pk}")["images"]:
        assert image["url"] == f"http://testserver/media/previews/{image['id']}.png"
        data = shown(client, image)
        assert len(data) >= 1024
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size) == ("PNG", (image["width"], image["height"]))
            assert min(picture.size) >= 256


def test_a_picture_is_made_once_and_a_large_png_is_shown_as_it_is(client: Client, version: Version) -> None:
    image = shelf.get(client, f"/model-versions/{version.pk}")["images"][0]
    first, again = shown(client, image), shown(client, image)
    assert first == again
    assert Conversion.objects.count() == 1
    noise = Image.effect_noise((300, 300), 90).convert("RGB")
    with io.BytesIO() as out:
        noise.save(out, "PNG")
        stored = out.getvalue()
    row = {"prompt": "x", "content_type": "image/png", "width": 300, "height": 300, "column": 7}
    large = Preview.objects.create(version=version, role="upload", blob=ingest.store(stored), **row)
    assert client.get(f"/media/previews/{large.pk}.png").content == stored
    assert Conversion.objects.count() == 1


def test_the_parameters_that_were_written_into_a_picture_of_ours_stay_in_it() -> None:
    texts = PngInfo()
    texts.add_text("parameters", "a lamp\nSteps: 20, Seed: 7")
    with io.BytesIO() as out:
        Image.new("RGB", (64, 64), "teal").save(out, "PNG", pnginfo=texts)
        made = showing.shown(out.getvalue())
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.info["parameters"] == "a lamp\nSteps: 20, Seed: 7"
    assert len(made) >= showing.LEAST_BYTES


@pytest.mark.parametrize(
    ("size", "larger"),
    [((64, 64), (256, 256)), ((64, 48), (384, 288)), ((300, 200), (600, 400)), ((512, 512), (512, 512)),
     ((1024, 16), (2048, 32)), ((4096, 100), (4096, 100))],
)  # fmt: skip
def test_small_pictures_are_shown_a_whole_number_of_times_larger(size: Any, larger: Any) -> None:
    assert showing.shown_size(*size) == larger


def test_controls_and_whole_sheets_have_no_number_here(client: Client, version: Version) -> None:
    listed = shelf.ids(shelf.get(client, "/images"))
    hidden = version.previews.exclude(pk__in=listed)
    assert {preview.role for preview in hidden} == {"image", "sheet"}
    assert all(preview.is_control or preview.role == "sheet" for preview in hidden)


def test_the_gallery_says_of_each_picture_whose_it_is(client: Client, version: Version) -> None:
    upload = version.previews.get(role="upload")
    (image,) = shelf.get(client, "/images", {"imageId": upload.pk})["items"]
    assert image["username"] == "mara"
    assert image["modelVersionIds"] == [version.pk]
    assert image["postId"] == version.pk
    assert image["baseModel"] == "SD 1.5"
    # A word here, a number everywhere else.
    assert (image["nsfwLevel"], image["browsingLevel"], image["nsfw"]) == ("None", 1, False)
    assert set(image["stats"].values()) == {0}
    assert image["meta"] is None
    (told,) = shelf.get(client, "/images", {"imageId": upload.pk, "withMeta": "true"})["items"]
    assert told["meta"]["prompt"] == "a lamp, moss-glow"


def test_the_gallery_is_filtered(client: Client, version: Version, tmp_path: Path) -> None:
    other = shelf.drawn(shelf.published("otto", "ink-wash", family="sd2", tags=["ink"]), tmp_path)
    mine = {preview.pk for preview in version.previews.exclude(role="sheet").exclude(is_control=True)}
    theirs = {preview.pk for preview in other.previews.filter(block="A")}

    def found(**query: Any) -> set[int]:
        return set(shelf.ids(shelf.get(client, "/images", query)))

    assert found() == mine | theirs
    assert found(modelId=version.embedding_id) == found(modelVersionId=version.pk) == mine
    assert found(postId=other.pk) == found(username="Otto") == found(baseModels="SD 2.1") == theirs
    assert found(userId=other.embedding.owner_id) == theirs
    assert found(tags=other.embedding.tags.get().pk) == theirs
    assert found(modelVersionId=version.pk, postId=other.pk) == set()
    assert found(type="video") == found(browsingLevel=2) == set()
    assert found(nsfw="X") == found(nsfw="false") == found(period="Day") == found(requiringMeta="true")
    assert found(sort="Most Comments", browsingLevel=31) == mine | theirs


def test_the_gallery_refuses_words_it_does_not_know(client: Client) -> None:
    for query in (
        {"baseModels": "Nonsense"},
        {"sort": "Best"},
        {"type": "smell"},
        {"limit": 201},
        {"nsfw": "y"},
    ):
        response = client.get(f"{shelf.API}/images", query)
        assert (response.status_code, response.json()["error"]["name"]) == (400, "ZodError"), query
    assert client.get(f"{shelf.API}/images", {"cursor": "x"}).status_code == 400
    assert client.get(f"{shelf.API}/images", {"page": 11}).status_code == 429


@pytest.mark.parametrize("sort", ["Newest", "Oldest", "Random"])
def test_a_walk_through_the_gallery_meets_every_picture_once(
    client: Client, version: Version, sort: str
) -> None:
    query: dict[str, Any] = {"limit": 2, "sort": sort}
    seen = []
    while True:
        answer = shelf.get(client, "/images", query)
        seen += shelf.ids(answer)
        if "nextCursor" not in answer["metadata"]:
            break
        query["cursor"] = answer["metadata"]["nextCursor"]
    assert sorted(seen) == sorted(shelf.ids(shelf.get(client, "/images")))
    assert seen == sorted(seen, reverse=sort != "Oldest")


def test_unlisted_and_yanked_pictures_are_found_by_number_only(client: Client, version: Version) -> None:
    publishing.update_details(factories.viewer("mara"), embedding=version.embedding, visibility="unlisted")
    assert shelf.get(client, "/images")["items"] == []
    assert shelf.get(client, "/images", {"username": "mara"})["items"] == []
    assert len(shelf.get(client, "/images", {"modelVersionId": version.pk})["items"]) == 3


def test_the_gallery_costs_a_fixed_number_of_queries(
    client: Client, version: Version, tmp_path: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for letter in "abc":
        shelf.drawn(shelf.published(name=f"word-{letter}"), tmp_path)
    with django_assert_max_num_queries(3):
        assert len(shelf.get(client, "/images", {"withMeta": "true"})["items"]) == 9


def test_a_picture_that_is_no_number_or_nobodys(client: Client, version: Version) -> None:
    assert client.get("/media/previews/x.png").status_code == 400
    sheet = version.previews.get(role="sheet")
    assert client.get("/media/previews/1999999999.png").status_code == 404
    assert client.get(f"/media/previews/{sheet.pk}.png").status_code == 404
