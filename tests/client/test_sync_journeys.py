"""The real client, as a process, against a real hub: lock, sync, verify and pull for every tool."""

import json
from pathlib import Path

import pytest

from hub.access import Viewer
from hub.formats import read
from hub.formats.inspection import examine
from hub.formats.loading import YES, loads
from hub.models import Embedding
from hub.services.versions import publishing
from tests import factories
from tests.client.runner import Glossa

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]

FOLDERS = {
    "a1111": "embeddings",
    "forge": "embeddings",
    "comfyui": "models/embeddings",
    "sdnext": "models/embeddings",
    "invokeai": "embeddings",
    "diffusers": ".",
    "sdcpp": ".",
}


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".glossa")


@pytest.mark.parametrize("tool", FOLDERS)
def test_each_tool_gets_a_file_that_it_loads_where_it_looks_for_it(
    glossa: Glossa, tmp_path: Path, tool: str
) -> None:
    factories.published("mara", "moss-glow", family="sd1")
    factories.published("otto", "ink-wash", family="sd2")
    glossa("lock", "mara/moss-glow@v1", "otto/ink-wash", cwd=tmp_path)
    said = glossa("sync", "--tool", tool, "--dir", tmp_path / "tool", "--json", cwd=tmp_path).record
    folder = tmp_path / "tool" / FOLDERS[tool]
    assert listing(folder) == ["ink-wash.safetensors", "moss-glow.safetensors"]
    assert [one["trigger"] for one in said["placed"]] == ["moss-glow", "ink-wash"] or len(said["placed"]) == 2
    for path in folder.glob("*.safetensors"):
        facts, embedding = examine(path.read_bytes(), filename=path.name)
        assert embedding is not None
        verdicts = {one.tool: one.verdict for one in loads(facts, path.name)}
        assert verdicts[tool] == YES, (path, verdicts)
    assert glossa("verify", "--tool", tool, "--dir", tmp_path / "tool", cwd=tmp_path).code == 0


def test_diffusers_gets_the_word_itself_as_key_so_that_no_token_has_to_be_given(
    glossa: Glossa, tmp_path: Path
) -> None:
    factories.published("mara", "moss-glow", family="tiny")
    glossa("pull", "mara/moss-glow", "--tool", "diffusers", "--dir", tmp_path / "words")
    file = (tmp_path / "words" / "moss-glow.safetensors").read_bytes()
    assert list(json.loads(file[8 : 8 + int.from_bytes(file[:8], "little")])) == ["__metadata__", "moss-glow"]


def test_what_a_tool_does_not_load_is_left_out_of_a_sync_and_refused_to_a_pull(
    glossa: Glossa, tmp_path: Path
) -> None:
    factories.published("mara", "moss-glow", family="sd1")
    factories.published("mara", "star-dust-word", family="tiny")
    glossa("lock", "mara/moss-glow", "mara/star-dust-word", cwd=tmp_path)
    said = glossa("sync", "--tool", "a1111", "--dir", tmp_path / "tool", cwd=tmp_path)
    assert listing(tmp_path / "tool" / "embeddings") == ["moss-glow.safetensors"]
    assert "A1111 does not load their family: mara/star-dust-word@v1" in said.err
    said = glossa("pull", "mara/star-dust-word", "--tool", "a1111", "--dir", tmp_path, ok=False)
    assert said.code == 3
    assert "A1111 loads no embedding of the family tiny" in said.err


def test_a_lock_keeps_its_version_when_a_newer_one_is_out(glossa: Glossa, tmp_path: Path) -> None:
    first = factories.published("mara", "moss-glow").versions.get()
    glossa("lock", "mara/moss-glow", cwd=tmp_path)
    factories.version(Embedding.objects.select_related("owner").get(), trigger="moss-glow")
    glossa("sync", "--dir", tmp_path / "out", cwd=tmp_path)
    file = tmp_path / "out" / "moss-glow.safetensors"
    assert read(file.read_bytes(), filename=file.name).trigger == "moss-glow"
    assert (
        json.loads((tmp_path / "glossa.lock.json").read_text())["members"][0]["commit"]
        == first.commits.order_by("sequence")[0].sha
    )
    old = file.read_bytes()
    glossa("lock", "mara/moss-glow", cwd=tmp_path)
    assert "changed  moss-glow.safetensors" in glossa("verify", "--dir", "out", cwd=tmp_path, ok=False).out
    glossa("sync", "--dir", tmp_path / "out", cwd=tmp_path)
    assert file.read_bytes() != old
    commit = first.commits.order_by("sequence")[0].sha
    for revision in ("v1", commit):
        glossa("pull", f"mara/moss-glow@{revision}", "--dir", tmp_path / revision)
        assert (tmp_path / revision / "moss-glow.safetensors").read_bytes() == old


