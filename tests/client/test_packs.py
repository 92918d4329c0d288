"""Packs by the real client: locked as the hub locks them, synced, followed when they change."""

import json
import urllib.request
from pathlib import Path

import pytest

from hub.models import Collection, Embedding, Version
from hub.services.packs import members
from tests import factories
from tests.client.runner import Glossa
from tests.client.test_sync_journeys import listing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def words(disk_blobs: Path) -> list[Version]:
    made = [("mara", "moss-glow", "sd1"), ("otto", "ink-wash", "sd1"), ("otto", "star-dust-word", "tiny")]
    return [factories.published(owner, name, family=family).versions.get() for owner, name, family in made]


@pytest.fixture
def pack(words: list[Version]) -> Collection:
    return factories.pack("mara", "wet-places", *words)


def test_a_pack_is_locked_byte_for_byte_as_the_hub_does_and_synced(
    glossa: Glossa, pack: Collection, tmp_path: Path
) -> None:
    said = glossa("lock", "mara/wet-places", cwd=tmp_path)
    assert "3 embeddings of the pack mara/wet-places" in said.out
    data = (tmp_path / "glossa.lock.json").read_bytes()
    with urllib.request.urlopen(f"{glossa.hub}/api/hub/v1/packs/mara/wet-places/lock") as answer:
        assert answer.read() == data
    said = glossa("sync", "--tool", "a1111", "--dir", "tool", cwd=tmp_path)
    assert listing(tmp_path / "tool" / "embeddings") == ["ink-wash.safetensors", "moss-glow.safetensors"]
    assert "otto/star-dust-word@v1" in said.err
    assert glossa("verify", "--tool", "a1111", "--dir", "tool", cwd=tmp_path).code == 0
    assert "is up to date" in glossa("lock", "mara/wet-places", cwd=tmp_path).out


def test_a_changed_pack_is_followed_after_it_is_locked_anew(
    glossa: Glossa, pack: Collection, tmp_path: Path
) -> None:
    glossa("lock", "mara/wet-places", cwd=tmp_path)
    glossa("sync", "--dir", "out", cwd=tmp_path)
    before = (tmp_path / "out" / "moss-glow.safetensors").read_bytes()
    owner = factories.viewer("mara")
    moss, ink, _ = pack.members.order_by("pk")
    newer = factories.version(Embedding.objects.get(name="moss-glow"), trigger="moss-glow", family="sd1")
    members.bump_member(owner, pack=pack, member=moss.pk, number=newer.number)
    members.remove_member(owner, pack=pack, member=ink.pk)
    glossa("sync", "--dir", "out", cwd=tmp_path)
    assert (tmp_path / "out" / "moss-glow.safetensors").read_bytes() == before
    glossa("lock", "mara/wet-places", cwd=tmp_path)
    glossa("sync", "--dir", "out", "--prune", cwd=tmp_path)
    assert listing(tmp_path / "out") == ["moss-glow.safetensors", "star-dust-word.safetensors"]
    assert (tmp_path / "out" / "moss-glow.safetensors").read_bytes() != before


def test_a_pack_is_pulled_by_its_name(glossa: Glossa, pack: Collection, tmp_path: Path) -> None:
    said = glossa("pull", "mara/wet-places", "--tool", "comfyui", "--dir", tmp_path, "--json")
    assert [one["trigger"] for one in said.record["placed"]] == ["moss-glow", "ink-wash"] or len(
        said.record["placed"]
    ) == 2
    assert said.record["left_out"] == ["otto/star-dust-word@v1"]
    assert glossa("pull", "mara/dry-places", ok=False).code == 3


def test_a_private_pack_needs_the_token_of_its_owner(
    glossa: Glossa, words: list[Version], tmp_path: Path
) -> None:
    factories.pack("mara", "for-me", *words, visibility="private")
    assert glossa("lock", "mara/for-me", cwd=tmp_path, ok=False).code == 3
    glossa.variables["GLOSSA_TOKEN"] = factories.token("mara")[1]
    glossa("lock", "mara/for-me", cwd=tmp_path)
    assert json.loads((tmp_path / "glossa.lock.json").read_text())["pack"] == "mara/for-me"
