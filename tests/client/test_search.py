"""`glossa search` against a real hub."""

from pathlib import Path

import pytest

from tests import factories
from tests.client.runner import Glossa

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def shelf(disk_blobs: Path) -> None:
    factories.published("mara", "moss-glow", family="sd1", kind="style", title="Moss glow")
    factories.published("mara", "ink-wash", family="sd2", kind="style")
    factories.published("otto", "bad-hands", family="sd1", kind="negative")
    factories.published("otto", "hidden-one", family="sd1", visibility="private")


@pytest.mark.usefixtures("shelf")
def test_filters_narrow_down_what_is_found(glossa: Glossa) -> None:
    def found(*words: str) -> list[str]:
        return sorted(row["name"] for row in glossa("search", *words, "--json").record["found"])

    assert found() == ["mara/ink-wash", "mara/moss-glow", "otto/bad-hands"]
    assert found("moss") == ["mara/moss-glow"]
    assert found("--family", "sd1") == ["mara/moss-glow", "otto/bad-hands"]
    assert found("--kind", "negative") == ["otto/bad-hands"]
    assert found("--owner", "Mara") == ["mara/ink-wash", "mara/moss-glow"]
    assert found("--family", "sd1", "--owner", "mara", "moss") == ["mara/moss-glow"]
    assert found("nothing-like-that") == []
    assert len(found("--limit", "2")) == 2


@pytest.mark.usefixtures("shelf")
def test_an_order_that_is_asked_for_is_kept_with_words_and_without(glossa: Glossa) -> None:
    factories.published("otto", "fern", title="Another moss", family="sd1")

    def found(*words: str) -> list[str]:
        return [row["name"] for row in glossa("search", *words, "--json").record["found"]]

    assert found("--sort", "name", "--family", "sd1") == ["otto/fern", "otto/bad-hands", "mara/moss-glow"]
    assert found("moss", "--sort", "name") == ["otto/fern", "mara/moss-glow"]
    assert found("moss", "--sort", "old") == ["mara/moss-glow", "otto/fern"]
    assert found()[0] == "otto/fern"


@pytest.mark.usefixtures("shelf")
def test_the_table_has_what_a_person_needs_to_pull(glossa: Glossa, tmp_path: Path) -> None:
    lines = glossa("search", "moss").out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "FAMILY", "WORD", "VERSION", "PULLS", "TITLE"]
    assert lines[1].split() == ["mara/moss-glow", "style", "sd1", "moss-glow", "1", "0", "Moss", "glow"]
    assert glossa("search", "nothing-like-that").out == ""
    glossa("pull", lines[1].split()[0], "--dir", tmp_path / "out")


@pytest.mark.usefixtures("shelf")
def test_private_words_are_found_with_the_token_of_their_owner(glossa: Glossa) -> None:
    glossa.variables["GLOSSA_TOKEN"] = factories.token("otto")[1]
    names = [row["name"] for row in glossa("search", "--owner", "otto", "--json").record["found"]]
    assert "otto/hidden-one" in names
