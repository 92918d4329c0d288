"""A whole pack by the real client: files under their words, README and lock file, revisions, and no pushes."""

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.catalog import locks
from hub.models import Collection, Version
from hub.services.embeddings import renaming
from hub.services.packs import members, packs
from hub.services.versions import publishing
from tests import factories
from tests.hf import shelf
from tests.hf.conftest import IS_OLD, Ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hub_blobs")]
NAMES = {"README.md", "glossa.lock.json", "moss-glow.safetensors", "rust-tide.safetensors"}


@pytest.fixture
def words() -> list[Version]:
    return [shelf.published("mara", "moss-glow"), shelf.published("noor", "rust-tide")]


@pytest.fixture
def pack(words: list[Version]) -> Collection:
    """Mara's pack of a word of her own and one of Noor's."""
    return factories.pack("mara", "wet-places", *words, description="For rain.")


def digest(version: Version) -> str:
    return str(version.files.get(layout="canonical").blob_id)


@pytest.mark.client
def test_hf_download_takes_the_whole_pack(
    hf: Callable[..., "subprocess.CompletedProcess[str]"],
    pack: Collection,
    words: list[Version],
    tmp_path: Path,
) -> None:
    done = hf("download", "mara/wet-places", "--local-dir", "here")
    assert done.returncode == 0, done.stderr
    files = {path.name: path for path in (tmp_path / "here").iterdir() if path.is_file()}
    assert set(files) == NAMES
    for version in words:
        pulled = files[f"{version.trigger}.safetensors"].read_bytes()
        assert hashlib.sha256(pulled).hexdigest() == digest(version)
    lock = json.loads(files["glossa.lock.json"].read_bytes())
    assert [member["name"] for member in lock["members"]] == ["mara/moss-glow", "noor/rust-tide"]


@pytest.mark.client
def test_a_snapshot_is_pinned_by_its_revision_also_after_the_pack_has_changed(
    ask: Ask, pack: Collection, words: list[Version]
) -> None:
    lines = """
    import pathlib
    from huggingface_hub import snapshot_download, model_info
    def names(revision=None):
        folder = pathlib.Path(snapshot_download("mara/wet-places", revision=revision))
        return [folder.name, sorted(path.name for path in folder.iterdir())]
    answer = [names(revision), model_info("mara/wet-places").sha]
    """
    (first, before), sha = ask(lines, revision=None)
    assert first == sha
    assert set(before) == NAMES
    members.remove_member(factories.viewer("mara"), pack=pack, member=pack.members.last().pk)
    (second, after), _ = ask(lines, revision=None)
    assert second != first
    assert set(after) == NAMES - {"rust-tide.safetensors"}
    (again, pinned), _ = ask(lines, revision=first)
    assert (again, set(pinned)) == (first, NAMES)


@pytest.mark.client
def test_a_push_into_a_pack_is_refused_in_a_clear_sentence(ask: Ask, pack: Collection, writer: str) -> None:
    kind, message = ask(
        """
    answer = told(lambda: api.upload_file(
        path_or_fileobj=b"hello", path_in_repo="README.md", repo_id="mara/wet-places"))
        """,
        token=writer,
    )
    assert kind == "HfHubHTTPError"
    assert "mara/wet-places is a pack" in message


@pytest.mark.client
def test_no_command_that_writes_takes_a_pack_for_an_embedding(
    hf: Callable[..., "subprocess.CompletedProcess[str]"], pack: Collection, writer: str, tmp_path: Path
) -> None:
    (tmp_path / "README.md").write_text("hello")
    of_old = (
        ("upload", "mara/wet-places", str(tmp_path / "README.md")),
        ("repo" if IS_OLD else "repos", "tag", "create", "mara/wet-places", "spring"),
    )
    newer = (
        ("repos", "delete", "mara/wet-places", "--yes"),
        ("repos", "move", "mara/wet-places", "mara/dry-places"),
    )
    for words in of_old if IS_OLD else of_old + newer:
        done = hf(*words, token=writer)
        assert done.returncode != 0, words
        assert "is a pack" in done.stdout + done.stderr, (words, done.stdout, done.stderr)
    assert pack.members.count() == 2


@pytest.mark.client
def test_the_client_lists_files_refs_and_history_of_a_pack(ask: Ask, pack: Collection) -> None:
    files, refs, commits, sizes, exists = ask(
        """
    info = api.model_info("mara/wet-places", files_metadata=True)
    answer = [
        sorted(api.list_repo_files("mara/wet-places")),
        [[one.name, one.target_commit == info.sha] for one in api.list_repo_refs("mara/wet-places").branches],
        [one.commit_id == info.sha for one in api.list_repo_commits("mara/wet-places")],
        [one.size for one in info.siblings],
        [api.file_exists("mara/wet-places", "glossa.lock.json"), api.revision_exists("mara/wet-places", info.sha)],
    ]
    """
    )
    assert (set(files), refs, commits, exists) == (NAMES, [["main", True]], [True], [True, True])
    assert len(sizes) == len(files) and all(size > 0 for size in sizes)


