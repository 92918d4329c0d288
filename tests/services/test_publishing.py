"""From a file to a frozen version, and everything that may not happen on the way."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub import blobs
from hub.access import ANONYMOUS, Viewer
from hub.errors import (
    Conflict,
    Forbidden,
    Full,
    HubError,
    NotFound,
    Unacceptable,
    UnacceptableFile,
    Unauthenticated,
    Unavailable,
)
from hub.formats import read
from hub.models import AuditEntry, Blob, Commit, Embedding, File, OutboxJob, Preview, Tag, User, Version
from hub.services.versions import publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(tmp_path: Path) -> Path:
    """A good embedding as it arrives."""
    path = tmp_path / "Moss Dragon.safetensors"
    path.write_bytes(samples.embedding_file("sd1", dtype="F16"))
    return path


def everything() -> dict[str, int]:
    """How many rows and blobs there are."""
    tables = (AuditEntry, Blob, Commit, Embedding, File, OutboxJob, Preview, Tag, Version)
    return {**{table.__name__: table.objects.count() for table in tables}, "stored": len(list(blobs.walk()))}


def send(viewer: Viewer, path: Path, **changes: Any) -> Version:
    """The publish form, with its usual answers."""
    form = {
        "name": "moss-dragon",
        "title": "Moss dragon",
        "kind": "style",
        "trigger": "moss-dragon",
        "licence": "cc0-1.0",
        "tags": ["Plants", "soft light"],
        **changes,
    }
    return publishing.publish_file(viewer, path=path, filename=path.name, **form)


def test_a_file_becomes_version_1_with_the_files_of_its_family(upload: Path) -> None:
    version = send(factories.viewer(), upload)
    assert (version.name, version.state, version.vectors, version.family) == ("v1", "published", 2, "sd1")
    assert {file.path: file.layout for file in version.files.all()} == {
        "moss-dragon.safetensors": "canonical",
        "learned_embeds.safetensors": "diffusers",
    }
    assert version.embedding.head == version
    assert version.source_sha256 == hashlib.sha256(upload.read_bytes()).hexdigest()
    assert sorted(version.embedding.tags.values_list("slug", flat=True)) == ["plants", "soft-light"]


def test_the_canonical_file_carries_the_facts_that_were_frozen_with_it(upload: Path) -> None:
    version = send(factories.viewer(), upload, summary="Moss on everything.")
    data = read(blobs.read(version.files.get(layout="canonical").blob_id), filename="x")
    assert data.metadata["modelspec.trigger_phrase"] == "moss-dragon"
    assert data.metadata["modelspec.title"] == "Moss dragon"
    assert data.metadata["modelspec.author"] == "ada"
    assert data.metadata["modelspec.license"] == "cc0-1.0"
    assert data.metadata["modelspec.is_negative_embedding"] == "false"
    assert data.metadata["glossa.entry"] == "ada/moss-dragon@v1"
    assert data.metadata["glossa.kind"] == "style"
    assert data.metadata["glossa.family"] == "sd1"
    assert data.metadata["glossa.source_dtype"] == "F16"


def test_what_an_upload_says_of_its_making_is_kept_as_a_claim(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    said = {"glossa.provenance": json.dumps({"seed": 7}), "glossa.entry": "eve/other@v9"}
    path.write_bytes(samples.embedding_file("tiny", metadata=said))
    version = send(factories.viewer(), path)
    assert version.provenance == {"seed": 7, "claimed": True}
    data = read(blobs.read(version.files.get(layout="canonical").blob_id), filename="x")
    assert json.loads(data.metadata["glossa.provenance"]) == {"seed": 7, "claimed": True}
    assert data.metadata["glossa.entry"] == "ada/moss-dragon@v1"


def test_sdxl_has_a_file_for_each_of_its_encoders(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(samples.keyed_file({"clip_l": 768, "clip_g": 1280}))
    version = send(factories.viewer(), path)
    assert [file.path for file in version.files.all()] == [
        "moss-dragon.safetensors",
        "learned_embeds.safetensors",
        "learned_embeds_2.safetensors",
    ]


def test_both_stores_serve_what_was_published(upload: Path, blob_store: str) -> None:
    version = send(factories.viewer(), upload)
    for file in version.files.select_related("blob"):
        assert len(blobs.read(file.blob_id)) == file.blob.size


def test_a_store_that_is_out_leaves_no_row(upload: Path, blobs_out: None) -> None:
    viewer = factories.viewer()
    with pytest.raises(Unavailable):
        send(viewer, upload)
    assert not Embedding.objects.exists() and not Version.objects.exists() and not Blob.objects.exists()


def test_a_full_disk_leaves_nothing(upload: Path, disk_blobs: Path, settings: Any) -> None:
    viewer = factories.viewer()
    counted = everything()
    settings.HUB = {**settings.HUB, "HUB_MIN_FREE_BYTES": 1 << 60}
    with pytest.raises(Full) as refusal:
        send(viewer, upload)
    assert refusal.value.code == "storage_full" and everything() == counted


def test_a_second_version_moves_main_and_leaves_the_first_as_it_was(upload: Path, tmp_path: Path) -> None:
    first = send(factories.viewer(), upload)
    before = list(first.files.values_list("path", "blob_id"))
    other = tmp_path / "better.safetensors"
    other.write_bytes(samples.canonical_file("sd1", seed=9))
    second = send(factories.viewer(), other, name="", embedding=first.embedding, notes="Softer.")
    first.refresh_from_db()
    assert second.name == "v2" and second.notes == "Softer."
    assert first.embedding.head == second
    assert list(first.files.values_list("path", "blob_id")) == before


def test_the_same_request_again_gives_the_version_it_made(upload: Path) -> None:
    first = send(factories.viewer(), upload)
    counted = everything()
    assert send(factories.viewer(), upload) == first
    assert send(factories.viewer(), upload, name="", embedding=first.embedding) == first
    assert everything() == counted


def test_an_older_version_is_its_own_request_again_but_not_another_ones(upload: Path) -> None:
    first = send(factories.viewer(), upload)
    factories.version(first.embedding, trigger=first.trigger, notes="The second.")
    counted = everything()
    again = {"name": "", "embedding": first.embedding}
    assert send(factories.viewer(), upload, **again) == first
    for other in ({"trigger": "fern-dragon"}, {"licence": "cc-by-4.0"}, {"label": "spring"}):
        with pytest.raises(Conflict) as refusal:
            send(factories.viewer(), upload, **again, **other)
        assert refusal.value.code == "version_exists"
    assert everything() == counted


def test_the_same_values_in_another_file_are_refused_by_the_version_that_has_them(
    upload: Path, tmp_path: Path
) -> None:
    first = send(factories.viewer(), upload)
    twin = tmp_path / "twin.safetensors"
    twin.write_bytes(blobs.read(first.files.get(layout="diffusers").blob_id))
    with pytest.raises(Conflict) as refusal:
        send(factories.viewer(), twin, name="", embedding=first.embedding)
    assert refusal.value.code == "version_exists"
    assert refusal.value.detail["version"] == 1


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": "Moss Dragon"}, "field_invalid", "name"),
        ({"name": "moss--dragon"}, "field_invalid", "name"),
        ({"title": ""}, "field_invalid", None),
        ({"title": "right\u202eleft"}, "field_invalid", "title"),
        ({"title": "x" * 121}, "field_invalid", "title"),
        ({"kind": "mood"}, "field_invalid", "kind"),
        ({"visibility": "secret"}, "field_invalid", "visibility"),
        ({"trigger": "moss"}, "trigger_vocabulary", "trigger"),
        ({"trigger": "Moss Dragon"}, "trigger_illegal", "trigger"),
        ({"licence": "mine"}, "field_invalid", "licence"),
        ({"label": "v7"}, "field_invalid", "label"),
        ({"tags": ["a/b"]}, "field_invalid", "tags"),
        ({"tags": [f"tag{n}" for n in range(13)]}, "field_invalid", "tags"),
        ({"card": "x" * 65_537}, "field_invalid", "card"),
    ],
)  # fmt: skip
def test_a_refused_form_names_its_field_and_leaves_nothing(
    upload: Path, disk_blobs: Path, change: dict[str, Any], code: str, field: str | None
) -> None:
    viewer = factories.viewer()
    counted = everything()
    if field is None:
        change["name"] = ""
    with pytest.raises(Unacceptable) as refusal:
        send(viewer, upload, **change)
    assert refusal.value.code == code
    assert refusal.value.field == (field or "name")
    assert everything() == counted


@pytest.mark.parametrize("data", [b"", b"just text", samples.lora_file(), samples.picture()])
def test_a_refused_file_leaves_nothing(tmp_path: Path, disk_blobs: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    viewer = factories.viewer()
    counted = everything()
    with pytest.raises(UnacceptableFile) as refusal:
        send(viewer, path)
    assert refusal.value.detail["rule"]
    assert everything() == counted


def test_a_taken_name_and_one_that_looks_like_it_are_refused(upload: Path, tmp_path: Path) -> None:
    send(factories.viewer(), upload)
    other = tmp_path / "other.safetensors"
    other.write_bytes(samples.canonical_file(seed=5))
    counted = everything()
    with pytest.raises(Conflict) as taken:
        send(factories.viewer(), other)
    assert (taken.value.code, taken.value.field) == ("name_taken", "name")
    with pytest.raises(Conflict) as similar:
        send(factories.viewer(), other, name="m0ss.dragon")
    assert similar.value.code == "name_too_similar"
    assert everything() == counted
    assert send(factories.viewer("bob"), other).embedding.full_name == "bob/moss-dragon"


def test_a_base_model_of_another_family_is_a_mismatch(upload: Path) -> None:
    with pytest.raises(Unacceptable) as refusal:
        send(factories.viewer(), upload, base_model=factories.base_model("tiny"))
    assert refusal.value.code == "metadata_mismatch"
    assert (refusal.value.detail["claimed"], refusal.value.detail["found"]) == ("tiny", "sd1")


def test_only_the_owner_publishes(upload: Path) -> None:
    version = send(factories.viewer(), upload)
    for viewer, refusal in [
        (ANONYMOUS, Unauthenticated),
        (factories.viewer("bob"), Forbidden),
        (factories.moderator(), Forbidden),
        (factories.token_viewer(scopes=["read"]), Forbidden),
    ]:
        with pytest.raises(refusal):
            send(viewer, upload, name="", embedding=version.embedding)
    with pytest.raises(Unauthenticated):
        send(ANONYMOUS, upload)


def test_a_private_embedding_does_not_exist_for_others(upload: Path) -> None:
    version = send(factories.viewer(), upload, visibility="private")
    with pytest.raises(NotFound):
        send(factories.viewer("bob"), upload, name="", embedding=version.embedding)


def test_a_token_with_the_right_scope_publishes(upload: Path) -> None:
    viewer = factories.token_viewer(scopes=["publish"])
    assert send(viewer, upload).name == "v1"
    entry = AuditEntry.objects.get(act="publish")
    assert entry.actor == "ada" and entry.token_prefix.startswith("glossa_")


def test_a_draft_becomes_a_version_with_the_last_word_of_its_owner() -> None:
    draft = factories.draft()
    version = publishing.publish(
        factories.viewer(), version=draft, trigger="moss-wyrm", notes="First.", licence="mit"
    )
    assert (version.name, version.trigger, version.notes, version.licence) == (
        "v1",
        "moss-wyrm",
        "First.",
        "mit",
    )
    assert version.files.filter(path="moss-wyrm.safetensors").exists()


def test_publishing_twice_is_publishing_once() -> None:
    draft = factories.draft()
    version = publishing.publish(factories.viewer(), version=draft)
    counted = everything()
    assert publishing.publish(factories.viewer(), version=draft) == version
    assert everything() == counted


def test_one_run_leaves_one_draft() -> None:
    embedding = factories.embedding()
    key = "00000000-0000-4000-8000-000000000007"
    first = factories.draft(embedding, run_key=key)
    assert factories.draft(embedding, run_key=key) == first
    assert Version.objects.count() == 1


def test_a_draft_can_be_discarded_and_a_version_cannot() -> None:
    draft = factories.draft()
    publishing.discard_draft(factories.viewer(), version=draft)
    assert not Version.objects.exists()
    version = factories.version(draft.embedding)
    assert version.number == 1
    with pytest.raises(Conflict):
        publishing.discard_draft(factories.viewer(), version=version)


def test_a_published_version_waits_for_its_sheet_where_one_can_be_drawn(upload: Path) -> None:
    version = send(factories.viewer(), upload)
    assert version.sheet_state == "none" and not OutboxJob.objects.exists()
    factories.base_model("tiny")
    other = factories.version(factories.embedding(name="ring-dusk"))
    assert other.sheet_state == "waiting"
    assert OutboxJob.objects.get().args == [other.pk]


def test_checking_a_file_stores_nothing_and_knows_its_twins(upload: Path, disk_blobs: Path) -> None:
    viewer = factories.viewer()
    counted = everything()
    facts = publishing.check_file(viewer, path=upload, filename=upload.name)
    assert (facts["family"], facts["vectors"], facts["trigger"]) == ("sd1", 2, "moss-dragon")
    assert facts["existing"] == [] and everything() == counted
    send(viewer, upload, visibility="private")
    assert publishing.check_file(factories.viewer("bob"), path=upload, filename="x")["existing"] == []
    existing = publishing.check_file(viewer, path=upload, filename="x")["existing"]
    assert existing == [{"name": "ada/moss-dragon", "number": 1, "trigger": "moss-dragon"}]


def test_labels_name_one_version_each(upload: Path) -> None:
    embedding = factories.published(label="spring")
    with pytest.raises(Conflict) as refusal:
        factories.version(embedding, label="spring")
    assert refusal.value.code == "label_taken"


def test_a_text_with_one_of_our_tokens_is_refused_and_the_token_revoked(upload: Path) -> None:
    token, secret = factories.token()
    with pytest.raises(Unacceptable) as refusal:
        send(factories.viewer(), upload, card=f"Use {secret} to pull.")
    assert refusal.value.code == "secret_in_text"
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_every_refusal_says_what_to_do() -> None:
    with pytest.raises(HubError) as refusal:
        publishing.create_embedding(factories.viewer(), name="-", title="x", kind="style")
    assert re.search(r"\w+ .*\.$", refusal.value.message)
    assert User.objects.count() == 1


def test_an_embedding_read_before_somebody_else_published_gets_the_next_number(tmp_path: Path) -> None:
    embedding = factories.published()
    stale = Embedding.objects.get(pk=embedding.pk)
    factories.version(embedding)
    path = tmp_path / "x.safetensors"
    path.write_bytes(samples.canonical_file(seed=99))
    assert send(factories.viewer(), path, name="", embedding=stale).number == 3
    stale = Embedding.objects.get(pk=embedding.pk)
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    path.write_bytes(samples.canonical_file(seed=98))
    with pytest.raises(NotFound):
        send(factories.viewer(), path, name="", embedding=stale)
