"""Two at once on a pack: one word stays one, a name is one thing, places stay in order, likes are counted right."""

from collections.abc import Callable

import pytest

from hub.errors import Conflict, HubError
from hub.models import Collection, Embedding, Like, Version
from hub.services.embeddings import sharing
from hub.services.packs import members, packs
from tests import factories
from tests.services.test_races import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]


def heads(*names: str, **fields: str) -> list[Version]:
    return [
        factories.version(factories.embedding(name=name), trigger=fields.get("trigger", name))
        for name in names
    ]


def test_of_two_members_of_one_word_one_goes_in() -> None:
    viewer, pack = factories.viewer(), factories.pack("ada", "wet-places")
    words = heads("moss-dragon", "green-thing", trigger="moss-dragon")
    results = together(
        *[lambda word=word: members.add_member(viewer, pack=pack, version=word) for word in words]
    )
    refused = [one for one in results if isinstance(one, HubError)]
    assert [one.code for one in refused] == ["trigger_in_pack"]
    assert pack.members.count() == 1


def test_members_added_together_get_places_of_their_own() -> None:
    viewer, pack = factories.viewer(), factories.pack("ada", "wet-places")
    words = heads("moss-dragon", "fern-light", "rust-tide")
    results = together(
        *[lambda word=word: members.add_member(viewer, pack=pack, version=word) for word in words]
    )
    assert not [one for one in results if isinstance(one, HubError)]
    assert list(pack.members.values_list("position", flat=True)) == [1, 2, 3]
    last = pack.revisions.last()
    assert last is not None
    assert len(last.members) == 3


def test_a_name_wanted_for_a_pack_and_an_embedding_at_once_is_one_of_them() -> None:
    viewer = factories.viewer()
    wanted: list[Callable[[], object]] = [
        lambda: packs.create_pack(viewer, name="wet-places"),
        lambda: factories.embedding(name="wet-places"),
    ]
    results = together(*wanted)
    assert [one.code for one in results if isinstance(one, Conflict)] == ["name_taken"]
    assert Collection.objects.count() + Embedding.objects.count() == 1


def test_one_person_pressing_twice_at_once_likes_once() -> None:
    embedding = heads("moss-dragon")[0].embedding
    bob = factories.viewer("bob")
    results = together(*[lambda: sharing.like(bob, embedding=embedding)] * 3)
    assert not [one for one in results if isinstance(one, HubError)]
    embedding.refresh_from_db()
    assert (embedding.likes, Like.objects.count()) == (1, 1)
    together(*[lambda: sharing.unlike(bob, embedding=embedding)] * 3)
    embedding.refresh_from_db()
    assert embedding.likes == 0
