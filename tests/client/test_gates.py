"""The client before a gate: it says where one asks, leaves nothing behind, and goes on once it is open."""

from pathlib import Path

import pytest

from hub.models import Version
from hub.services.embeddings import gating
from tests import factories
from tests.client.runner import Glossa

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]
NAME = "mara/moss-glow"


@pytest.fixture
def word(disk_blobs: Path) -> Version:
    """A word of mara's that she lets people have one by one."""
    made = factories.published("mara", "moss-glow", family="sd1")
    gating.set_gate(factories.viewer("mara"), embedding=made, gate="manual")
    return made.versions.get()


@pytest.fixture
def bob(glossa: Glossa) -> Glossa:
    """Bob at the same hub, with a token that may read."""
    token = {"GLOSSA_TOKEN": factories.token("bob")[1]}
    return Glossa(glossa.home, glossa.hub, {**glossa.variables, **token})


@pytest.mark.parametrize("more", [(), ("--layout", "webui-image")])
def test_pull_says_where_one_asks(
    glossa: Glossa, bob: Glossa, word: Version, tmp_path: Path, more: tuple[str, ...]
) -> None:
    pull = ("pull", NAME, *more, "--dir", tmp_path / "out")
    page = f"{glossa.hub}/{NAME}"
    refused = glossa(*pull, ok=False)
    assert refused.code == 4 and "is gated" in refused.err and page in refused.err
    assert f"glossa login {glossa.hub}" in refused.err
    refused = bob(*pull, "--json", ok=False)
    said = refused.record["error"] if "error" in refused.record else refused.record["failed"][0]
    assert (refused.code, said["code"]) == (4, "gated") and page in said["message"]
    assert not list(tmp_path.rglob("moss-glow.*"))
    gating.grant(factories.viewer("mara"), embedding=word.embedding, name="bob")
    assert bob(*pull).code == 0
    assert len(list((tmp_path / "out").rglob("moss-glow.*"))) == 1


def test_sync_names_the_gated_member_of_a_lock(
    glossa: Glossa, bob: Glossa, word: Version, tmp_path: Path
) -> None:
    fern = factories.published("mara", "rust-tide", family="sd1").versions.get()
    factories.pack("mara", "wet-places", word, fern)
    assert bob("lock", "mara/wet-places", cwd=tmp_path).code == 0
    refused = bob("sync", "--dir", "out", cwd=tmp_path, ok=False)
    assert refused.code == 4 and f"{NAME} is gated" in refused.err and f"{glossa.hub}/{NAME}" in refused.err
    gating.grant(factories.viewer("mara"), embedding=word.embedding, name="bob")
    assert bob("sync", "--dir", "out", cwd=tmp_path).code == 0
    assert (tmp_path / "out" / "moss-glow.safetensors").exists()