def test_a_private_pack_does_not_exist_for_others(client: Client, pack: Collection) -> None:
    packs.update_pack(factories.viewer("mara"), pack=pack, visibility="private")
    for path in ("/api/models/mara/wet-places", "/mara/wet-places/resolve/main/glossa.lock.json"):
        refused = client.get(path)
        assert (refused.status_code, refused["X-Error-Code"]) == (404, "RepoNotFound")
        assert client.get(path, headers=shelf.bearer("mara")).status_code == 200


def test_a_member_that_is_hidden_is_in_no_file_of_the_pack(
    client: Client, pack: Collection, words: list[Version]
) -> None:
    publishing.update_details(factories.viewer("noor"), embedding=words[1].embedding, visibility="private")
    tree = client.get("/api/models/mara/wet-places/tree/main").json()
    assert {file["path"] for file in tree} == NAMES - {"rust-tide.safetensors"}
    assert client.get("/mara/wet-places/resolve/main/rust-tide.safetensors").status_code == 404
    for name in ("README.md", "glossa.lock.json"):
        assert b"rust-tide" not in client.get(f"/mara/wet-places/resolve/main/{name}").content


def test_a_missing_file_a_missing_revision_and_the_head_of_a_file(
    client: Client, pack: Collection, words: list[Version]
) -> None:
    sha = client.get("/api/models/mara/wet-places").json()["sha"]
    missing = client.get("/mara/wet-places/resolve/main/nothing.safetensors")
    assert (missing["X-Error-Code"], missing["X-Repo-Commit"]) == ("EntryNotFound", sha)
    gone = client.get("/mara/wet-places/resolve/0123456789/README.md")
    assert gone["X-Error-Code"] == "RevisionNotFound"
    head = client.head(f"/mara/wet-places/resolve/{sha}/moss-glow.safetensors")
    assert (head["ETag"], head["X-Repo-Commit"]) == (f'"{digest(words[0])}"', sha)


def test_the_old_name_of_a_pack_leads_to_the_new_one(client: Client, pack: Collection) -> None:
    packs.update_pack(factories.viewer("mara"), pack=pack, name="damp-corners")
    moved = client.get("/mara/wet-places/resolve/main/README.md")
    assert (moved.status_code, moved["Location"]) == (307, "/mara/damp-corners/resolve/main/README.md")


def readme(client: Client) -> bytes:
    return client.get("/mara/wet-places/resolve/main/README.md").content


def test_the_readme_is_written_once_for_each_state_of_the_pack(
    client: Client, pack: Collection, words: list[Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, written = locks.readme, []
    monkeypatch.setattr(locks, "readme", lambda one: written.append(one.revision) or real(one))
    first = readme(client)
    assert first == real(locks.at(factories.viewer("mara"), owner="mara", name="wet-places", revision="main"))
    assert [readme(client) for _ in range(3)] == [first] * 3
    assert len(written) == 1
    tree = client.get("/api/models/mara/wet-places/tree/main").json()
    assert {one["size"] for one in tree if one["path"] == "README.md"} == {len(first)}
    packs.update_pack(factories.viewer("mara"), pack=pack, description="For more rain.")
    assert b"For more rain." in readme(client)
    publishing.update_details(factories.viewer("noor"), embedding=words[1].embedding, visibility="private")
    assert b"rust-tide" not in readme(client)
    assert (
        b"rust-tide"
        in client.get("/mara/wet-places/resolve/main/README.md", headers=shelf.bearer("noor")).content
    )


def test_the_readme_has_the_names_of_today(client: Client, pack: Collection, words: list[Version]) -> None:
    before = client.get("/api/models/mara/wet-places").json()["sha"]
    assert b"noor/rust-tide" in readme(client)
    renaming.rename(factories.viewer("noor"), embedding=words[1].embedding, name="rusty-tide")
    assert client.get("/api/models/mara/wet-places").json()["sha"] == before
    assert b"noor/rusty-tide" in readme(client)


def test_a_file_of_a_pack_costs_as_many_queries_for_many_members_as_for_two(
    client: Client, pack: Collection
) -> None:
    def queries(path: str) -> int:
        client.get(f"/mara/wet-places/resolve/main/{path}")
        with CaptureQueriesContext(connection) as caught:
            assert client.get(f"/mara/wet-places/resolve/main/{path}").status_code == 200
        return len(caught)

    paths = ("README.md", "moss-glow.safetensors")
    few = [queries(path) for path in paths]
    for number in range(8):
        members.add_member(
            factories.viewer("mara"), pack=pack, version=shelf.published("mara", f"word-{number}")
        )
    assert [queries(path) for path in paths] == few
    assert 0 < max(few) <= 14
