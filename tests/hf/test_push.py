"""Pushing with an unmodified huggingface_hub: what becomes of it, and what its user is told."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.signals import request_started

from hub.models import Blob, Commit, Embedding, Preview, Version
from tests import factories, samples
from tests.hf import shelf
from tests.hf.conftest import Ask, Hf, needs_diffusers, not_with_the_old_client

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]
CARD = """---
license: mit
kind: object
trigger: moss-glow
tags:
- forest
- textual_inversion
language: en
widget:
- text: a forest
  output: {url: images/1.png}
---
# Moss glow

Light under leaves.
"""


def file(seed: int = 1, family: str = "tiny") -> bytes:
    """An embedding file with values of its own."""
    return samples.canonical_file(family, vectors=2, seed=seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an embedding and its card, as a person has it on disk."""
    folder = tmp_path / "moss"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "my-file.safetensors").write_bytes(file())
    return folder


@pytest.fixture
def version() -> Version:
    """The first version of mara/moss-glow."""
    return factories.published("mara", "moss-glow", tags=["forest"], summary="Green light.").versions.get()


def put(ask: Ask, path: Path | str, name: str, token: str | None, **more: str) -> list[str]:
    """`upload_file` to mara/moss-glow, or to `repo`: the error's class and words, else `none`."""
    names = {"repo": "mara/moss-glow", "revision": "main", **more}
    lines = """
    answer = told(lambda: api.upload_file(path_or_fileobj=path, path_in_repo=name, repo_id=repo, revision=revision).oid)
    """
    result: list[str] = ask(lines, token=token, path=str(path), name=name, **names)
    return result


def test_a_folder_becomes_a_version_and_its_commit_resolves_at_once(
    ask: Ask, writer: str, folder: Path
) -> None:
    answer = ask(
        """
    import pathlib
    from huggingface_hub import hf_hub_download
    url = api.create_repo("mara/moss-glow")
    done = api.upload_folder(repo_id="mara/moss-glow", folder_path=folder, commit_message="First light")
    path = hf_hub_download("mara/moss-glow", "learned_embeds.safetensors", revision=done.oid)
    info = api.model_info("mara/moss-glow")
    answer = [url.repo_id, done.oid, info.sha, pathlib.Path(path).parent.name, info.card_data.to_dict(), info.tags,
        [commit.title for commit in api.list_repo_commits("mara/moss-glow")]]
    """,
        token=writer,
        folder=str(folder),
    )
    version = Version.objects.get()
    name, oid, head, pulled, card, tags, titles = answer
    assert name == "mara/moss-glow"
    assert oid == head == pulled == shelf.commit_of(version)
    assert (version.number, version.state, version.trigger) == (1, "published", "moss-glow")
    assert (version.licence, version.notes) == ("mit", "First light")
    row = Embedding.objects.get()
    assert (row.title, row.kind, row.card) == ("Moss glow", "object", "Light under leaves.")
    assert (card["license"], card["language"], card["widget"][0]["text"]) == ("mit", "en", "a forest")
    assert {"forest", "textual_inversion", "license:mit"} <= set(tags)
    assert titles == ["First light"]


def test_hf_upload_makes_the_repository_and_says_where_it_is(hf: Hf, writer: str, folder: Path) -> None:
    done = hf("upload", "moss-glow", str(folder), token=writer)
    assert done.returncode == 0, done.stderr
    version = Version.objects.get()
    assert version.embedding.full_name == "mara/moss-glow"
    assert shelf.commit_of(version) in done.stdout + done.stderr or "mara/moss-glow" in done.stdout
    again = hf("upload", "mara/moss-glow", str(folder), token=writer)
    assert again.returncode == 0, again.stderr
    assert Version.objects.count() == 1


def test_the_same_push_again_is_the_same_commit(ask: Ask, writer: str, folder: Path) -> None:
    answer = ask(
        """
    api.create_repo("mara/moss-glow")
    answer = [api.upload_folder(repo_id="mara/moss-glow", folder_path=folder).oid for _ in range(2)]
    """,
        token=writer,
        folder=str(folder),
    )
    assert answer[0] == answer[1]
    assert (Version.objects.count(), Commit.objects.count()) == (1, 2)


