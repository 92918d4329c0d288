"""Pushes as the domain sees them: one transaction, the hub's facts before the card's, nothing left of a refusal."""

from pathlib import Path
from typing import Any

import pytest

from hub import blobs
from hub.errors import Conflict, Forbidden, NotFound, Unacceptable
from hub.models import AuditEntry, BaseModel, Blob, Commit, Embedding, File, SearchText, Version
from hub.services.pushing import pushed_card, pushing
from hub.services.pushing.pushed_files import Added
from hub.services.upkeep import fsck
from tests import factories, samples

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def embedding() -> Embedding:
    """One with a version."""
    return factories.published(tags=["green"], summary="Scales.")


def push(tmp_path: Path, embedding: Embedding, files: dict[str, bytes], **more: Any) -> Commit:
    """A push of these files by the owner, or by `viewer`."""
    viewer = more.pop("viewer", None) or factories.viewer()
    added = []
    for number, (path, content) in enumerate(files.items()):
        target = tmp_path / f"file-{number}"
        target.write_bytes(content)
        added.append(Added(path, target))
    return pushing.push(viewer, embedding=embedding, push=pushing.Push(added=added, **more))


def file(seed: int = 1) -> bytes:
    """An embedding file with values of its own."""
    return samples.canonical_file("tiny", vectors=2, seed=seed)


def test_one_push_is_one_commit_with_all_that_came(tmp_path: Path, embedding: Embedding) -> None:
    before = Commit.objects.count()
    files = {"a.safetensors": file(), "README.md": b"# New title\n\nText.\n", "1.png": samples.picture()}
    commit = push(tmp_path, embedding, files, message="Together")
    assert Commit.objects.count() == before + 1
    embedding.refresh_from_db()
    version = embedding.head
    assert version is not None and (version.number, embedding.title, embedding.card) == (
        2,
        "New title",
        "Text.",
    )
    assert (commit.version, commit.message) == (version, "Together")
    assert version.previews.count() == 1
    assert b"# New title" in blobs.read(str(commit.readme_id))
    assert "title" in SearchText.objects.get(embedding=embedding).word
    assert list(fsck.findings()) == []


def test_repeating_a_push_changes_nothing_even_where_its_parent_has_moved(
    tmp_path: Path, embedding: Embedding
) -> None:
    parent = embedding.commits.order_by("-sequence")[0].sha
    files = {"a.safetensors": file(), "README.md": b"# New title\n\nText.\n", "1.png": samples.picture()}
    first = push(tmp_path, embedding, files, parent=parent[:12])
    rows = [model.objects.count() for model in (Version, Commit, File, Blob, AuditEntry)]
    embedding.refresh_from_db()
    changed = embedding.updated_at
    again = push(tmp_path, embedding, files, parent=parent[:12])
    assert again == first
    assert [model.objects.count() for model in (Version, Commit, File, Blob, AuditEntry)] == rows
    embedding.refresh_from_db()
    assert embedding.updated_at == changed


def test_values_of_an_older_version_answer_its_commit(tmp_path: Path, embedding: Embedding) -> None:
    first = push(tmp_path, embedding, {"a.safetensors": file(1)})
    second = push(tmp_path, embedding, {"a.safetensors": file(2)})
    assert push(tmp_path, embedding, {"b.safetensors": file(1)}) == first != second
    embedding.refresh_from_db()
    assert embedding.head == second.version


def test_nothing_of_a_push_with_one_bad_file_stays(tmp_path: Path, embedding: Embedding) -> None:
    rows = [model.objects.count() for model in (Version, Commit, Blob, AuditEntry)]
    stored = sorted(blobs.walk())
    files = {"a.safetensors": file(), "README.md": b"# Other\n", "1.png": samples.picture(), "2.png": b"text"}
    with pytest.raises(Unacceptable, match=r"2\.png"):
        push(tmp_path, embedding, files)
    assert [model.objects.count() for model in (Version, Commit, Blob, AuditEntry)] == rows
    assert sorted(blobs.walk()) == stored