def test_the_same_state_locks_to_the_same_bytes(glossa: Glossa, tmp_path: Path) -> None:
    for name in ("moss-glow", "ink-wash", "fog-bank"):
        factories.published("mara", name, family="sd1")
    names = ["mara/moss-glow", "mara/ink-wash@v1", "mara/fog-bank"]
    glossa("lock", *names, "--out", "one.json", cwd=tmp_path)
    glossa("lock", *names, "--out", "two.json", cwd=tmp_path)
    data = (tmp_path / "one.json").read_bytes()
    assert data == (tmp_path / "two.json").read_bytes()
    record = json.loads(data)
    assert data == (json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
    assert [one["name"] for one in record["members"]] == ["mara/moss-glow", "mara/ink-wash", "mara/fog-bank"]
    assert record["pack"] is None


def test_a_second_sync_fetches_nothing_and_a_broken_file_is_put_right(glossa: Glossa, tmp_path: Path) -> None:
    for name in ("moss-glow", "ink-wash"):
        factories.published("mara", name)
    glossa("lock", "mara/moss-glow", "mara/ink-wash", cwd=tmp_path)
    glossa("sync", "--dir", "out", cwd=tmp_path)
    again = glossa("sync", "--dir", "out", "--json", cwd=tmp_path).record
    assert (len(again["placed"]), len(again["kept"])) == (0, 2)
    file = tmp_path / "out" / "moss-glow.safetensors"
    right = file.read_bytes()
    file.write_bytes(right[:-1] + b"!")
    (tmp_path / "out" / "ink-wash.safetensors").unlink()
    found = glossa("verify", "--dir", "out", "--json", cwd=tmp_path, ok=False)
    assert found.code == 1
    assert (found.record["changed"], found.record["missing"]) == (
        ["moss-glow.safetensors"],
        ["ink-wash.safetensors"],
    )
    glossa("sync", "--dir", "out", cwd=tmp_path)
    assert file.read_bytes() == right
    assert glossa("verify", "--dir", "out", cwd=tmp_path).code == 0


def test_a_private_embedding_needs_the_token_of_its_owner(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "quiet-one", visibility="private")
    said = glossa("pull", "mara/quiet-one", "--dir", tmp_path, ok=False)
    assert said.code == 3
    assert f"glossa login {glossa.hub}" in said.err
    secret = factories.token("mara")[1]
    assert "You are mara" in glossa("login", glossa.hub, "--token-stdin", stdin=f"{secret}\n").out
    glossa("lock", "mara/quiet-one", cwd=tmp_path)
    glossa.hub = ""  # the lock names it, and so does the last login
    glossa("sync", "--dir", "out", cwd=tmp_path)
    assert listing(tmp_path / "out") == ["quiet-one.safetensors"]
    assert glossa("whoami", "--json").record["user"] == "mara"
    glossa("logout")
    assert glossa("whoami", ok=False).code == 2
    (tmp_path / "out" / "quiet-one.safetensors").unlink()
    assert glossa("sync", "--dir", "out", cwd=tmp_path, ok=False).code == 3


def test_a_token_from_the_environment_does_for_a_script(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "quiet-one", visibility="private")
    glossa.variables["GLOSSA_TOKEN"] = factories.token("mara")[1]
    glossa("pull", "mara/quiet-one", "--dir", tmp_path / "out")
    assert not (glossa.home / ".config").exists()


def test_a_wrong_token_is_not_kept(glossa: Glossa) -> None:
    said = glossa("login", glossa.hub, "--token-stdin", stdin="glossa_wrong\n", ok=False)
    assert said.code == 4
    assert not (glossa.home / ".config" / "glossa").exists()


def test_a_deleted_version_is_said_with_the_hubs_own_words(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "ink-wash")
    version = factories.published("mara", "moss-glow").versions.get()
    glossa("lock", "mara/moss-glow", "mara/ink-wash", cwd=tmp_path)
    factories.version(Embedding.objects.get(name="moss-glow"), trigger="moss-glow")
    publishing.delete_version(Viewer(version.embedding.created_by), version=version)
    said = glossa("sync", "--dir", "out", "--json", cwd=tmp_path, ok=False)
    assert said.code == 3
    assert said.record["failed"][0]["code"] == "deleted"
    # The others come nevertheless.
    assert listing(tmp_path / "out") == ["ink-wash.safetensors"]


def test_names_that_do_not_exist_end_with_a_sentence(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "moss-glow")
    for name, words in {
        "mara/nothing": "There is no embedding of this name",
        "mara/moss-glow@v7": "There is no revision 'v7'",
    }.items():
        said = glossa("pull", name, "--dir", tmp_path, ok=False)
        assert said.code == 3
        assert words in said.err
    assert glossa("pull", "moss-glow", ok=False).code == 2
    said = glossa("pull", "mara/nothing", "--json", "--dir", tmp_path, ok=False)
    assert said.record["error"]["code"] == "repo_not_found"


def test_management_commands_still_run_under_the_same_name(glossa: Glossa) -> None:
    assert "quickstart" in glossa("help").out
    assert "--initializer" in glossa("train", "--help", "--out=x").out
    assert "Unknown command" in glossa("nonsense", ok=False).err