def test_what_was_pulled_is_pushed_back_without_a_trace(ask: Ask, writer: str, version: Version) -> None:
    answer = ask(
        """
    from huggingface_hub import snapshot_download
    folder = snapshot_download("mara/moss-glow", local_dir="copy")
    before = api.model_info("mara/moss-glow").sha
    done = api.upload_folder(repo_id="mara/moss-glow", folder_path=folder)
    readme = api.upload_file(path_or_fileobj=f"{folder}/README.md", path_in_repo="README.md", repo_id="mara/moss-glow")
    answer = [before, done.oid, readme.oid]
    """,
        token=writer,
    )
    assert len(set(answer)) == 1
    row = Embedding.objects.get()
    assert (row.title, row.summary, row.card, row.last_number) == ("Moss Glow", "Green light.", "", 1)


def test_a_whole_tree_of_another_embedding_is_one_version(ask: Ask, writer: str, version: Version) -> None:
    ask(
        """
    from huggingface_hub import snapshot_download
    folder = snapshot_download("mara/moss-glow", local_dir="copy")
    api.create_repo("mara/fern")
    answer = api.upload_folder(repo_id="mara/fern", folder_path=folder, ignore_patterns=[".cache/*"]).oid
    """,
        token=writer,
    )
    copy = Version.objects.get(embedding__name="fern")
    assert copy.tensor_digest == version.tensor_digest
    assert (copy.licence, copy.trigger) == (version.licence, version.trigger)


def test_a_file_alone_is_the_next_version_with_what_the_last_one_said(
    ask: Ask, writer: str, version: Version, tmp_path: Path
) -> None:
    path = tmp_path / "anything.safetensors"
    path.write_bytes(file(seed=5))
    error, oid = put(ask, path, "deep/anything.safetensors", writer)
    assert error == "none", oid
    second = Version.objects.get(number=2)
    assert (second.trigger, second.licence) == (version.trigger, version.licence)
    assert oid == shelf.commit_of(second)
    assert second.notes == ""


@pytest.mark.parametrize("layout", ["webui", "diffusers"])
def test_pickled_files_come_through_the_same_reader(
    ask: Ask, writer: str, version: Version, tmp_path: Path, layout: str
) -> None:
    torch = pytest.importorskip("torch")
    values = torch.randn(2, 128) * 0.02
    path = tmp_path / ("a.pt" if layout == "webui" else "learned_embeds.bin")
    webui = {"string_to_param": {"*": values}, "name": "a", "step": 7}
    torch.save(webui if layout == "webui" else {"<moss>": values}, path)
    error, oid = put(ask, path, path.name, writer)
    assert error == "none", oid
    second = Version.objects.get(number=2)
    assert (second.source_name, second.files.filter(path__endswith=".pt").exists()) == (path.name, False)


def test_two_halves_in_one_commit_are_one_sdxl_word(ask: Ask, writer: str, tmp_path: Path) -> None:
    folder = tmp_path / "pair"
    folder.mkdir()
    for name, width in (("learned_embeds.safetensors", 768), ("learned_embeds_2.safetensors", 1280)):
        (folder / name).write_bytes(samples.keyed_file({"<moss-pair>": width}))
    (folder / "README.md").write_text(CARD)
    ask(
        """
    api.create_repo("mara/moss-glow")
    answer = api.upload_folder(repo_id="mara/moss-glow", folder_path=folder).oid
    """,
        token=writer,
        folder=str(folder),
    )
    assert Version.objects.get().family == "sdxl"


def test_pictures_of_a_push_are_shown_with_the_version(ask: Ask, writer: str, folder: Path) -> None:
    (folder / "images").mkdir()
    (folder / "images" / "1.png").write_bytes(samples.picture())
    ask(
        """
    api.create_repo("mara/moss-glow")
    for _ in range(2):
        answer = api.upload_folder(repo_id="mara/moss-glow", folder_path=folder).oid
    """,
        token=writer,
        folder=str(folder),
    )
    assert [(preview.role, preview.version.number) for preview in Preview.objects.all()] == [("upload", 1)]


@not_with_the_old_client
def test_a_changed_card_is_a_commit_of_the_same_version(ask: Ask, writer: str, version: Version) -> None:
    answer = ask(
        """
    from huggingface_hub import ModelCard
    card = ModelCard.load("mara/moss-glow")
    card.data.tags.append("night")
    card.data.license = "mit"
    card.data.base_model = "someone/else"
    card.content = card.content.replace("# Moss Glow", "# Moss at night") + "\\nBest after dark.\\n"
    done = card.push_to_hub("mara/moss-glow", commit_message="Say when")
    info = api.model_info("mara/moss-glow")
    answer = [done.oid, info.sha, info.card_data.license, info.card_data.base_model,
        ModelCard.load("mara/moss-glow").content]
    """,
        token=writer,
    )
    oid, head, licence, base, content = answer
    assert oid == head
    assert Version.objects.count() == 1
    assert (licence, base) == (version.licence, None), "what is frozen with the version wins over the card"
    row = Embedding.objects.get()
    assert (row.title, row.card) == ("Moss at night", "Best after dark.")
    assert sorted(row.tags.values_list("slug", flat=True)) == ["forest", "night"]
    assert content.count("Best after dark.") == content.count("# Moss at night") == 1
    assert Commit.objects.order_by("-sequence")[0].message == "Say when"


