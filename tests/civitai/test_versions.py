"""One version: by its number, by every digest of its file in either case of letters, and many at once."""

import json
from typing import Any

import pytest
from blake3 import blake3
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub import blobs
from hub.formats.digests import digests_of
from hub.models import Digest, Embedding, Version
from hub.services.versions import publishing
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
BY_HASH = f"{shelf.API}/model-versions/by-hash"


@pytest.fixture
def version() -> Version:
    """A public embedding's first version."""
    return shelf.published()


def main_file(version: Version) -> bytes:
    """The bytes that this door hands out."""
    return blobs.read(version.files.get(layout="canonical").blob_id)


def by_hash(client: Client, digest: str) -> Any:
    return client.get(f"{BY_HASH}/{digest}")


def post(client: Client, path: str, body: Any) -> Any:
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(BY_HASH + path, text, content_type="application/json")


def test_a_version_says_all_of_itself_and_of_its_one_file(client: Client, version: Version) -> None:
    data = main_file(version)
    record = shelf.get(client, f"/model-versions/{version.pk}")
    assert (record["id"], record["modelId"], record["name"]) == (version.pk, version.embedding_id, "v1")
    assert record["air"] == f"urn:air:sd1:embedding:glossa:{version.embedding_id}@{version.pk}"
    assert record["model"] == {
        "name": "Moss Glow", "type": "TextualInversion", "nsfw": False, "poi": False
    }  # fmt: skip
    assert (record["status"], record["uploadType"], record["usageControl"]) == (
        "Published", "Created", "Download"
    )  # fmt: skip
    (file,) = record["files"]
    assert (file["name"], file["type"], file["primary"]) == ("moss-glow.safetensors", "Model", True)
    assert file["sizeKB"] * 1024 == len(data)
    assert file["metadata"] == {"format": "SafeTensor", "fp": "fp32"}
    assert file["downloadUrl"] == record["downloadUrl"]
    assert "yankedReason" not in record


def test_hashes_are_those_of_the_bytes_in_capitals(client: Client, version: Version) -> None:
    data = main_file(version)
    hashes = shelf.get(client, f"/model-versions/{version.pk}")["files"][0]["hashes"]
    own = digests_of(data)
    assert hashes["SHA256"] == own["sha256"].upper()
    assert hashes["AutoV2"] == hashes["SHA256"][:10]
    assert hashes["AutoV3"] == own["autov3"].upper()
    assert hashes["BLAKE3"] == blake3(data).hexdigest().upper()
    assert bytes.fromhex(hashes["CRC32"])[::-1].hex() == own["crc32"]
    assert "AutoV1" not in hashes


def test_a_negative_word_has_its_one_file_of_the_type_model_too(client: Client) -> None:
    version = shelf.published(kind="negative")
    (file,) = shelf.get(client, f"/model-versions/{version.pk}")["files"]
    assert (file["type"], file["name"]) == ("Model", "moss-glow.safetensors")


def test_mini_is_enough_to_download(client: Client, version: Version) -> None:
    record = shelf.get(client, f"/model-versions/mini/{version.pk}")
    whole = shelf.get(client, f"/model-versions/{version.pk}")
    assert record["downloadUrls"] == [whole["downloadUrl"]]
    assert record["hashes"] == whole["files"][0]["hashes"]
    assert (record["requireAuth"], record["checkPermission"], record["format"]) == (
        False, False, "SafeTensor"
    )  # fmt: skip
    file = whole["files"][0]["id"]
    shelf.get(client, f"/model-versions/mini/{version.pk}", {"modelFileId": file})
    assert (
        client.get(f"{shelf.API}/model-versions/mini/{version.pk}?modelFileId={file + 1}").status_code == 404
    )


@pytest.mark.parametrize("kind", ["SHA256", "AutoV2", "AutoV3", "BLAKE3", "CRC32"])
def test_each_hash_that_is_told_finds_the_version(client: Client, version: Version, kind: str) -> None:
    shelf.published("otto", "ink-wash")
    record = shelf.get(client, f"/model-versions/{version.pk}")
    digest = record["files"][0]["hashes"][kind]
    for spelling in (digest, digest.lower()):
        assert by_hash(client, spelling).json() == record


@pytest.mark.parametrize("digits", [10, 12, 40])
def test_the_beginning_of_a_sha256_is_enough(client: Client, version: Version, digits: int) -> None:
    digest = version.files.get(layout="canonical").blob_id
    assert by_hash(client, digest[:digits]).json()["id"] == version.pk
    assert by_hash(client, digest[:9]).status_code == 404


def test_a_beginning_that_two_files_share_names_neither_of_them(client: Client, version: Version) -> None:
    digest = version.files.get(layout="canonical").blob_id
    twin = digest[:20] + "0" * 44
    other = factories.draft(factories.embedding("otto", "ink-wash"), trigger="ink-wash")
    Digest.objects.create(version=other, path="twin", kind="sha256", value=twin)
    publishing.publish(factories.viewer("otto"), version=other)
    assert by_hash(client, digest[:12]).status_code == 404
    assert by_hash(client, digest).json()["id"] == version.pk
    assert by_hash(client, twin).json()["id"] == other.pk


def test_the_upload_and_the_file_for_diffusers_name_the_version_too(client: Client, version: Version) -> None:
    for digest in (version.source_sha256, version.files.get(layout="diffusers").blob_id):
        assert by_hash(client, digest).json()["id"] == version.pk


