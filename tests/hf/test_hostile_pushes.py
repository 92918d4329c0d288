"""Commits that no client writes, and cards that were made to break other people's listings."""

import base64
import json
from typing import Any

import pytest
from django.test import Client

from hub.models import Blob, Commit, Embedding, Version
from tests import factories, samples
from tests.hf import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
MODEL = "/api/models/mara/moss-glow"
HEADER = {"key": "header", "value": {"summary": "x", "description": ""}}


@pytest.fixture
def version() -> Version:
    """The first version of mara/moss-glow."""
    return factories.published("mara", "moss-glow").versions.get()


def file(path: str, content: bytes = b"x", **more: Any) -> dict[str, Any]:
    """The line that adds a file."""
    value = {"path": path, "content": base64.b64encode(content).decode(), "encoding": "base64", **more}
    return {"key": "file", "value": value}


def raw(client: Client, body: bytes, **headers: str) -> Any:
    """A commit with this very body."""
    return client.post(
        f"{MODEL}/commit/main", body, content_type="application/x-ndjson",
        headers={**shelf.bearer("mara", "read", "publish", "manage"), **headers},
    )  # fmt: skip


def commit(client: Client, *lines: dict[str, Any], header: dict[str, Any] = HEADER) -> Any:
    """A commit of these lines."""
    return raw(client, "\n".join(json.dumps(line) for line in (header, *lines)).encode())