def test_a_stale_parent_undoes_the_whole_push(tmp_path: Path, embedding: Embedding) -> None:
    old = embedding.commits.order_by("-sequence")[0].sha
    push(tmp_path, embedding, {"README.md": b"# One\n"})
    with pytest.raises(Conflict, match="has moved"):
        push(tmp_path, embedding, {"README.md": b"# Two\n"}, parent=old)
    embedding.refresh_from_db()
    assert embedding.title == "One"


def test_licence_and_word_of_a_version_are_not_changed_by_a_card(
    tmp_path: Path, embedding: Embedding
) -> None:
    push(tmp_path, embedding, {"README.md": b"---\nlicense: mit\ntrigger: other-word\n---\n# Moss Dragon\n"})
    embedding.refresh_from_db()
    assert embedding.head is not None and embedding.head.licence == "cc0-1.0"
    assert embedding.said is None
    commit = push(
        tmp_path, embedding,
        {"README.md": b"---\nlicense: mit\ntrigger: other-word\n---\n", "a.safetensors": file(3)},
    )  # fmt: skip
    assert commit.version is not None
    assert (commit.version.licence, commit.version.trigger) == ("mit", "other-word")


def test_the_base_model_of_a_card_is_taken_where_it_is_known_and_fits(tmp_path: Path) -> None:
    embedding = factories.embedding(kind="style")
    sd1 = samples.canonical_file("sd1", vectors=1, seed=3)
    card = "---\nlicense: mit\nbase_model:\n- nobody/knows\n- {}\n---\n"
    wrong = card.format("stabilityai/stable-diffusion-xl-base-1.0").encode()
    with pytest.raises(Unacceptable, match="family"):
        push(tmp_path, embedding, {"README.md": wrong, "a.safetensors": sd1})
    right = card.format("runwayml/stable-diffusion-v1-5").encode()
    commit = push(tmp_path, embedding, {"README.md": right, "a.safetensors": sd1})
    assert commit.version is not None and commit.version.base_model == BaseModel.objects.get()
    second = push(tmp_path, embedding, {"a.safetensors": samples.canonical_file("sd1", vectors=1, seed=4)})
    assert second.version is not None and second.version.base_model == commit.version.base_model


def test_other_fields_of_a_card_come_through_the_database_as_they_were(tmp_path: Path) -> None:
    embedding = factories.embedding()
    card = "---\nlicense: mit\nzebra: 100000.0\na: {long-name: 1.0, b: [2.5, 0.001, x]}\nlanguage: en\n---\n# Moss\n"
    commit = push(tmp_path, embedding, {"README.md": card.encode(), "a.safetensors": file()})
    shown = blobs.read(str(commit.readme_id)).decode()
    assert 'a: {"b": [2.5, 0.001, "x"], "long-name": 1}\nlanguage: "en"\nzebra: 100000\n' in shown
    assert push(tmp_path, embedding, {"README.md": card.encode()}) == commit


def test_what_a_card_says_waits_for_the_first_version(tmp_path: Path) -> None:
    embedding = factories.embedding(kind="")
    card = "---\nlicense: mit\nkind: object\ntrigger: moss-word\nbase_model: runwayml/stable-diffusion-v1-5\n---\n"
    shown = push(tmp_path, embedding, {"README.md": card.encode()})
    assert b"license" in blobs.read(str(shown.readme_id)) and b"base_model" not in blobs.read(
        str(shown.readme_id)
    )
    commit = push(tmp_path, embedding, {"a.safetensors": samples.canonical_file("sd1", vectors=1, seed=3)})
    version = commit.version
    assert version is not None and version.base_model is not None
    assert (version.licence, version.trigger, version.base_model.name) == ("mit", "moss-word", "sd-1-5")
    other = push(tmp_path, embedding, {"README.md": card.replace("moss-word", "fog-word").encode()})
    assert other == commit


