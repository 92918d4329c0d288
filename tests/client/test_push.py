"""`glossa push` against a real hub."""

from pathlib import Path

import pytest

from hub.models import Embedding, Version
from tests import factories, samples
from tests.client.runner import Glossa

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def mara(glossa: Glossa) -> Glossa:
    """The client of somebody who may publish and manage."""
    factories.user("mara")
    secret = factories.token("mara", scopes=["read", "publish", "manage"])[1]
    glossa.variables["GLOSSA_TOKEN"] = secret
    return glossa


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "moss-glow.safetensors"
    path.write_bytes(samples.canonical_file("sd1", trigger="moss-glow", vectors=2))
    return path


def test_a_file_becomes_a_version_and_the_same_push_again_makes_no_second(mara: Glossa, file: Path) -> None:
    words = ("push", file, "--kind", "style", "--licence", "cc-by-4.0", "--title", "Moss glow", "--json")
    first = mara(*words).record
    assert (first["name"], first["version"], first["new"]) == ("mara/moss-glow", 1, True)
    version = Version.objects.get()
    assert (version.trigger, version.licence, version.family) == ("moss-glow", "cc-by-4.0", "sd1")
    assert (version.embedding.kind, version.embedding.title) == ("style", "Moss glow")
    again = mara(*words).record
    assert (again["version"], again["new"]) == (1, False)
    assert Version.objects.count() == 1


def test_a_second_version_keeps_what_was_said_of_the_first(mara: Glossa, file: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.md"
    text.write_text("Soft light on *stones*.\n")
    mara(
        "push", file, "mara/word-of-mine", "--kind", "style", "--licence", "cc-by-4.0", "--card", text,
        "--tag", "forest", "--trigger", "word-of-mine",
    )  # fmt: skip
    file.write_bytes(samples.canonical_file("sd1", trigger="moss-glow", vectors=2, seed=7))
    said = mara("push", file, "word-of-mine", "--notes", "Brighter.", "--title", "A word", "--json").record
    assert (said["name"], said["version"], said["new"]) == ("mara/word-of-mine", 2, True)
    embedding = Embedding.objects.get()
    assert (embedding.title, embedding.card.strip()) == ("A word", "Soft light on *stones*.")
    assert [tag.slug for tag in embedding.tags.all()] == ["forest"]
    second = embedding.versions.get(number=2)
    assert (second.licence, second.trigger, second.notes) == ("cc-by-4.0", "word-of-mine", "Brighter.")


def test_what_was_pushed_is_pulled_with_the_same_values(mara: Glossa, file: Path, tmp_path: Path) -> None:
    mara("push", file, "--kind", "style", "--licence", "cc-by-4.0", "--visibility", "private")
    mara("pull", "mara/moss-glow@v1", "--tool", "a1111", "--dir", tmp_path / "tool")
    said = mara(
        "push", tmp_path / "tool" / "embeddings" / "moss-glow.safetensors", "moss-glow", "--json"
    ).record
    assert (said["version"], said["new"]) == (1, False)
    assert Embedding.objects.get().visibility == "private"


def test_what_is_no_embedding_is_refused_before_anything_is_sent(mara: Glossa, tmp_path: Path) -> None:
    lora = tmp_path / "lora.safetensors"
    lora.write_bytes(samples.lora_file())
    mara.variables["GLOSSA_HUB"] = "http://127.0.0.1:9"
    said = mara("push", lora, "--kind", "style", "--licence", "cc-by-4.0", ok=False)
    assert said.code == 8
    assert "LoRA" in said.err
    assert mara("push", tmp_path / "none.safetensors", ok=False).code == 7


def test_refusals_come_in_the_hubs_own_words(mara: Glossa, file: Path) -> None:
    said = mara("push", file, ok=False)
    assert said.code == 2
    assert "--licence" in said.err
    said = mara("push", file, "--licence", "cc-by-4.0", ok=False)
    assert said.code == 2
    assert "--kind" in said.err
    said = mara("push", file, "--kind", "style", "--licence", "cc-by-4.0", "--trigger", "moss", ok=False)
    assert said.code == 8
    assert "already know the word moss" in said.err
    # The embedding is there now, without a version, and the next push gives it one.
    assert mara("push", file, "--kind", "style", "--licence", "cc-by-4.0", "--json").record["version"] == 1
    said = mara("push", file, "otto/moss-glow", "--kind", "style", "--licence", "cc-by-4.0", ok=False)
    assert said.code == 4
    mara.variables.pop("GLOSSA_TOKEN")
    assert mara("push", file, ok=False).code == 4


def test_a_token_that_may_publish_but_not_manage_says_what_was_done_and_what_not(
    mara: Glossa, file: Path
) -> None:
    mara("push", file, "--kind", "style", "--licence", "cc-by-4.0")
    mara.variables["GLOSSA_TOKEN"] = factories.token("mara", scopes=["read", "publish"])[1]
    file.write_bytes(samples.canonical_file("sd1", trigger="moss-glow", vectors=2, seed=9))
    said = mara("push", file, "--title", "Another", ok=False)
    assert said.code == 4
    assert "v2 is published, but title could not be changed" in said.err


def test_a_token_that_may_only_read_cannot_push(mara: Glossa, file: Path) -> None:
    mara.variables["GLOSSA_TOKEN"] = factories.token("mara")[1]
    said = mara("push", file, "--kind", "style", "--licence", "cc-by-4.0", ok=False)
    assert said.code == 4
    assert "publish" in said.err


def test_a_word_is_pushed_under_a_teams_name_by_who_writes_for_it(mara: Glossa, file: Path) -> None:
    factories.team(mara="writer")
    factories.team("moss-house", mara="reader")
    assert "you write for fern-house" in mara("whoami").out
    words = ("--kind", "style", "--licence", "cc-by-4.0", "--json")
    made = mara("push", file, "fern-house/moss-glow", *words).record
    assert (made["name"], made["version"], made["new"]) == ("fern-house/moss-glow", 1, True)
    refused = mara("push", file, "moss-house/moss-glow", *words, ok=False)
    assert refused.code == 4
    assert "you can make one under your own name and those of teams" in refused.err
    assert [one.full_name for one in Embedding.objects.all()] == ["fern-house/moss-glow"]
