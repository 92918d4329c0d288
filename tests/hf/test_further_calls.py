"""Calls beyond the table of the protocol: file system, the whole command line, likes, and what is elsewhere only."""

from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from hub.models import Embedding, Like, Version
from hub.services.embeddings import sharing
from tests import factories
from tests.hf import shelf
from tests.hf.conftest import Ask, Hf, not_with_the_old_client

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]
NAME = "mara/moss-glow"


@pytest.fixture
def version() -> Version:
    """The first version of mara/moss-glow, with a label."""
    return factories.published("mara", "moss-glow", label="bright").versions.get()


def test_the_file_system_lists_globs_and_reads_at_any_revision(ask: Ask, version: Version) -> None:
    answer = ask(
        """
    from huggingface_hub import HfFileSystem
    fs = HfFileSystem()
    name = "mara/moss-glow"
    with fs.open(name + "/learned_embeds.safetensors") as file:
        file.seek(8)
        middle = file.read(1).decode()
    answer = [sorted(fs.ls(name, detail=False)), fs.glob(name + "@bright/learned*"), middle,
        fs.read_text(name + "/README.md")[:4], fs.exists(name + "/nothing"), fs.isdir(name)]
    """
    )
    files = [
        f"{NAME}/{path}" for path in ("README.md", "learned_embeds.safetensors", "moss-glow.safetensors")
    ]
    assert answer == [files, [f"{NAME}@bright/learned_embeds.safetensors"], "{", "---\n", False, True]


@not_with_the_old_client
def test_the_command_line_lists_shows_copies_and_verifies(hf: Hf, version: Version, writer: str) -> None:
    factories.published("otto", "ink-wash")
    for words, told in (
        (["models", "ls", "--author", "mara", "--format", "json"], NAME),
        (["models", "ls", NAME], "learned_embeds.safetensors"),
        (["models", "info", NAME], shelf.commit_of(version)),
        (["models", "card", NAME], "# Moss Glow"),
        (["repos", "tag", "list", NAME], "refs/tags/bright"),
        (["cp", f"hf://{NAME}/README.md", "./card.md"], "card.md"),
        (["download", NAME], "snapshots"),
        (["cache", "verify", NAME, "--fail-on-missing-files"], "3 file(s)"),
        (["auth", "whoami"], "mara"),
        (["auth", "login", "--token", writer], "Login successful"),
    ):
        done = hf(*words, token=writer)
        assert done.returncode == 0, (words, done.stderr)
        assert told in done.stdout + done.stderr, words


@not_with_the_old_client
def test_the_command_line_lists_what_is_ones_own(hf: Hf, version: Version, writer: str) -> None:
    factories.published("mara", "quiet-one", visibility="private")
    factories.published("otto", "ink-wash")
    mine = hf("repos", "ls", "--format", "json", token=writer)
    assert mine.returncode == 0, mine.stderr
    assert NAME in mine.stdout and "mara/quiet-one" in mine.stdout and "otto" not in mine.stdout
    theirs = hf("repos", "ls", "--namespace", "otto", token=writer)
    assert "ink-wash" not in theirs.stdout


def test_likes_are_listed_to_who_likes_and_taken_back(ask: Ask, version: Version, writer: str) -> None:
    other = factories.published("otto", "ink-wash")
    hidden = factories.published("otto", "gone")
    mara = Viewer(version.embedding.created_by)
    for one in (other, hidden, version.embedding):
        sharing.like(mara, embedding=one)
    Embedding.objects.filter(name="gone").update(visibility="private")
    answer = ask(
        """
    before = api.list_liked_repos()
    api.unlike("otto/ink-wash")
    api.unlike("otto/ink-wash")
    answer = [before.user, before.models, api.list_liked_repos("mara").models,
        told(lambda: api.list_liked_repos("otto")), told(lambda: api.unlike("otto/nothing"))[0]]
    """,
        token=writer,
    )
    assert answer[:3] == ["mara", [NAME, "otto/ink-wash"], [NAME]]
    assert answer[3][0] == "HfHubHTTPError" and "only they themselves" in answer[3][1]
    assert answer[4] == "RepositoryNotFoundError"
    assert set(Like.objects.values_list("embedding__name", flat=True)) == {"moss-glow", "gone"}
    assert Embedding.objects.get(name="ink-wash").likes == 0


def test_a_long_list_of_likes_comes_in_pages(
    client: Client, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.hf.account.PAGE", 1)
    mara = Viewer(version.embedding.created_by)
    for name in ("ink-wash", "rust-tide"):
        sharing.like(mara, embedding=factories.published("otto", name))
    for where in ("/api/users/mara/likes", "/api/settings/repositories"):
        page = client.get(where, headers=shelf.bearer())
        assert len(page.json()) == 1
    names, where = [], "/api/users/mara/likes"
    while where:
        page = client.get(where, headers=shelf.bearer())
        names += [line["repo"]["name"] for line in page.json()]
        where = page.get("Link", "").removeprefix("<").partition(">")[0]
    assert names == ["otto/rust-tide", "otto/ink-wash"]


def test_a_copy_within_a_repository_makes_nothing_new(ask: Ask, version: Version, writer: str) -> None:
    answer = ask(
        """
    from huggingface_hub import CommitOperationCopy
    name = "mara/moss-glow"
    def copy(source, target, **more):
        return api.create_commit(name, [CommitOperationCopy(source, target, **more)], commit_message="Copy").oid
    answer = [api.model_info(name).sha, copy("learned_embeds.safetensors", "moss.safetensors"),
        copy("README.md", "README.md", src_revision="v1"), told(lambda: api.delete_file("nothing.txt", name))]
    """,
        token=writer,
    )
    assert answer[0] == answer[1] == answer[2]
    assert "EntryNotFoundError" in answer[3][0] and "A file with this name doesn't exist" in answer[3][1]
    assert Version.objects.count() == 1


def test_what_this_hub_does_not_have_is_said_in_the_clients_own_errors(ask: Ask, version: Version) -> None:
    answer = ask(
        """
    from huggingface_hub import hf_hub_download, snapshot_download
    name = "mara/moss-glow"
    answer = [told(lambda: hf_hub_download(name, "x.csv", repo_type="dataset")),
        told(lambda: snapshot_download(name, repo_type="space")), told(lambda: api.dataset_info(name)),
        told(lambda: api.get_user_overview("mara")), told(lambda: list(api.get_repo_discussions(name)))]
    """
    )
    for error, said in answer[:3]:
        assert error == "RepositoryNotFoundError" and "embeddings only" in said
    for error, said in answer[3:]:
        assert error == "HfHubHTTPError" and "This hub does not have that." in said
        assert "request_id" not in said, "a sentence, not a dictionary"


def test_a_hub_closed_to_strangers_tells_them_to_sign_in(ask: Ask, version: Version, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    lines = """
    from huggingface_hub import hf_hub_download, snapshot_download
    name = "mara/moss-glow"
    answer = [told(lambda: hf_hub_download(name, "README.md")), told(lambda: snapshot_download(name)),
        told(lambda: api.model_info(name)), told(lambda: api.repo_exists(name))]
    """
    *refused, exists = ask(lines)
    for error, said in refused:
        assert error == "RepositoryNotFoundError" and "Sign in, or send an access token." in said
    assert exists == ["none", "False"]
    for error, said in ask(lines, token="hf_" + "a" * 34)[:3]:
        assert error == "HfHubHTTPError" and "Invalid credentials" in said
    assert [one[0] for one in ask(lines, token=factories.token("mara")[1])] == ["none"] * 4