def test_the_hubs_own_lines_are_not_taken_for_the_owners(tmp_path: Path, embedding: Embedding) -> None:
    readme = blobs.read(str(embedding.commits.order_by("-sequence")[0].readme_id)).decode()
    path = tmp_path / "README.md"
    path.write_text(readme.replace("Scales.", "Scales and fog.") + "\nUse it sparingly.\n")
    card = pushed_card.read(embedding, path)
    assert card.change.fields == {
        "title": "Moss Dragon", "summary": "Scales and fog.", "card": "Use it sparingly.", "kind": "style",
    }  # fmt: skip
    assert card.change.slugs == ["green"]
    assert card.trigger == "moss-dragon"


def test_tags_of_other_shapes_are_left_out(tmp_path: Path, embedding: Embedding) -> None:
    tags = [
        "Good One",
        "template:sd-lora",
        "textual_inversion",
        "stable-diffusion",
        *(f"t{n}" for n in range(20)),
    ]
    push(tmp_path, embedding, {"README.md": f"---\ntags: {tags}\n---\n".encode()})
    slugs = set(embedding.tags.values_list("slug", flat=True))
    assert "good-one" in slugs and len(slugs) == 12
    assert not {"textual-inversion", "stable-diffusion"} & slugs


def test_files_that_hold_the_same_or_a_part_are_one_version(tmp_path: Path, embedding: Embedding) -> None:
    files = {"a.safetensors": file(5), "copy/b.safetensors": file(5)}
    assert push(tmp_path, embedding, files).version.number == 2  # type: ignore[union-attr]
    with pytest.raises(Unacceptable, match=r"a\.safetensors.*b\.safetensors|b\.safetensors.*a\.safetensors"):
        push(tmp_path, embedding, {"a.safetensors": file(6), "b.safetensors": file(7)})
    with pytest.raises(Unacceptable, match="one version"):
        push(tmp_path, embedding, {f"{number}.safetensors": file(number) for number in range(10, 15)})


def test_pictures_need_a_version_and_have_room_for_eight(tmp_path: Path, embedding: Embedding) -> None:
    new = factories.embedding(name="fern")
    with pytest.raises(Conflict, match="with the embedding file"):
        push(tmp_path, new, {"1.png": samples.picture()})
    colours = {f"{n}.png": samples.picture(colour=f"#0000{n:02x}") for n in range(9)}
    with pytest.raises(Conflict, match="at most 8"):
        push(tmp_path, embedding, colours)
    head = embedding.commits.order_by("-sequence")[0]
    assert push(tmp_path, embedding, {"1.png": samples.picture()}) == head


def test_a_push_is_refused_to_others_and_by_scope(tmp_path: Path, embedding: Embedding) -> None:
    factories.user("otto")
    card, content = {"README.md": b"# Other\n"}, {"a.safetensors": file()}
    for viewer in (factories.viewer("otto"), factories.token_viewer(scopes=["read", "manage"])):
        with pytest.raises(Forbidden):
            push(tmp_path, embedding, content, viewer=viewer)
    publisher = factories.token_viewer(scopes=["publish"])
    with pytest.raises(Forbidden, match="manage"):
        push(tmp_path, embedding, card, viewer=publisher)
    assert push(tmp_path, embedding, content, viewer=publisher).version is not None
    new = factories.embedding(name="fern")
    push(tmp_path, new, card, viewer=publisher)
    new.refresh_from_db()
    assert new.title == "Other", "before the first version, to describe it is a part of making it"


def test_a_deleted_embedding_takes_no_push(tmp_path: Path) -> None:
    embedding = factories.embedding()
    Embedding.objects.filter(pk=embedding.pk).update(deleted_at=embedding.created_at)
    with pytest.raises(NotFound):
        push(tmp_path, embedding, {"README.md": b"# Other\n"})


def test_control_characters_in_a_message_are_refused(tmp_path: Path, embedding: Embedding) -> None:
    with pytest.raises(Unacceptable):
        push(tmp_path, embedding, {"README.md": b"# Other\n"}, message="a\x1bb")
