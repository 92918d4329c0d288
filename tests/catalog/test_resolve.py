"""`owner/name@revision/path`: what each kind of revision means, to whom, and for how long."""

import hashlib

import pytest

from hub import blobs
from hub.access import ANONYMOUS
from hub.catalog import resolve
from hub.errors import HubError, NotFound
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db

ADDRESS = {"owner": "ada", "name": "moss-dragon"}


def code(revision: str, viewer: object = ANONYMOUS, **address: str) -> str:
    """How this revision is refused."""
    with pytest.raises(HubError) as error:
        resolve.revision(viewer, **{**ADDRESS, **address}, revision=revision)
    return error.value.code


def test_main_number_label_and_commit_id_mean_one_commit() -> None:
    embedding = factories.published(label="spring")
    commit = embedding.versions.get().commits.get()
    for revision in ("main", "v1", "spring", commit.sha, commit.sha[:7], commit.sha[:20]):
        found = resolve.revision(ANONYMOUS, **ADDRESS, revision=revision)
        assert (found.commit, found.version.number) == (commit, 1)
        assert found.is_immutable == (revision == commit.sha)


def test_names_are_looked_up_ignoring_case() -> None:
    embedding = factories.published()
    assert resolve.embedding(ANONYMOUS, owner="Ada", name="Moss-Dragon") == embedding


@pytest.mark.parametrize(
    "revision", ["v2", "v0", "v01", "f" * 40, "abcdef", "", "Main", "refs/pr/1", "v1 ", "0"]
)
def test_other_revisions_do_not_exist(revision: str) -> None:
    factories.published()
    assert code(revision) == "revision_not_found"


def test_hidden_and_absent_embeddings_are_the_same_to_a_stranger() -> None:
    factories.published(visibility="private")
    refusals = []
    for name in ("moss-dragon", "never-was"):
        with pytest.raises(NotFound) as error:
            resolve.revision(factories.viewer("bob"), owner="ada", name=name, revision="main")
        refusals.append((error.value.code, error.value.message, error.value.detail))
    assert refusals[0] == refusals[1] and refusals[0][0] == "repo_not_found"
    reader = factories.token_viewer(scopes=["read"])
    assert resolve.revision(reader, **ADDRESS, revision="main").version.number == 1
    assert code("main", factories.token_viewer(scopes=["publish"])) == "repo_not_found"


def test_before_the_first_version_the_owner_alone_resolves_the_card() -> None:
    embedding = factories.embedding()
    first = embedding.commits.get().sha
    assert resolve.revision(factories.viewer(), **ADDRESS, revision="main").commit.sha == first
    assert code("main") == "repo_not_found"
    factories.version(embedding)
    assert code(first) == "revision_not_found"
    assert resolve.revision(factories.viewer(), **ADDRESS, revision=first).version is None


def test_a_commit_of_another_embedding_is_not_found() -> None:
    factories.published()
    other = factories.published(name="ring-dusk")
    assert code(other.commits.latest("sequence").sha) == "revision_not_found"


def test_the_tree_lists_true_sizes_and_digests() -> None:
    factories.published()
    files = resolve.tree(resolve.revision(ANONYMOUS, **ADDRESS, revision="main"))
    assert [(file.path, file.layout, file.is_primary) for file in files] == [
        ("README.md", "", False),
        ("learned_embeds.safetensors", "diffusers", False),
        ("moss-dragon.safetensors", "canonical", True),
    ]
    for file in files:
        data = blobs.read(file.sha256)
        assert file.size == len(data)
        git = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False)
        assert file.git_sha1 == git.hexdigest()


def test_a_file_is_found_by_its_path() -> None:
    embedding = factories.published()
    commit = embedding.versions.get().commits.get()
    file = resolve.file(ANONYMOUS, **ADDRESS, revision="main", path="moss-dragon.safetensors")
    assert (file.commit, file.is_public, file.is_immutable) == (commit, True, False)
    assert file.content_type == "application/octet-stream" and file.file_id
    readme = resolve.file(ANONYMOUS, **ADDRESS, revision=commit.sha, path="README.md")
    assert readme.is_immutable and readme.file_id is None
    for path in ("missing.bin", "../README.md", "", "README.MD"):
        with pytest.raises(NotFound) as error:
            resolve.file(ANONYMOUS, **ADDRESS, revision="main", path=path)
        assert error.value.code == "entry_not_found"


def test_files_of_private_embeddings_are_never_public() -> None:
    factories.published(visibility="private")
    file = resolve.file(factories.viewer(), **ADDRESS, revision="v1", path="README.md")
    assert not file.is_public
    publishing.update_details(factories.viewer(), embedding=file.embedding, visibility="unlisted")
    assert resolve.file(ANONYMOUS, **ADDRESS, revision="v1", path="README.md").is_public


def test_the_pin_of_a_first_version_gives_its_bytes_for_ever() -> None:
    embedding = factories.published()
    pin = embedding.commits.latest("sequence").sha
    path = "learned_embeds.safetensors"
    before = resolve.file(ANONYMOUS, **ADDRESS, revision=pin, path=path).sha256
    factories.version(embedding)
    publishing.update_details(factories.viewer(), embedding=embedding, card="New words.", title="New title")
    publishing.yank(factories.viewer(), version=embedding.versions.get(number=1), reason="Old.")
    assert resolve.file(ANONYMOUS, **ADDRESS, revision=pin, path=path).sha256 == before
    assert resolve.file(ANONYMOUS, **ADDRESS, revision="main", path=path).sha256 != before