@pytest.mark.parametrize("digest", ["0" * 64, "0" * 10, "short", "g" * 64, "ids2", "%00"])
def test_an_unknown_hash_and_what_is_none_are_not_found(
    client: Client, version: Version, digest: str
) -> None:
    response = by_hash(client, digest)
    assert (response.status_code, response.json()["error"]) == (404, "Model not found")


def test_of_versions_with_the_same_bytes_the_earliest_is_given(client: Client) -> None:
    data = factories.ingested(family="sd1")
    first = shelf.published(ingested=data)
    shelf.published("otto", "moss-glow", ingested=data)
    digest = first.source_sha256
    assert by_hash(client, digest).json()["id"] == first.pk
    assert [record["id"] for record in post(client, "", [digest]).json()] == [first.pk]


def test_many_hashes_at_once_give_whole_versions_or_numbers(client: Client, version: Version) -> None:
    other = shelf.published("otto", "ink-wash")
    digests = [one.files.get(layout="canonical").blob_id for one in (version, other)]
    asked = [digests[0], digests[1].upper(), "0" * 64, digests[0].upper()]
    records = post(client, "", asked).json()
    assert records == [shelf.get(client, f"/model-versions/{one.pk}") for one in (version, other)]
    numbers = post(client, "/ids", asked).json()
    assert sorted(numbers, key=lambda one: one["modelVersionId"]) == [
        {"modelVersionId": one.pk, "modelId": one.embedding_id, "hash": digest.upper()}
        for one, digest in zip((version, other), digests, strict=True)
    ]
    assert post(client, "", []).json() == post(client, "/ids", []).json() == []


@pytest.mark.parametrize(
    "body", ["", "{", "{}", "5", "null", [5], ["x"], ["0" * 63], ["0" * 64, "g" * 64], "[" * 9000]
)
@pytest.mark.parametrize("path", ["", "/ids"])
def test_a_body_that_is_no_list_of_sha256_is_refused(client: Client, path: str, body: Any) -> None:
    response = post(client, path, body)
    assert response.status_code == 400
    assert response.json()["error"]["name"] == "ZodError"


def test_there_is_a_limit_to_how_many_hashes_are_asked_at_once(client: Client, version: Version) -> None:
    digests = [f"{number:064x}" for number in range(10_001)]
    assert post(client, "", digests[:101]).status_code == 400
    assert post(client, "/ids", digests).status_code == 400
    digests[7] = version.source_sha256
    assert len(post(client, "", digests[:100]).json()) == 1
    assert len(post(client, "/ids", digests[:10_000]).json()) == 1


def test_asking_for_many_needs_no_csrf_proof(version: Version) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert post(strict, "/ids", [version.source_sha256]).status_code == 200


def test_a_yanked_version_is_found_by_number_and_hash_and_says_why(client: Client, version: Version) -> None:
    shelf.next_version(version)
    publishing.yank(factories.viewer("mara"), version=version, reason="Wrong pictures.")
    record = shelf.get(client, f"/model-versions/{version.pk}")
    assert record["yankedReason"] == "Wrong pictures."
    assert len(record["files"]) == 1
    assert by_hash(client, version.source_sha256).json() == record


def test_pulls_are_counted_by_version(client: Client, version: Version) -> None:
    from hub.services.upkeep import counting

    other = shelf.next_version(version)
    file = version.files.get(layout="canonical").pk
    for day in ("2026-01-01", "2026-01-01", "2026-01-02"):
        counting.count_download(file_id=file, day=day)
    pulls = {
        one.pk: shelf.get(client, f"/model-versions/{one.pk}")["stats"]["downloadCount"]
        for one in (version, other)
    }
    assert pulls == {version.pk: 3, other.pk: 0}
    assert shelf.get(client, f"/models/{version.embedding_id}")["stats"]["downloadCount"] == 3


@pytest.mark.parametrize(
    "address",
    [
        "/models/{model}",
        "/model-versions/{id}",
        "/model-versions/mini/{id}",
        "/model-versions/{id}/sidecars",
        "/model-versions/by-hash/{hash}",
    ],
)
def test_one_thing_costs_a_fixed_number_of_queries(
    client: Client, tmp_path: Any, django_assert_max_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    version = shelf.drawn(shelf.published(tags=["a", "b"]), tmp_path, columns=4)
    for _ in range(3):
        shelf.next_version(version)
    names = {"model": version.embedding_id, "id": version.pk, "hash": version.source_sha256}
    with django_assert_max_num_queries(9):
        shelf.get(client, address.format(**names))


@pytest.mark.parametrize(
    "address", ["/model-versions/{id}", "/model-versions/mini/{id}", "/model-versions/by-hash/{hash}"]
)
def test_what_is_known_of_a_version_is_not_asked_again(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, address: str
) -> None:
    version = shelf.published()
    where = address.format(id=version.pk, hash=version.files.get(layout="canonical").blob_id)
    first = shelf.get(client, where)
    with django_assert_num_queries(1):
        assert shelf.get(client, where) == first


def test_what_is_known_of_a_version_opens_it_to_nobody(client: Client) -> None:
    version = shelf.published()
    where = f"{shelf.API}/model-versions/{version.pk}"
    assert client.get(where).status_code == 200
    Embedding.objects.filter(pk=version.embedding_id).update(visibility="private")
    assert client.get(where).status_code == 404


def test_many_hashes_cost_a_fixed_number_of_queries(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    versions = [shelf.published(name=f"word-{letter}") for letter in "abcd"]
    digests = [version.source_sha256 for version in versions]
    with django_assert_max_num_queries(8):
        assert len(post(client, "", digests).json()) == 4
    with django_assert_max_num_queries(2):
        assert len(post(client, "/ids", digests).json()) == 4
