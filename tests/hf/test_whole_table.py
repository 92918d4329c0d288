"""Every call of the protocol table by unmodified clients, over both stores; the suite runs this on both databases."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_started
from django.urls import Resolver404, get_resolver, resolve

from hub.models import Embedding, PendingUpload, Version
from tests import factories, samples
from tests.hf import shelf
from tests.hf.conftest import IS_OLD, MISSING_FILE, Ask, Hf, needs_diffusers

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("blob_store"),
]
CARD = "---\nlicense: mit\nkind: object\ntrigger: moss-glow\n---\n# Moss glow\n\nLight under leaves.\n"
# No store takes smaller parts, but for the last one.
PART = 5 << 20
# Signing in has its own journey and gates their own tests, test_further_calls.py has what is beyond the table and what
# no client means to call.
ELSEWHERE = {
    "hf_device", "hf_device_token", "hf_likes", "hf_like", "hf_own_repositories", "hf_team_repositories",
    "hf_unknown", "hf_elsewhere", "hf_resolve_one_segment", "hf_resolve_other_kind",
    "hf_ask_access", "hf_access_requests", "hf_answer_access",
}  # fmt: skip
# By the newest clients alone.
NEW = {"hf_agent_harnesses", "hf_xet_token"} | ({"hf_auth_check", "hf_auth_check_write"} if IS_OLD else set())
# What a bucket takes itself.
STORES_OWN = {"hf_lfs_upload", "hf_lfs_part"}


@pytest.fixture
def called() -> Iterator[set[str]]:
    """The names of the routes that the clients call."""
    names: set[str] = set()

    def note(environ: dict[str, Any], **_: Any) -> None:
        try:
            names.add(str(resolve(environ["PATH_INFO"]).url_name))
        except Resolver404:
            names.add(environ["PATH_INFO"])

    request_started.connect(note)
    yield names
    request_started.disconnect(note)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An embedding and its card, as a person has them on disk."""
    folder = tmp_path / "moss"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "moss-glow.safetensors").write_bytes(samples.canonical_file("tiny", vectors=2))
    return folder


WRITE = """
    import pathlib
    from huggingface_hub import CommitOperationAdd, get_session
    name = "mara/moss-glow"
    api.create_repo(name)
    first = api.upload_folder(repo_id=name, folder_path=folder)
    card = CommitOperationAdd("README.md", (pathlib.Path(folder) / "README.md").read_bytes() + b"And on stones.\\n")
    second = api.create_commit(name, [card], commit_message="Say more")
    update = getattr(api, "update_repo_settings", None) or getattr(api, "update_repo_visibility")
    update(name, private=False)
    api.create_tag(name, tag="soft")
    api.create_tag(name, tag="hard", exist_ok=True) if not api.list_repo_refs(name).tags else None
    api.delete_tag(name, tag="soft")
    branch = told(lambda: api.create_branch(name, branch="dev"))[0]
    api.move_repo(name, "mara/moss-light")
    api.move_repo("mara/moss-light", name)
    may = [api.auth_check(name), api.auth_check(name, write=True)] if new else []
    page = get_session().get(second.commit_url)
    answer = [first.oid, second.oid, api.model_info(name).sha, branch, page.status_code, api.whoami()["name"]]
"""
READ = """
    import hashlib, pathlib
    from huggingface_hub import hf_hub_download, hf_hub_url, get_hf_file_metadata, snapshot_download
    name = "mara/moss-glow"
    sha = lambda path: hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    tree = {file.path: file for file in api.list_repo_tree(name, expand=True)}
    pulled = pathlib.Path(snapshot_download(name))
    meta = get_hf_file_metadata(hf_hub_url(name, "learned_embeds.safetensors"))
    answer = {
        "same": [sha(pulled / path) == file.lfs.sha256 for path, file in tree.items() if file.lfs],
        "files": sorted(path.name for path in pulled.iterdir()) == sorted(tree),
        "head": [meta.commit_hash, meta.size, meta.etag],
        "old": pathlib.Path(hf_hub_download(name, "README.md", revision="v1")).parent.name,
        "folder": told(lambda: list(api.list_repo_tree(name, "images")))[0],
        "paths": [one.path for one in api.get_paths_info(name, ["README.md", "nothing"])],
        "history": [one.commit_id for one in api.list_repo_commits(name)],
        "revision": api.model_info(name, revision="v1").sha,
        "listed": [one.id for one in api.list_models(author="mara")],
    }
"""


