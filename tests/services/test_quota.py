"""The quota: what the files of one name take up, and what is refused over it."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from hub.catalog import storage
from hub.errors import TooLarge
from hub.models import Embedding, Owner, Version
from hub.services.pushing import pushing
from hub.services.pushing.pushed_files import Added
from hub.services.upkeep import quota
from hub.services.versions import drafting, previews, publishing
from tests import factories, samples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
FIELDS = {"trigger": "moss-dragon", "licence": "cc0-1.0"}


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Embedding:
    """An embedding whose owner has no room left."""
    embedding = factories.published()
    monkeypatch.setattr(storage, "most", lambda: storage.used(embedding.owner))
    return embedding


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    path = tmp_path / "moss.safetensors"
    path.write_bytes(samples.canonical_file(seed=31))
    return path


def refused(call: Any, *arguments: Any, **given: Any) -> None:
    before = Version.objects.count(), Embedding.objects.count()
    with pytest.raises(TooLarge) as refusal:
        call(factories.viewer(), *arguments, **given)
    assert refusal.value.code == "quota_exceeded" and refusal.value.detail["used"] > 0
    assert (Version.objects.count(), Embedding.objects.count()) == before


def test_files_count_once_and_pictures_and_drafts_with_them(tmp_path: Path) -> None:
    embedding = factories.published()
    first = storage.used(embedding.owner)
    assert first >= sum(
        {file.blob_id: file.blob.size for file in embedding.versions.get().files.all()}.values()
    )
    picture = tmp_path / "one.png"
    picture.write_bytes(samples.picture())
    previews.add_upload(
        factories.viewer(), version=embedding.versions.get(), path=picture, filename="one.png"
    )
    second = storage.used(embedding.owner)
    assert second == first + embedding.versions.get().previews.get().blob.size
    draft = factories.draft(embedding)
    assert draft.tensors and storage.used(embedding.owner) == second + draft.tensors.size
    assert storage.used(factories.user("bob").owner) == 0


def test_whatever_would_store_more_is_refused(full: Embedding, upload: Path, tmp_path: Path) -> None:
    file = {"path": upload, "filename": "moss.safetensors", **FIELDS}
    refused(publishing.publish_file, embedding=full, **file)
    refused(publishing.publish_file, name="fern", title="Fern", kind="style", **file)
    refused(drafting.add_file, embedding=full, **file)
    refused(pushing.push, embedding=full, push=pushing.Push(added=[Added("moss.safetensors", upload)]))
    picture = tmp_path / "one.png"
    picture.write_bytes(samples.picture())
    refused(previews.add_upload, version=full.versions.get(), path=picture, filename="one.png")


def test_what_is_there_already_is_not_refused(upload: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = {"path": upload, "filename": "moss.safetensors", **FIELDS}
    made = publishing.publish_file(factories.viewer(), name="fern", title="Fern", kind="style", **file)
    monkeypatch.setattr(storage, "most", lambda: 1)
    assert publishing.publish_file(factories.viewer(), embedding=made.embedding, **file) == made


def test_an_operator_sets_another_end_or_none(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    owner: Owner = factories.user("ada").owner
    monkeypatch.setitem(settings.HUB, "HUB_QUOTA_MB", 1)
    quota.check(owner, more=1 << 20)
    with pytest.raises(TooLarge, match=r"0\.0 MiB of the 1 MiB"):
        quota.check(owner, more=(1 << 20) + 1)
    monkeypatch.setitem(settings.HUB, "HUB_QUOTA_MB", 0)
    with django_assert_num_queries(0):
        quota.check(owner, more=1 << 40)
