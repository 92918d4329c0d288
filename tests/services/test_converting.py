"""A version in any layout: made from what is frozen, once, and counted and hidden like the version itself."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from hub import blobs
from hub.access import ANONYMOUS
from hub.errors import Full, Invalid, NotFound, Unavailable
from hub.formats import LAYOUTS, read, tensor_digest
from hub.models import Conversion, Digest, Embedding, Version
from hub.services.upkeep import gc
from hub.services.versions import converting, publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db


def published(family: str = "sd1", **fields: Any) -> Version:
    embedding = factories.published(family=family, **fields)
    return Version.objects.select_related("embedding__owner").get(embedding=embedding)


def content(file: converting.ConvertedFile) -> bytes:
    return blobs.read(file.sha256) if file.data is None else file.data


def test_a_layout_is_made_once_and_found_again() -> None:
    version = published()
    first = converting.file_in(ANONYMOUS, version=version, layout="webui-image")
    again = converting.file_in(ANONYMOUS, version=version, layout="webui-image")
    assert first == again
    assert (first.path, first.content_type) == ("moss-dragon.png", "image/png")
    kept = Conversion.objects.get()
    canonical = version.files.get(layout="canonical")
    assert (kept.version, kept.source, kept.blob_id) == (version, canonical.blob_id, first.sha256)
    assert hashlib.sha256(content(first)).hexdigest() == first.sha256
    assert len(content(first)) == first.size


@pytest.mark.parametrize("layout", ["canonical", "diffusers", "onetrainer", "webui-image"])
def test_every_served_layout_holds_the_values_of_the_version(layout: str) -> None:
    version = published()
    file = converting.file_in(ANONYMOUS, version=version, layout=layout)
    data = read(content(file), filename=file.path)
    assert tensor_digest(data.tensors) == version.tensor_digest
    assert data.trigger == version.trigger


def test_a_stored_layout_is_the_file_of_the_version() -> None:
    version = published()
    file = converting.file_in(ANONYMOUS, version=version, layout="canonical")
    assert file.sha256 == version.files.get(layout="canonical").blob_id
    assert not Conversion.objects.exists()


@pytest.mark.parametrize("layout", ["webui-pt"])
def test_a_pickle_is_not_handed_out(layout: str) -> None:
    with pytest.raises(Invalid) as refusal:
        converting.file_in(ANONYMOUS, version=published(), layout=layout)
    assert refusal.value.code == "layout_not_served"
    assert refusal.value.detail["offered"] == ["canonical", "diffusers", "onetrainer", "webui-image"]


@pytest.mark.parametrize("layout", ["", "diffusers-2", "webui", "../canonical", "x" * 500])
def test_a_layout_that_the_family_does_not_have_is_refused_with_those_it_has(layout: str) -> None:
    with pytest.raises(Invalid) as refusal:
        converting.file_in(ANONYMOUS, version=published(), layout=layout)
    assert refusal.value.code == "unknown_layout"
    assert "canonical, diffusers, onetrainer, webui-image" in refusal.value.message


def test_who_may_not_see_the_version_gets_no_layout_of_it() -> None:
    version = published(visibility="private")
    with pytest.raises(NotFound):
        converting.file_in(ANONYMOUS, version=version, layout="onetrainer")
    own = converting.file_in(factories.viewer(), version=version, layout="onetrainer")
    assert not own.is_public


def test_a_draft_has_no_layouts_yet() -> None:
    with pytest.raises(NotFound):
        converting.file_in(factories.viewer(), version=factories.draft(), layout="onetrainer")


def test_a_full_disk_does_not_stop_a_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    version = published()

    def no_room(*_: object, **__: object) -> None:
        raise Full("no_space", "full")

    monkeypatch.setattr(blobs, "put", no_room)
    file = converting.file_in(ANONYMOUS, version=version, layout="onetrainer")
    assert file.data is not None
    assert hashlib.sha256(file.data).hexdigest() == file.sha256
    assert not Conversion.objects.exists()


def test_missing_bytes_are_said_to_be_missing() -> None:
    version = published()
    blobs.delete(version.files.get(layout="canonical").blob_id)
    with pytest.raises(Unavailable) as refusal:
        converting.file_in(ANONYMOUS, version=version, layout="onetrainer")
    assert refusal.value.code == "blob_missing"


def test_what_was_made_on_request_goes_with_its_version() -> None:
    version = published()
    file = converting.file_in(ANONYMOUS, version=version, layout="onetrainer")
    assert gc.collect(grace_hours=0).removed >= 0
    assert blobs.exists(file.sha256)
    publishing.delete_version(factories.viewer(), version=version)
    gc.release(Version.objects.select_related("embedding").get(pk=version.pk))
    gc.collect(grace_hours=0)
    assert not Conversion.objects.exists()
    assert not blobs.exists(file.sha256)


def test_no_layout_that_doors_hand_out_is_a_pickle() -> None:
    version = published()
    for layout in LAYOUTS.values():
        if layout.is_served and version.family in layout.families:
            data = content(converting.file_in(ANONYMOUS, version=version, layout=layout.id))
            assert data[8:10] == b'{"' or data.startswith(b"\x89PNG")


def test_every_name_of_the_upload_and_of_every_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "Moss Dragon.safetensors"
    path.write_bytes(samples.embedding_file("sd1", dtype="F16"))
    version = publishing.publish_file(
        factories.viewer(), path=path, filename=path.name, name="moss-dragon", title="Moss", kind="style",
        trigger="moss-dragon", licence="cc0-1.0",
    )  # fmt: skip
    upload = dict(Digest.objects.filter(version=version, path="").values_list("kind", "value"))
    assert set(upload) == {"sha256", "autov3", "blake3", "crc32"}
    assert upload["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() == version.source_sha256
    for file in version.files.all():
        kept = Digest.objects.get(version=version, path=file.path, kind="sha256")
        assert kept.value == file.blob_id
    assert Embedding.objects.get().head == version