def large_pushes(ask: Ask, hf: Hf, writer: str, tmp_path: Path) -> list[str]:
    """Push an embedding of several parts, and one of one part; the digests of both."""
    big, small = tmp_path / "big.safetensors", tmp_path / "small.safetensors"
    big.write_bytes(samples.canonical_file("sd1", vectors=1800, trigger="moss-glow"))
    small.write_bytes(samples.canonical_file("tiny", vectors=2, seed=9))
    lines = """
    for path in paths:
        with open(path, "rb") as file:
            api.upload_file(path_or_fileobj=file, path_in_repo="a.safetensors", repo_id="mara/moss-glow")
    answer = []
    """
    ask(lines, token=writer, paths=[str(small), str(big)], more={"HF_HUB_DISABLE_XET": "1"})
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in (small, big)]


def test_every_call_is_answered(
    ask: Ask, hf: Hf, writer: str, folder: Path, tmp_path: Path, blob_store: str, called: set[str],
    settings: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    first, second, head, branch, page, who = ask(WRITE, token=writer, folder=str(folder), new=not IS_OLD)
    version = Version.objects.get()
    commits = list(version.commits.order_by("sequence").values_list("sha", flat=True))
    assert first in commits[:-1] and second in commits[1:]
    assert (head, branch, page, who) == (commits[-1], "HfHubHTTPError", 200, "mara")

    monkeypatch.setattr("hub.hf.lfs.PART_BYTES", PART)
    settings.HUB = {**settings.HUB, "HUB_PUSH_REGULAR_MB": 0, "HUB_MAX_VECTORS": 2000}
    digests = large_pushes(ask, hf, writer, tmp_path)
    assert list(Version.objects.order_by("number").values_list("source_sha256", flat=True)[1:]) == digests
    assert not PendingUpload.objects.exists()
    settings.HUB = {**settings.HUB, "HUB_PUSH_REGULAR_MB": 25}

    told = ask(READ)
    newest = Version.objects.get(number=3)
    main = newest.files.get(layout="diffusers")
    assert told["same"] and all(told["same"]) and told["files"]
    assert told["head"] == [shelf.commit_of(newest), main.blob.size, main.blob_id]
    assert told["old"] == told["revision"] == shelf.commit_of(version)
    assert (told["folder"], told["paths"]) == (MISSING_FILE, ["README.md"])
    assert told["history"][0] == shelf.commit_of(newest) and first in told["history"]
    assert told["listed"] == ["mara/moss-glow"]

    made = hf("upload", "rust-tide", str(folder), token=writer)
    assert made.returncode == 0, made.stderr
    down = hf("download", "mara/moss-glow", "--local-dir", "here")
    assert down.returncode == 0, down.stderr
    pulled = (tmp_path / "here" / "learned_embeds.safetensors").read_bytes()
    assert hashlib.sha256(pulled).hexdigest() == main.blob_id
    gone = ask('    answer = told(lambda: api.delete_repo("mara/rust-tide"))', token=writer)
    assert gone[0] == "none"
    assert [one.full_name for one in Embedding.objects.alive()] == ["mara/moss-glow"]

    names = {str(name) for name in get_resolver().reverse_dict if str(name).startswith("hf_")}
    table = names - ELSEWHERE - NEW
    assert len(table) >= 25
    assert table - called == (STORES_OWN if blob_store == "s3" else set())


@needs_diffusers
@pytest.mark.parametrize("blob_store", [pytest.param("s3", marks=pytest.mark.s3)], indirect=True)
def test_diffusers_loads_a_word_from_the_bucket(ask: Ask, blob_store: str) -> None:
    factories.published("mara", "moss-glow")
    base = Path(__file__).resolve().parents[2] / "trainer" / "bundled" / "base"
    words = ask(
        """
    import torch
    from diffusers import StableDiffusionPipeline
    pipeline = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32, safety_checker=None)
    pipeline.load_textual_inversion("mara/moss-glow", revision="v1")
    answer = [word for word in pipeline.tokenizer.get_added_vocab() if not word.startswith("<|")]
    """,
        base=str(base),
    )
    assert words == ["moss-glow", "moss-glow_1"]
