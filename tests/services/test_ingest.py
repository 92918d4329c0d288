"""The one way in: what a stranger's bytes become, and how they are refused."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from hub import blobs
from hub.errors import TooLarge, UnacceptableFile
from hub.formats import FormatError, tensor_digest
from hub.models import Blob
from hub.services.versions import ingest
from tests import factories, samples

pytestmark = pytest.mark.django_db


def written(folder: Path, data: bytes) -> Path:
    """These bytes as an upload."""
    path = folder / "upload"
    path.write_bytes(data)
    return path


def test_an_embedding_comes_back_with_facts_and_our_own_file_and_is_not_stored(tmp_path: Path) -> None:
    data = samples.embedding_file("sd1", vectors=3, dtype="F16")
    ingested = ingest.embedding(
        factories.viewer(), path=written(tmp_path, data), filename="Moss Dragon.safetensors"
    )
    assert ingested.source_sha256 == hashlib.sha256(data).hexdigest()
    assert ingested.facts["family"] == "sd1" and ingested.facts["encoders"][0]["dtype"] == "F16"
    assert ingested.data.vectors == 3
    assert ingested.tensor_digest == tensor_digest(ingested.data.tensors)
    assert not Blob.objects.exists()


def test_a_refusal_names_its_rule_and_its_field(tmp_path: Path) -> None:
    with pytest.raises(UnacceptableFile) as refusal:
        ingest.embedding(
            factories.viewer(), path=written(tmp_path, samples.lora_file()), filename="x.safetensors"
        )
    assert refusal.value.field == "file" and refusal.value.detail["rule"]
    assert "LoRA" in refusal.value.message


def test_limits_are_those_of_the_settings(tmp_path: Path, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_MAX_UPLOAD_MB": 0, "HUB_MAX_PICTURE_MB": 0}
    path = written(tmp_path, samples.embedding_file())
    with pytest.raises((TooLarge, UnacceptableFile)):
        ingest.embedding(factories.viewer(), path=path, filename="x")
    with pytest.raises(TooLarge):
        ingest.picture(
            factories.viewer(), path=written(tmp_path, samples.picture()), filename="x", max_side=64
        )
    settings.HUB = {**settings.HUB, "HUB_MAX_UPLOAD_MB": 1, "HUB_MAX_VECTORS": 1}
    with pytest.raises(UnacceptableFile):
        ingest.embedding(factories.viewer(), path=path, filename="x")


def test_a_picture_is_made_anew_and_stored_once(tmp_path: Path) -> None:
    path = written(tmp_path, samples.picture("JPEG", size=(300, 200)))
    first = ingest.picture(factories.viewer(), path=path, filename="a.jpg", max_side=128)
    second = ingest.picture(factories.viewer(), path=path, filename="b.jpg", max_side=128)
    assert first == second and Blob.objects.count() == 1
    assert (first.content_type, first.width) == ("image/webp", 128)
    assert blobs.read(first.sha256).startswith(b"RIFF")
    assert first.facts["original_width"] == 300


@pytest.mark.parametrize("data", [b"", b"text", samples.picture("GIF"), samples.picture(size=(8, 8))])
def test_what_is_no_good_picture_is_refused_and_nothing_is_stored(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UnacceptableFile):
        ingest.picture(factories.viewer(), path=written(tmp_path, data), filename="x.png", max_side=64)
    assert not Blob.objects.exists()


def test_stored_bytes_know_the_id_that_git_gives_them() -> None:
    blob = ingest.store(b"hello\n")
    assert blob.git_sha1 == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_a_picture_over_the_reader_s_limit_is_too_large_and_not_bad() -> None:
    refusal = ingest._refusal(
        factories.viewer(), "x.png", FormatError("picture_too_large", "Too big.", rule="P2")
    )
    assert isinstance(refusal, TooLarge) and refusal.kind == "too_large"
