"""Unmodified clients, in processes of their own, against a hub that answers over a real socket."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from hub.access import Viewer
from hub.models import Embedding, Version
from hub.services.versions import publishing
from tests import factories
from tests.environment import HF_PYTHON
from tests.hf.conftest import IS_OLD, MISSING_FILE, needs_diffusers, not_with_the_old_client
from tests.parts.script import answer_of

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]
BASE = Path(__file__).resolve().parents[2] / "trainer" / "bundled" / "base"
FILE = "learned_embeds.safetensors"
NAME = "mara/moss-glow"

Ask = Callable[..., Any]


@pytest.fixture
def ask(live_server: LiveServer, tmp_path: Path) -> Ask:
    """Run lines of Python in a new process that knows only HF_ENDPOINT; what they put into `answer`."""

    def run(lines: str, *, token: str | None = None, **names: Any) -> Any:
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= {
            "HF_ENDPOINT": live_server.url,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "NO_PROXY": "localhost,127.0.0.1",
            "OMP_NUM_THREADS": "1",
        } | ({"HF_TOKEN": token} if token else {})
        return answer_of(lines, names, environment=environment, folder=tmp_path, python=HF_PYTHON)

    return run


@pytest.fixture
def version() -> Version:
    """The first version of a public embedding."""
    return factories.published("mara", "moss-glow", tags=["forest"]).versions.get()


def commit_of(version: Version) -> str:
    """The commit id with which this version was published."""
    return str(version.commits.order_by("sequence").values_list("sha", flat=True)[0])


def digest_of(version: Version) -> str:
    """SHA-256 of the file that diffusers takes."""
    return str(version.files.get(path=FILE).blob_id)


PULL = """
    import hashlib, pathlib
    from huggingface_hub import hf_hub_download
    def pull(revision=None, **more):
        path = pathlib.Path(hf_hub_download("mara/moss-glow", "learned_embeds.safetensors", revision=revision, **more))
        return [hashlib.sha256(path.read_bytes()).hexdigest(), path.parent.name]
"""
NAMED = """
    from huggingface_hub import errors
    def refusal(call):
        try:
            call()
        except Exception as error:
            return type(error).__name__
        return "none"