BODIES = {
    "nothing": (b"", "header"),
    "no JSON": (b"hello\n", "lines of JSON"),
    "a list": (b"[1]\n", "lines of JSON"),
    "no value": (b'{"key": "header"}\n', "lines of JSON"),
    "deep": (b"[" * 100_000, "lines of JSON"),
    "unknown key": (json.dumps(HEADER).encode() + b'\n{"key": "boom", "value": {"path": "a"}}', "“boom”"),
    "file without content": (b'{"key": "file", "value": {"path": "a.pt"}}', "lines of JSON"),
    "no base64": (b'{"key": "file", "value": {"path": "a.pt", "content": "?"}}', "no base64"),
    "other encoding": (json.dumps(file("a.pt", encoding="utf-8")).encode(), "base64"),
    "half a pair": (json.dumps(file("\ud800.pt")).encode(), "text"),
    "NUL": (json.dumps(file("a\0.pt")).encode(), "text"),
    "no path": (b'{"key": "file", "value": {"path": 5, "content": ""}}', "text"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_no_commit_are_refused(client: Client, version: Version, name: str) -> None:
    body, words = BODIES[name]
    response = raw(client, body)
    assert response.status_code == 400, response.content
    assert words in response.json()["error"]
    assert Commit.objects.filter(embedding=version.embedding).count() == 2


@pytest.mark.parametrize(
    "path",
    ["../a.pt", "/a.pt", "a/../../b.pt", ".git/a.pt", "", "a\\b.pt", "a\nb.pt", "README.txt", "a/README.md"],
)
def test_paths_that_lead_elsewhere_or_mean_nothing_are_refused(
    client: Client, version: Version, path: str
) -> None:
    response = commit(client, file(path, samples.canonical_file("tiny", vectors=1, seed=2)))
    assert (response.status_code, response.json()["code"]) == (422, "path_not_taken")


def test_a_path_comes_once(client: Client, version: Version) -> None:
    response = commit(client, file("README.md", b"# One"), file("README.md", b"# Two"))
    assert response.json()["code"] == "path_not_taken"


def test_what_git_adds_by_itself_is_passed_over(client: Client, version: Version) -> None:
    response = commit(client, file(".gitattributes", b"* lfs"))
    assert response.status_code == 200
    assert response.json()["commitOid"] == shelf.commit_of(version)
    asked = client.post(
        f"{MODEL}/preupload/main", {"files": [{"path": ".gitattributes", "size": 5, "sample": ""}]},
        content_type="application/json", headers=shelf.bearer("mara", "publish"),
    )  # fmt: skip
    assert asked.json()["files"][0]["shouldIgnore"] is True


def test_files_over_the_limit_and_too_many_lines_are_refused(
    client: Client, version: Version, settings: Any
) -> None:
    settings.HUB = {**settings.HUB, "HUB_MAX_UPLOAD_MB": 1, "HUB_MAX_PICTURE_MB": 1}
    assert commit(client, file("a.pt", b"\0" * (1 << 21))).status_code == 413
    many = [{"key": "deletedFile", "value": {"path": f"{number}"}} for number in range(1_001)]
    assert commit(client, *many).status_code == 413


def test_a_file_of_several_pieces_of_base64_arrives_whole(client: Client, version: Version) -> None:
    content = samples.canonical_file("tiny", vectors=60, seed=4) + b"\0"
    response = commit(client, file("a.safetensors", content + b"\0" * (3 << 20)))
    assert response.status_code == 422
    assert "a.safetensors: " in response.json()["error"]


def test_a_refused_push_leaves_nothing(client: Client, version: Version, settings: Any) -> None:
    before = Blob.objects.count()
    picture, text = file("a.png", samples.picture()), file("b.png", b"no picture")
    card = file("README.md", b"# Other title\n")
    assert commit(client, card, picture, text).status_code == 422
    assert Blob.objects.count() == before
    assert Embedding.objects.get().title == "Moss Glow"
    assert list(settings.FILE_UPLOAD_TEMP_DIR.glob("push-*")) == []


def test_a_card_with_one_of_our_tokens_revokes_it(client: Client, version: Version) -> None:
    token, secret = factories.token("mara", scopes=["read"])
    response = commit(client, file("README.md", f"---\nlicense: mit\nnote: {secret}\n---\n".encode()))
    assert response.json()["code"] == "secret_in_text"
    token.refresh_from_db()
    assert token.revoked_at is not None


HOSTILE = {
    "self": 1,
    "ignore_metadata_errors": True,
    "tags": 5,
    "eval_results": 5,
    "model-index": [{"name": "x"}],
    "license": ["mit", {"a": 1}],
    "base_model": {"a": "b"},
    "base_model_relation": 7,
    "library_name": None,
    "pipeline_tag": ["x"],
    "instance_prompt": {"x": 1},
    "glossa": "mine",
    "get": "x",
    "yes": "x",
    "a: b\n- c": "x",
    "nul": "a\0b",
    "far": 1e308 * 10,
    "deep": [[[[[[[[1]]]]]]]],
    "ok": {"nested": ["fine", 1, None, True]},
}


def test_a_hostile_card_breaks_neither_its_page_nor_a_listing(client: Client, version: Version) -> None:
    """Even one that got into the database past every check."""
    hub_models = pytest.importorskip("huggingface_hub.hf_api")
    repocard = pytest.importorskip("huggingface_hub.repocard")
    plain = json.loads(
        json.dumps({key: value for key, value in HOSTILE.items() if key not in ("far", "nul")})
    )
    Embedding.objects.filter(pk=version.embedding_id).update(said=plain)
    records = client.get("/api/models", {"full": "true"}).json()
    records.append(client.get(MODEL).json())
    for record in records:
        assert not {"self", "get", "yes", "eval_results", "model-index"} & set(record["cardData"])
        info = hub_models.ModelInfo(**record)
        assert info.card_data["license"] == version.licence
        assert info.card_data["ok"] == {"nested": ["fine", 1, None, True]}
        assert all(isinstance(tag, str) for tag in info.tags)
    assert commit(client, file("README.md", b"# New title\n")).status_code == 200
    card = repocard.ModelCard(client.get("/mara/moss-glow/resolve/main/README.md").content.decode())
    assert card.data["ok"] == {"nested": ["fine", 1, None, True]}
    assert card.data["license"] == version.licence


@pytest.mark.parametrize("key", [key for key in HOSTILE if key not in ("far", "nul")])
def test_what_a_hostile_card_pushes_is_refused_or_made_harmless(
    client: Client, version: Version, key: str
) -> None:
    card = f"---\n{json.dumps({'license': 'mit', key: HOSTILE[key]})}\n---\n# Title\n"
    response = commit(client, file("README.md", card.encode()))
    assert response.status_code in (200, 422), response.content
    record = client.get(MODEL).json()
    assert record["cardData"]["license"] == version.licence
    assert record["cardData"]["glossa"]["trigger"] == version.trigger
    assert record["library_name"] == "diffusers"