def test_the_front_matter_before_the_first_version_is_remembered(ask: Ask, writer: str, folder: Path) -> None:
    answer = ask(
        """
    api.create_repo("mara/moss-glow", private=True)
    answer = [api.upload_file(path_or_fileobj=f"{folder}/{name}", path_in_repo=name, repo_id="mara/moss-glow").oid
        for name in ("README.md", "my-file.safetensors")]
    """,
        token=writer,
        folder=str(folder),
    )
    version = Version.objects.get()
    assert (version.licence, version.embedding.kind) == ("mit", "object")
    assert version.embedding.visibility == "private"
    assert answer[1] == shelf.commit_of(version)


def test_a_first_version_without_licence_and_kind_names_the_lines_to_write(
    ask: Ask, writer: str, folder: Path
) -> None:
    factories.embedding("mara", "moss-glow", kind="")
    error, said = put(ask, folder / "my-file.safetensors", "a.safetensors", writer)
    assert error == "HfHubHTTPError"
    assert "license: cc-by-4.0" in said and "kind: style" in said
    assert not Version.objects.exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("notes.txt", "notes.txt is not taken here"),
        ("model.gguf", "model.gguf is not taken here"),
        ("text.safetensors", "text.safetensors: "),
        ("text.png", "text.png: "),
    ],
)
def test_files_that_are_nothing_here_are_refused_by_name(
    ask: Ask, writer: str, version: Version, tmp_path: Path, name: str, words: str
) -> None:
    path = tmp_path / name
    path.write_text("just text")
    blobs = Blob.objects.count()
    error, said = put(ask, path, name, writer)
    assert error == "HfHubHTTPError"
    assert words in said
    assert (Version.objects.count(), Blob.objects.count()) == (1, blobs)