"""


def test_main_gives_the_newest_and_numbers_and_commit_ids_give_the_old(ask: Ask, version: Version) -> None:
    second = factories.version(Embedding.objects.get(), trigger="moss-glow")
    answer = ask(
        PULL + "    answer = [pull(), pull('main'), pull('v2'), pull('v1'), pull(commit)]",
        commit=commit_of(version),
    )
    new, old = [digest_of(second), commit_of(second)], [digest_of(version), commit_of(version)]
    assert answer == [new, new, new, old, old]


def test_wrong_names_raise_the_clients_own_errors(ask: Ask, version: Version) -> None:
    answer = ask(
        NAMED
        + """
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.utils import RevisionNotFoundError, RepositoryNotFoundError, EntryNotFoundError
    api = HfApi()
    answer = [
        refusal(lambda: hf_hub_download("mara/moss-glow", "README.md", revision="v9")),
        refusal(lambda: hf_hub_download("mara/nothing", "README.md")),
        refusal(lambda: hf_hub_download("mara/moss-glow", "learned_embeds.bin")),
        refusal(lambda: hf_hub_download("gpt2", "config.json")),
        refusal(lambda: api.model_info("mara/moss-glow", revision="v9")),
        refusal(lambda: api.model_info("mara/nothing")),
        refusal(lambda: list(api.list_repo_tree("mara/moss-glow", "images"))),
        api.file_exists("mara/moss-glow", "README.md"), api.file_exists("mara/moss-glow", "x.bin"),
        api.repo_exists("mara/moss-glow"), api.repo_exists("mara/nothing"),
        api.revision_exists("mara/moss-glow", "v1"), api.revision_exists("mara/moss-glow", "v9"),
    ]
    """
    )
    assert answer[:7] == [
        "RevisionNotFoundError", "RepositoryNotFoundError", MISSING_FILE, "RepositoryNotFoundError",
        "RevisionNotFoundError", "RepositoryNotFoundError", MISSING_FILE,
    ]  # fmt: skip
    assert answer[7:] == [True, False] * 3


def test_a_private_embedding_is_missing_without_a_token_and_pulled_with_it(ask: Ask) -> None:
    version = factories.published("mara", "moss-glow", visibility="private").versions.get()
    factories.user("otto")
    lines = PULL + NAMED + "    answer = [refusal(pull)]"
    assert ask(lines) == ["RepositoryNotFoundError"]
    assert ask(lines, token=factories.token("otto")[1]) == ["RepositoryNotFoundError"]
    mine = ask(PULL + "    answer = pull()", token=factories.token("mara")[1])
    assert mine == [digest_of(version), commit_of(version)]


def test_a_deleted_version_is_read_as_a_missing_revision(ask: Ask, version: Version) -> None:
    factories.version(Embedding.objects.get(), trigger="moss-glow")
    publishing.delete_version(Viewer(version.embedding.created_by), version=version)
    assert ask(PULL + NAMED + "    answer = refusal(lambda: pull('v1'))") == "RevisionNotFoundError"


def test_a_foreign_token_still_pulls_public_things(ask: Ask, version: Version) -> None:
    lines = PULL + "    answer = pull()"
    assert ask(lines, token="hf_" + "a" * 34) == [digest_of(version), commit_of(version)]


@not_with_the_old_client
def test_a_snapshot_has_the_whole_tree_and_passes_the_clients_own_verification(
    ask: Ask, version: Version
) -> None:
    answer = ask(
        """
    import pathlib
    from huggingface_hub import HfApi, snapshot_download
    folder = pathlib.Path(snapshot_download("mara/moss-glow"))
    checked = HfApi().verify_repo_checksums("mara/moss-glow")
    names = sorted(path.name for path in folder.iterdir())
    answer = [names, folder.name, checked.checked_count, len(checked.mismatches)]
    """
    )
    assert answer == [["README.md", FILE, "moss-glow.safetensors"], commit_of(version), 3, 0]


def test_a_broken_pull_is_resumed_by_range(ask: Ask, version: Version, live_server: LiveServer) -> None:
    answer = ask(
        """
    import hashlib, io
    from huggingface_hub import hf_hub_url, get_hf_file_metadata
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import get_session
    meta = get_hf_file_metadata(hf_hub_url("mara/moss-glow", "learned_embeds.safetensors"))
    file = io.BytesIO()
    file.write(get_session().get(meta.location, headers={"Range": "bytes=0-99"}).content)
    had = file.tell()
    http_get(meta.location, file, resume_size=had, expected_size=meta.size)
    answer = [had, meta.size == file.tell(), hashlib.sha256(file.getvalue()).hexdigest() == meta.etag]
    """
    )
    assert answer == [100, True, True]


def test_the_api_describes_the_repository(ask: Ask, version: Version) -> None:
    second = factories.version(Embedding.objects.get(), trigger="moss-glow", label="bright")
    answer = ask(
        """
    from huggingface_hub import HfApi, ModelCard
    api = HfApi()
    info = api.model_info("mara/moss-glow", files_metadata=True)
    tree = list(api.list_repo_tree("mara/moss-glow", recursive=True, expand=True))
    refs = api.list_repo_refs("mara/moss-glow", include_pull_requests=True)
    card = ModelCard.load("mara/moss-glow")
    answer = {
        "id": info.id, "sha": info.sha, "library": info.library_name, "license": info.card_data.license,
        "files": sorted(file.rfilename for file in info.siblings),
        "size": [file.lfs.size == file.size for file in info.siblings if file.lfs],
        "tree": [entry.path for entry in tree], "last": tree[0].last_commit.oid,
        "paths": [entry.path for entry in api.get_paths_info("mara/moss-glow", ["README.md", "no.txt"])],
        "refs": [[ref.name, ref.target_commit] for ref in [*refs.branches, *refs.tags]],
        "commits": [commit.commit_id for commit in api.list_repo_commits("mara/moss-glow")],
        "names": api.list_repo_files("mara/moss-glow", revision="v1"),
        "card": [card.data.license, card.data.instance_prompt, "forest" in card.data.tags],
        "allowed": api.auth_check("mara/moss-glow"),
    }
    """
    )
    files = ["README.md", FILE, "moss-glow.safetensors"]
    assert (answer["id"], answer["sha"], answer["library"]) == (NAME, commit_of(second), "diffusers")
    assert answer["files"] == answer["tree"] == answer["names"] == files
    assert answer["license"] == "cc0-1.0"
    assert answer["card"] == ["cc0-1.0", "moss-glow", True]
    assert answer["size"] == [True, True]
    assert answer["paths"] == ["README.md"]
    assert answer["last"] == commit_of(second)
    new, old = commit_of(second), commit_of(version)
    assert answer["refs"] == [["main", new], ["v1", old], ["v2", new], ["bright", new]]
    assert answer["commits"][0] == new
    assert old in answer["commits"]
    assert answer["allowed"] is None


def test_lists_are_read_over_all_pages(ask: Ask) -> None:
    for letter in "abcde":
        factories.published("mara", f"word-{letter}")
    factories.published("otto", "ink-wash", licence="mit")
    answer = ask(
        """
    from huggingface_hub import HfApi
    api = HfApi()
    ids = lambda **question: [model.id for model in api.list_models(**question)]
    answer = [ids(limit=4), ids(author="otto"), ids(search="word-c"), ids(filter=["textual_inversion", "license:mit"]),
              ids(sort="downloads", full=True), ids(filter="nothing")]
    from huggingface_hub.utils._pagination import paginate
    answer.append([item["id"] for item in paginate(f"{api.endpoint}/api/models", params={"limit": 2}, headers={})])
    """
    )
    limited, author, search, tagged, everything, nothing, paged = answer
    assert len(limited) == 4
    assert author == tagged == ["otto/ink-wash"]
    assert search == ["mara/word-c"]
    assert len(everything) == len(set(paged)) == len(paged) == 6
    assert nothing == []


def test_the_client_knows_whose_token_it_has(ask: Ask) -> None:
    factories.user("mara")
    lines = (
        NAMED
        + """
    from huggingface_hub import HfApi
    who = lambda: HfApi().whoami()
    answer = [refusal(who)] if refusal(who) != "none" else [who()["name"], who()["auth"]["accessToken"]["role"]]
    """
    )
    assert ask(lines, token=factories.token("mara", scopes=["publish"])[1]) == ["mara", "write"]
    assert ask(lines, token="glossa_wrong") == ["HTTPError" if IS_OLD else "HfHubHTTPError"]


LOAD = """
    import torch
    from diffusers import StableDiffusionPipeline
    pipeline = StableDiffusionPipeline.from_pretrained(base, local_files_only=True)
    def rows(token):
        number = pipeline.tokenizer.convert_tokens_to_ids(token)
        return pipeline.text_encoder.get_input_embeddings().weight[number].tolist()
