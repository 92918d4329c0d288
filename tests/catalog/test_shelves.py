"""Everything offered as tools walk through it, on either database: orders, search, pictures, names, many digests."""

from dataclasses import replace
from pathlib import Path

import pytest

from hub.access import ANONYMOUS
from hub.catalog import directory, gallery, hashes, shelves, whole
from hub.errors import Invalid, NotFound
from hub.models import Embedding
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def words() -> list[Embedding]:
    """Three public embeddings, oldest first, and a private one."""
    made = [factories.published(name=f"word-{letter}", tags=[f"tag-{letter}", "all"]) for letter in "abc"]
    factories.published(name="word-private", visibility="private", tags=["secret"])
    return made


def walked(question: shelves.Question) -> list[int]:
    """The ids of all that a walk by cursor meets, two at a time."""
    met, cursor = [], ""
    while True:
        page = shelves.list_shelves(ANONYMOUS, question=replace(question, cursor=cursor, limit=2))
        met += [shelf.embedding.pk for shelf in page.items]
        if page.next is None:
            return met
        cursor = page.next


def test_a_walk_follows_its_order_and_meets_everything_once(words: list[Embedding]) -> None:
    ids = [word.pk for word in words]
    assert walked(shelves.Question(sort="oldest")) == ids
    assert walked(shelves.Question(sort="newest")) == ids[::-1]
    Embedding.objects.filter(pk=ids[1]).update(downloads=5)
    assert walked(shelves.Question(sort="pulled")) == [ids[1], ids[2], ids[0]]
    assert sorted(walked(shelves.Question(query="word"))) == ids
    assert walked(shelves.Question(query="word", tag="tag-b")) == [ids[1]]


def test_a_place_in_one_order_is_no_place_in_another(words: list[Embedding]) -> None:
    page = shelves.list_shelves(ANONYMOUS, question=shelves.Question(sort="newest", limit=1))
    with pytest.raises(Invalid):
        shelves.list_shelves(ANONYMOUS, question=shelves.Question(sort="pulled", cursor=page.next or ""))


def test_a_search_goes_on_where_it_was_when_the_last_one_seen_is_gone(words: list[Embedding]) -> None:
    question = shelves.Question(query="word", limit=1)
    first = shelves.list_shelves(ANONYMOUS, question=question)
    Embedding.objects.filter(pk=first.items[0].embedding.pk).update(visibility="private")
    rest = shelves.list_shelves(ANONYMOUS, question=replace(question, cursor=first.next or "", limit=9))
    assert first.items[0].embedding.pk not in [shelf.embedding.pk for shelf in rest.items]


def test_names_are_those_of_public_things(words: list[Embedding]) -> None:
    factories.published("otto", "hidden-word", visibility="unlisted")
    creators = directory.creators(ANONYMOUS)
    assert [(one.name, one.count) for one in creators.items] == [("ada", 3)]
    tags = directory.tags(ANONYMOUS, part="A", limit=2)
    assert ([(one.name, one.count) for one in tags.items], tags.total) == ([("all", 3), ("tag-a", 1)], 4)
    assert [one.name for one in directory.people(ANONYMOUS, start="a")] == ["ada"]


def test_pictures_of_many_versions_come_newest_first(words: list[Embedding], tmp_path: Path) -> None:
    for word in words:
        factories.sheet(word.versions.get(), tmp_path, columns=2)
    shown, cursor = gallery.pictures(ANONYMOUS, question=gallery.Question(limit=4))
    rest, end = gallery.pictures(ANONYMOUS, question=gallery.Question(cursor=cursor or ""))
    numbers = [one.preview.pk for one in (*shown, *rest)]
    assert (len(shown), len(rest), end) == (4, 2, None)
    assert numbers == sorted(numbers, reverse=True)
    assert all(one.is_open and one.preview.block == "A" for one in (*shown, *rest))


def test_many_digests_are_looked_up_at_once(words: list[Embedding]) -> None:
    versions = [word.versions.get() for word in words]
    asked = [version.source_sha256 for version in versions] + [f"{number:064x}" for number in range(9_000)]
    found = hashes.by_sha256(ANONYMOUS, asked)
    assert found == {version.source_sha256: version for version in versions}
    named = hashes.named(ANONYMOUS, versions[0].source_sha256[:12].upper())
    assert named == versions[0].pk


def test_what_is_hidden_has_no_number(words: list[Embedding]) -> None:
    hidden = Embedding.objects.get(name="word-private")
    with pytest.raises(NotFound):
        whole.embedding(ANONYMOUS, number=hidden.pk)
    with pytest.raises(NotFound):
        whole.version(ANONYMOUS, number=hidden.versions.get().pk)
    assert whole.embedding(factories.viewer(), number=hidden.pk).embedding == hidden