def test_several_embeddings_in_one_commit_are_refused_with_their_names(
    ask: Ask, writer: str, version: Version, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.safetensors").write_bytes(file(seed=ord(name[0])))
    error, said = ask(
        """
    operations = [CommitOperationAdd(f"{name}.safetensors", f"{name}.safetensors") for name in ("one", "two")]
    answer = told(lambda: api.create_commit("mara/moss-glow", operations, commit_message="Both"))
    """,
        token=writer,
    )
    assert error == "HfHubHTTPError"
    assert "one.safetensors" in said and "two.safetensors" in said and "one version" in said
    assert Version.objects.count() == 1


def test_deleting_what_is_served_is_refused_and_replacing_it_is_not(
    ask: Ask, writer: str, version: Version, tmp_path: Path
) -> None:
    (tmp_path / "new.safetensors").write_bytes(file(seed=9))
    answer = ask(
        """
    name = "learned_embeds.safetensors"
    replace = [CommitOperationDelete(name), CommitOperationAdd("new.safetensors", "new.safetensors")]
    answer = [
        told(lambda: api.delete_file(name, "mara/moss-glow")),
        told(lambda: api.delete_file("nothing.bin", "mara/moss-glow")),
        told(lambda: api.create_commit("mara/moss-glow", replace, commit_message="Better").oid),
    ]
    """,
        token=writer,
    )
    assert answer[0][0] == "HfHubHTTPError" and "yank or delete the version" in answer[0][1]
    assert answer[1][0] in ("EntryNotFoundError", "RemoteEntryNotFoundError"), answer[1]
    assert answer[2] == ["none", shelf.commit_of(Version.objects.get(number=2))]


def test_a_push_that_builds_on_an_old_commit_is_refused(
    ask: Ask, writer: str, version: Version, tmp_path: Path
) -> None:
    old = shelf.commit_of(version)
    factories.version(Embedding.objects.get(), trigger="moss-glow")
    (tmp_path / "new.safetensors").write_bytes(file(seed=9))
    lines = """
    add = [CommitOperationAdd("new.safetensors", "new.safetensors")]
    answer = told(lambda: api.create_commit("mara/moss-glow", add, commit_message="x", parent_commit=parent))
    """
    error, said = ask(lines, token=writer, parent=old)
    assert error == "HfHubHTTPError" and "412" in said and "has moved" in said
    head = shelf.commit_of(Version.objects.get(number=2))
    assert ask(lines, token=writer, parent=head)[0] == "none"


def test_who_may_not_push_is_told_why_by_the_clients_own_errors(
    ask: Ask, version: Version, tmp_path: Path
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(file(seed=9))
    factories.published("otto", "loud")
    factories.published("otto", "quiet", visibility="private")
    reader, publisher = (factories.token("mara", scopes=scopes)[1] for scopes in (["read"], ["publish"]))
    error, said = put(ask, path, path.name, reader)
    assert error == "HfHubHTTPError" and "403" in said and "scope" in said and "publish" in said
    assert put(ask, path, path.name, None)[0] == "HfHubHTTPError"
    foreign = put(ask, path, path.name, "hf_" + "a" * 34)
    assert foreign[0] == "HfHubHTTPError" and "Invalid credentials" in foreign[1]
    error, said = put(ask, path, path.name, publisher, repo="otto/loud")
    assert error == "HfHubHTTPError" and "403" in said and "not change it" in said
    for repo in ("otto/quiet", "mara/nothing"):
        assert put(ask, path, path.name, publisher, repo=repo)[0] == "RepositoryNotFoundError"
    assert put(ask, path, path.name, publisher, revision="v9")[0] == "RevisionNotFoundError"
    error, said = put(ask, path, path.name, publisher, revision="v1")
    assert error == "BadRequestError" and "push to main" in said
    assert Version.objects.filter(embedding__name="moss-glow").count() == 1
    assert put(ask, path, path.name, publisher)[0] == "none", "the scope publish is enough for a file"


def test_changing_a_card_needs_the_scope_for_it(ask: Ask, version: Version, tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(CARD)
    publisher = factories.token("mara", scopes=["read", "publish"])[1]
    error, said = put(ask, path, "README.md", publisher)
    assert error == "HfHubHTTPError" and "manage" in said
    assert Embedding.objects.get().title == "Moss Glow"


def test_a_push_over_the_quota_is_refused_before_a_byte_is_sent(
    ask: Ask, writer: str, version: Version, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setitem(settings.HUB, "HUB_QUOTA_MB", 1)
    request_started.connect(
        lambda environ, **_: asked.append(environ["PATH_INFO"]), weak=False, dispatch_uid="q"
    )
    try:
        large = folder / "large.safetensors"
        large.write_bytes(b"\0" * (2 << 20))
        kind, text = put(ask, large, "large.safetensors", writer)
        assert kind == "HfHubHTTPError" and "that one name may fill here" in text and "2.0 MiB more" in text
        assert [one for one in asked if "commit" in one or "lfs" in one] == []
        assert Version.objects.count() == 1
        assert put(ask, folder / "my-file.safetensors", "my-file.safetensors", writer)[0] == "none"
    finally:
        request_started.disconnect(dispatch_uid="q")


def test_pull_requests_are_refused_and_nothing_is_committed_instead(
    ask: Ask, writer: str, version: Version, tmp_path: Path
) -> None:
    (tmp_path / "new.safetensors").write_bytes(file(seed=9))
    error, said = ask(
        """
    add = [CommitOperationAdd("new.safetensors", "new.safetensors")]
    answer = told(lambda: api.create_commit("mara/moss-glow", add, commit_message="x", create_pr=True))
    """,
        token=writer,
    )
    assert error == "HfHubHTTPError" and "no pull requests" in said
    assert Version.objects.count() == 1


@needs_diffusers
def test_diffusers_loads_what_was_pushed(ask: Ask, writer: str, folder: Path) -> None:
    pytest.importorskip("diffusers")
    base = Path(__file__).resolve().parents[2] / "trainer" / "bundled" / "base"
    words = ask(
        """
    import torch
    from diffusers import StableDiffusionPipeline
    api.create_repo("mara/moss-glow")
    oid = api.upload_folder(repo_id="mara/moss-glow", folder_path=folder).oid
    pipeline = StableDiffusionPipeline.from_pretrained(base, torch_dtype=torch.float32, safety_checker=None)
    pipeline.load_textual_inversion("mara/moss-glow", revision=oid)
    answer = [word for word in pipeline.tokenizer.get_added_vocab() if not word.startswith("<|")]
    """,
        token=writer,
        folder=str(folder),
        base=str(base),
    )
    assert words == ["moss-glow", "moss-glow_1"]