"""


@needs_diffusers
@pytest.mark.skipif(not (BASE / "unet").is_dir(), reason="the bundled base model is not there")
def test_diffusers_loads_words_by_name_revision_and_token(ask: Ask, version: Version) -> None:
    factories.version(Embedding.objects.get(), trigger="moss-glow")
    factories.published("mara", "quiet-one", visibility="private")
    answer = ask(
        LOAD
        + NAMED
        + """
    from huggingface_hub import hf_hub_download
    from safetensors.torch import load_file
    load = pipeline.load_textual_inversion
    load("mara/moss-glow")
    (word, tensor), = load_file(hf_hub_download("mara/moss-glow", "learned_embeds.safetensors")).items()
    load("mara/moss-glow", token="old-one", revision="v1")
    load("mara/moss-glow", token="by-commit", revision=commit)
    # Before the pull with a token: the client falls back to its cache when it is refused.
    strange = refusal(lambda: load("mara/quiet-one", token="no-one"))
    load("mara/quiet-one", token="with-token", hf_token=secret)
    answer = [
        word,
        [rows(word), rows(word + "_1")] == tensor.to(pipeline.text_encoder.dtype).tolist(),
        rows("old-one") == rows("by-commit"),
        rows("old-one") == rows(word),
        refusal(lambda: load("mara/moss-glow", token="no-one", revision="v9")),
        strange,
    ]
    """,
        base=str(BASE),
        commit=commit_of(version),
        secret=factories.token("mara")[1],
    )
    assert answer == ["moss-glow", True, True, False, "OSError", "OSError"]
