"""What an owner says of an embedding, and the commits that remember every card."""

import hashlib
import json
import uuid

import pytest
from huggingface_hub import ModelCard

from hub import blobs
from hub.catalog import resolve
from hub.errors import Conflict, Forbidden, NotFound, Unacceptable
from hub.models import Commit, Embedding, SearchText
from hub.services.versions import commits, publishing
from tests import factories

pytestmark = pytest.mark.django_db


def readme(commit: Commit) -> str:
    """The card of a commit."""
    assert commit.readme_id is not None
    return blobs.read(commit.readme_id).decode()


def test_a_commit_id_is_a_digest_over_everything_that_the_commit_is() -> None:
    public_id = uuid.UUID("12345678-1234-5678-1234-567812345678")
    tree = {"b": "2" * 64, "README.md": "1" * 64}
    text = f"{public_id}\n{'a' * 40}\n3\nREADME.md\0{'1' * 64}\nb\0{'2' * 64}"
    expected = hashlib.sha256(text.encode()).hexdigest()[:40]
    assert commits.commit_id(public_id, parent="a" * 40, number=3, tree=tree) == expected
    for change in ({"parent": ""}, {"number": 4}, {"tree": {**tree, "b": "3" * 64}}):
        given = {"parent": "a" * 40, "number": 3, "tree": tree, **change}
        assert commits.commit_id(public_id, **given) != expected


def test_stored_commit_ids_can_be_computed_again_from_what_is_served() -> None:
    embedding = factories.published()
    publishing.update_details(factories.viewer(), embedding=embedding, card="More words.")
    parent = ""
    for commit in embedding.commits.order_by("sequence"):
        resolved = resolve.revision(factories.viewer(), owner="ada", name="moss-dragon", revision=commit.sha)
        tree = {file.path: file.sha256 for file in resolve.tree(resolved)}
        number = commit.version.number if commit.version else None
        assert commit.parent == parent
        assert commit.sha == commits.commit_id(embedding.public_id, parent=parent, number=number, tree=tree)
        parent = commit.sha
    assert embedding.commits.count() == 3


def test_saving_the_card_makes_a_new_commit_of_the_same_version() -> None:
    embedding = factories.published()
    pinned = embedding.commits.latest("sequence")
    publishing.update_details(factories.viewer(), embedding=embedding, card="Paints *everything* in moss.")
    main = resolve.revision(factories.viewer(), owner="ada", name="moss-dragon", revision="main").commit
    v1 = resolve.revision(factories.viewer(), owner="ada", name="moss-dragon", revision="v1").commit
    assert main.sha != pinned.sha and main.version == pinned.version
    assert v1 == pinned
    assert "Paints *everything* in moss." in readme(main)
    assert "Paints" not in readme(pinned)


def test_saving_what_is_there_already_changes_nothing() -> None:
    embedding = factories.published(tags=["moss"])
    count = embedding.commits.count()
    publishing.update_details(
        factories.viewer(), embedding=embedding, title=embedding.title, tags=["moss"], visibility="unlisted"
    )
    assert embedding.commits.count() == count


def test_the_card_reads_as_a_model_card_of_hugging_face() -> None:
    embedding = factories.published(
        title='Moss "dragon": a study',
        tags=["plants"],
        card="Made of *moss*.",
        base_model=factories.base_model(),
    )
    card = ModelCard(readme(embedding.commits.latest("sequence")))
    assert card.data.license == "cc0-1.0"
    assert card.data.library_name == "diffusers"
    assert card.data.pipeline_tag == "text-to-image"
    assert card.data.base_model == "tiny"
    assert card.data.tags == ["textual_inversion", "diffusers", "text-to-image", "plants"]
    assert card.data.get("instance_prompt") == "moss-dragon"
    glossa = card.data.get("glossa")
    assert glossa["title"] == 'Moss "dragon": a study'
    assert (glossa["version"], glossa["kind"], glossa["family"], glossa["vectors"]) == (1, "style", "tiny", 2)
    assert "Made of *moss*." in card.text


def test_before_its_first_version_an_embedding_has_a_card_alone() -> None:
    embedding = factories.embedding(card="Soon.")
    commit = embedding.commits.get()
    assert commit.version is None and "Soon." in readme(commit)
    assert "license" not in ModelCard(readme(commit)).data.to_dict()


def test_details_change_one_by_one_and_are_found_under_their_new_words() -> None:
    embedding = factories.published(title="Moss dragon", summary="Soft.")
    publishing.update_details(factories.viewer(), embedding=embedding, title="Ring dusk")
    embedding.refresh_from_db()
    assert (embedding.title, embedding.summary) == ("Ring dusk", "Soft.")
    assert "ring" in SearchText.objects.get(embedding=embedding).word


def test_only_the_owner_changes_the_card_and_only_with_the_right_scope() -> None:
    embedding = factories.published()
    for viewer in (
        factories.viewer("bob"),
        factories.moderator(),
        factories.token_viewer(scopes=["read", "publish"]),
    ):
        with pytest.raises(Forbidden):
            publishing.update_details(viewer, embedding=embedding, title="Mine")
    publishing.update_details(factories.token_viewer(scopes=["manage"]), embedding=embedding, title="Ours")


def test_a_private_embedding_is_unknown_to_who_would_change_it() -> None:
    embedding = factories.published(visibility="private")
    with pytest.raises(NotFound):
        publishing.update_details(factories.viewer("bob"), embedding=embedding, title="Mine")


@pytest.mark.parametrize(
    "change", [{"title": " "}, {"card": "\x07"}, {"tags": ["ü"]}, {"summary": "x" * 281}]
)
def test_a_refused_change_changes_nothing(change: dict[str, object]) -> None:
    embedding = factories.published()
    before = Embedding.objects.values().get(pk=embedding.pk)
    with pytest.raises(Unacceptable) as refusal:
        publishing.update_details(factories.viewer(), embedding=embedding, **{"title": "New", **change})
    assert refusal.value.field == next(iter(change))
    assert Embedding.objects.values().get(pk=embedding.pk) == before


def test_a_name_can_be_asked_for_before_anything_is_stored() -> None:
    factories.embedding(name="moss-dragon")
    publishing.check_name_free(factories.viewer(), name="ring-dusk")
    publishing.check_name_free(factories.viewer(), name="moss-dragon", reuse_unpublished=True)
    with pytest.raises(Conflict):
        publishing.check_name_free(factories.viewer(), name="moss-dragon")
    factories.version(Embedding.objects.get())
    with pytest.raises(Conflict):
        publishing.check_name_free(factories.viewer(), name="moss-dragon", reuse_unpublished=True)


def test_the_front_matter_is_plain_json_text_in_yaml() -> None:
    embedding = factories.published(title="a: b # c", card="---\nkey: trick")
    head = readme(embedding.commits.latest("sequence")).split("---")[1]
    assert f"  title: {json.dumps('a: b # c')}\n" in head
    assert "trick" not in head
