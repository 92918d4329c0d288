"""A version is found by every digest of its files, of its upload and of its values, in any spelling."""

import pytest

from hub import blobs
from hub.access import ANONYMOUS
from hub.catalog import hashes
from hub.errors import Invalid
from hub.formats.digests import civitai_crc32, digests_of
from hub.models import Version
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> Version:
    return Version.objects.get(embedding=factories.published(family="sd1"))


def found(digest: str) -> list[Version]:
    return list(hashes.versions(ANONYMOUS, digest))


@pytest.mark.parametrize("path", ["moss-dragon.safetensors", "learned_embeds.safetensors"])
@pytest.mark.parametrize("kind", ["sha256", "autov2", "autov3", "webui", "blake3", "crc32"])
def test_a_file_is_found_by_each_of_its_digests(version: Version, path: str, kind: str) -> None:
    factories.published(name="ink-fox", family="sd1")
    digest = digests_of(blobs.read(version.files.get(path=path).blob_id))[kind]
    assert version in found(digest)
    assert version in found(f" {digest.upper()} ")


def test_a_crc_is_found_in_either_order_of_bytes(version: Version) -> None:
    crc = version.digests.get(path="learned_embeds.safetensors", kind="crc32").value
    assert found(crc) == found(civitai_crc32(crc)) == [version]


def test_upload_and_values_name_the_version_too(version: Version) -> None:
    assert found(version.source_sha256) == [version]
    assert found(version.tensor_digest) == [version]
    assert found("0" * 64) == []


def test_what_the_viewer_may_not_see_is_not_found_by_its_digest(version: Version) -> None:
    publishing.update_details(factories.viewer(), embedding=version.embedding, visibility="private")
    assert found(version.source_sha256) == []
    assert list(hashes.versions(factories.viewer(), version.source_sha256)) == [version]


def test_a_yanked_version_is_still_found(version: Version) -> None:
    publishing.yank(factories.viewer(), version=version, reason="better one coming")
    assert found(version.source_sha256) == [version]


@pytest.mark.parametrize("text", ["", "short", "g" * 64, "0" * 65, "0" * 7, "%" * 10])
def test_what_is_no_digest_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        hashes.versions(ANONYMOUS, text)
    assert refusal.value.code == "malformed_digest"
