"""Lists: what is in them, in which order, how they are filtered and counted; and search, alike on both databases."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.access import ANONYMOUS
from hub.catalog import browse
from hub.errors import Invalid
from hub.models import Embedding
from hub.services.upkeep import counting
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db


def names(viewer: Any = ANONYMOUS, **question: Any) -> list[str]:
    """Names of what a list shows, in order."""
    return [card.name for card in browse.list_embeddings(viewer, **question).items]


def test_a_card_says_all_that_a_list_shows(tmp_path: Path) -> None:
    embedding = factories.published(
        title="Moss dragon", summary="Soft green.", tags=["plants"], vectors=3, licence="cc-by-4.0"
    )
    factories.sheet(embedding.versions.get(), tmp_path)
    (card,) = browse.list_embeddings(ANONYMOUS).items
    assert (card.full_name, card.title, card.summary, card.kind) == (
        "ada/moss-dragon",
        "Moss dragon",
        "Soft green.",
        "style",
    )
    assert (card.trigger, card.family, card.family_title, card.vectors) == (
        "moss-dragon",
        "tiny",
        "Glossa tiny",
        3,
    )
    assert card.licence_title == "CC BY 4.0" and card.tags == ("plants",) and not card.is_trained_here
    assert card.cover == card.cells[0] and len(card.cells) == 4
    assert card.cover.extension == "png" and card.cover.block == "A" and card.cover.width == 64


def test_lists_show_public_embeddings_with_an_offered_version_only() -> None:
    factories.published(name="shown")
    factories.published(name="unlisted", visibility="unlisted")
    factories.published(name="private", visibility="private")
    factories.draft(factories.embedding(name="unfinished"))
    yanked = factories.published(name="yanked")
    publishing.yank(factories.viewer(), version=yanked.versions.get(), reason="Wrong.")
    for viewer in (ANONYMOUS, factories.viewer("bob"), factories.viewer(), factories.moderator()):
        assert names(viewer) == ["shown"]
    assert browse.list_embeddings(ANONYMOUS).facets["kind"][0].count == 1
    assert set(names(factories.viewer(), owner="ada")) == {"shown", "unlisted", "private"}
    assert names(factories.viewer("bob"), owner="Ada") == ["shown"]


def test_the_four_orders() -> None:
    for name, title in [("first", "Zebra"), ("second", "apple"), ("third", "Moss moss moss")]:
        factories.published(name=name, title=title)
    file = Embedding.objects.get(name="second").versions.get().files.first()
    counting.count_download(file_id=file.pk, day="2026-01-01")
    assert names() == ["third", "second", "first"]
    assert names(sort="pulled")[0] == "second"
    assert names(sort="name") == ["second", "third", "first"]
    assert names(sort="best") == names()
    with pytest.raises(Invalid):
        names(sort="random")


def test_facets_filter_and_count_what_the_other_filters_leave() -> None:
    factories.published(name="one", kind="style", tags=["moss"])
    factories.published(name="two", kind="object", tags=["moss", "dusk"], family="sd1")
    factories.published(name="three", kind="style", tags=["dusk"], family="sd1", run_key="0" * 32)
    assert names(kind="style") == ["three", "one"]
    assert names(family="sd1", tag="moss") == ["two"]
    assert names(trained_here=True) == ["three"]
    page = browse.list_embeddings(ANONYMOUS, kind="style")
    counts = {facet.value: facet.count for facet in page.facets["family"]}
    assert counts == {"sd1": 1, "tiny": 1}
    kinds = {facet.value: (facet.count, facet.selected) for facet in page.facets["kind"]}
    assert kinds == {"style": (2, True), "object": (1, False)}
    assert page.facets["trained_here"][0].count == 1
    assert {facet.value: facet.count for facet in page.facets["tag"]} == {"dusk": 1, "moss": 1}
    empty = browse.list_embeddings(ANONYMOUS, tag="nowhere")
    assert empty.total == 0 and empty.facets["tag"][-1].selected


def test_pages_have_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        factories.published(name=f"word-{number}", trigger="moss-dragon")
    page = browse.list_embeddings(ANONYMOUS, page=2, page_size=2)
    assert [card.name for card in page.items] == ["word-2", "word-1"]
    assert (page.total, page.pages, page.has_previous, page.has_next) == (5, 3, True, True)
    assert browse.list_embeddings(ANONYMOUS, page=9).items == ()
    for wrong in ({"page": 0}, {"page_size": 0}, {"page_size": 101}):
        with pytest.raises(Invalid):
            names(**wrong)
    monkeypatch.setattr(browse, "COUNT_CAP", 3)
    capped = browse.list_embeddings(ANONYMOUS)
    assert (capped.total, capped.total_capped) == (3, True)


def test_a_longer_list_takes_no_more_queries(tmp_path: Path) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            browse.list_embeddings(ANONYMOUS, query="word", sort="best")
        return len(queries)

    for number in range(2):
        made = factories.published(name=f"word-{number}", trigger="moss-dragon", tags=["moss"])
        factories.sheet(made.versions.get(), tmp_path)
    before = count()
    for number in range(2, 7):
        made = factories.published(
            name=f"word-{number}", trigger="moss-dragon", tags=["moss", f"tag{number}"]
        )
        factories.sheet(made.versions.get(), tmp_path)
    assert count() == before <= 12


def test_facets_of_broad_lists_may_be_half_a_minute_old(monkeypatch: pytest.MonkeyPatch, valkey: Any) -> None:
    monkeypatch.setattr(browse, "BROAD", 0)
    factories.published(name="word-1")
    assert browse.list_embeddings(ANONYMOUS).facets["kind"][0].count == 1
    factories.published(name="word-2")
    page = browse.list_embeddings(ANONYMOUS)
    assert (page.total, page.facets["kind"][0].count) == (2, 1)
    assert browse.list_embeddings(ANONYMOUS, owner="ada").facets["kind"][0].count == 2
    valkey.flush()
    assert browse.list_embeddings(ANONYMOUS).facets["kind"][0].count == 2


@pytest.fixture
def library() -> None:
    """Four entries with words in different places."""
    factories.published(name="moss-dragon", title="Moss dragon", summary="A green creature.", tags=["plants"])
    factories.published(name="cafe-noir", title="Café noir", card="Looks like moss at night.", kind="object")
    factories.published(name="ring-dusk", title="Ring dusk", tags=["moss"], trigger="ringdusk-x")
    factories.published("bob", "hidden-moss", title="Hidden moss", visibility="unlisted")


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("moss", ["moss-dragon", "ring-dusk", "cafe-noir"]),
        ("MOSS", ["moss-dragon", "ring-dusk", "cafe-noir"]),
        ("dragon moss", ["moss-dragon"]),
        ("drag", ["moss-dragon"]),
        ("cafe", ["cafe-noir"]),
        ("CAFÉ", ["cafe-noir"]),
        ("green creature", ["moss-dragon"]),
        ("plants", ["moss-dragon"]),
        ("moss-dragon", ["moss-dragon"]),
        ("ringdusk", ["ring-dusk"]),
        ("object", ["cafe-noir"]),
        ("ragon", ["moss-dragon"]),
        ("dusk-x", ["ring-dusk"]),
        ("hidden", []),
        ("zebra", []),
        ('"', []),
        ("' OR 1=1 --", []),
        ("NEAR(moss)", []),
        ("moss*", ["moss-dragon", "ring-dusk", "cafe-noir"]),
        ("!& |", []),
        ("%", []),
        ("moss " * 100, ["moss-dragon", "ring-dusk", "cafe-noir"]),
        ("m" * 5000, []),
        ("", None),
        ("  ", None),
    ],
)
def test_search_finds(query: str, found: list[str] | None) -> None:
    if found is None:
        assert len(names(query=query)) == 3
    else:
        assert names(query=query, sort="best") == found


@pytest.mark.usefixtures("library")
def test_search_follows_every_change() -> None:
    embedding = Embedding.objects.get(name="moss-dragon")
    publishing.update_details(factories.viewer(), embedding=embedding, title="Fern wyrm", tags=[], summary="")
    assert names(query="fern") == ["moss-dragon"]
    assert names(query="creature") == []
    assert names(query="plants") == []
    publishing.update_details(factories.viewer(), embedding=embedding, visibility="private")
    assert names(query="fern") == []
    assert names(factories.viewer(), query="fern", owner="ada") == ["moss-dragon"]


@pytest.mark.usefixtures("library")
def test_search_combines_with_filters_and_counts() -> None:
    page = browse.list_embeddings(ANONYMOUS, query="moss", kind="style")
    assert page.total == 2
    assert {facet.value: facet.count for facet in page.facets["kind"]} == {"style": 2, "object": 1}
