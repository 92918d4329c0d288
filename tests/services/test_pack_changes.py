"""What is done to a pack one step after another: order, revisions, deletions, and who may."""

from collections.abc import Callable

import pytest

from hub import worker
from hub.access import ANONYMOUS, Viewer
from hub.catalog import packs as reads
from hub.errors import Forbidden, HubError, Invalid, NotFound
from hub.models import Collection, OutboxJob, Version
from hub.services.packs import members, packs
from hub.services.versions import lifecycle, publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def ada() -> Viewer:
    return factories.viewer()


def word(name: str, owner: str = "ada") -> Version:
    head = factories.published(owner, name).head
    assert head is not None
    return head


def seen(viewer: Viewer, pack: Collection) -> list[str]:
    """The words of the pack in the order in which this viewer sees them."""
    return [one.version.trigger for one in reads.whole(viewer, collection=pack).members]


def test_a_step_passes_the_neighbour_that_the_owner_sees(ada: Viewer) -> None:
    hidden = word("dry-place", "bob")
    pack = factories.pack("ada", "wet-places", word("moss-dragon"), hidden, word("rust-tide"))
    publishing.update_details(factories.viewer("bob"), embedding=hidden.embedding, visibility="private")
    moss, rust = (pack.members.get(trigger=trigger).pk for trigger in ("moss-dragon", "rust-tide"))
    members.move_member(ada, pack=pack, member=rust, by=-1)
    assert seen(ada, pack) == ["rust-tide", "moss-dragon"]
    members.move_member(ada, pack=pack, member=rust, by=1)
    assert seen(ada, pack) == ["moss-dragon", "rust-tide"]
    members.move_member(ada, pack=pack, member=moss, by=-1)
    members.move_member(ada, pack=pack, member=rust, by=9)
    assert seen(ada, pack) == ["moss-dragon", "rust-tide"]


def test_an_order_names_members_of_this_pack_only_and_keeps_the_others(ada: Viewer) -> None:
    pack = factories.pack("ada", "wet-places", *map(word, ("moss-dragon", "fern-light", "rust-tide")))
    foreign = factories.pack("ada", "dry-places", word("dune-sand")).members.get()
    _, fern, rust = pack.members.values_list("pk", flat=True)
    packs.update_pack(ada, pack=pack, order=[rust, fern, rust])
    assert seen(ada, pack) == ["rust-tide", "fern-light", "moss-dragon"]
    with pytest.raises(Invalid):
        packs.update_pack(ada, pack=pack, order=[foreign.pk])
    assert seen(ada, pack) == ["rust-tide", "fern-light", "moss-dragon"]


def test_every_change_is_a_revision_that_can_still_be_pulled_and_nothing_done_is_none(ada: Viewer) -> None:
    pack = factories.pack("ada", "wet-places", word("moss-dragon"), word("fern-light"))
    member = pack.members.get(trigger="fern-light").pk
    changes: list[Callable[[], object]] = [
        lambda: members.describe_member(ada, pack=pack, member=member, note="for autumn"),
        lambda: members.move_member(ada, pack=pack, member=member, by=-1),
        lambda: packs.update_pack(ada, pack=pack, title="Damp"),
        lambda: members.remove_member(ada, pack=pack, member=member),
    ]
    revisions = [reads.whole(ada, collection=pack).revision]
    for change in changes:
        change()
        pack.refresh_from_db()
        revisions.append(reads.whole(ada, collection=pack).revision)
    assert len(set(revisions)) == len(revisions)
    for revision in revisions:
        assert reads.at(ANONYMOUS, collection=pack, revision=revision).revision == revision
    before = pack.revisions.count(), pack.updated_at
    packs.update_pack(ada, pack=pack, title="Damp")
    members.remove_member(ada, pack=pack, member=member)
    members.move_member(ada, pack=pack, member=pack.members.get().pk, by=-1)
    assert pack.revisions.count() == before[0]


def test_the_files_of_a_new_pin_are_made_before_anybody_asks_for_the_lock(ada: Viewer) -> None:
    first = factories.version(factories.embedding(name="moss-dragon"), family="sd1")
    pack = factories.pack("ada", "wet-places", first)
    second = factories.version(first.embedding, family="sd1")
    members.bump_member(ada, pack=pack, member=pack.members.get().pk)
    promised = OutboxJob.objects.filter(name="make_files").values_list("args", flat=True)
    assert sorted(promised) == [[first.pk], [second.pk]]
    for _ in range(2):
        worker.make_files.fn(second.pk)
    (member,) = reads.whole(ada, collection=pack).members
    assert [one.layout for one in member.files if one.sha256 is None] == []
    worker.make_files.fn(0)


def test_a_deleted_pack_leaves_its_words_and_frees_its_name(ada: Viewer) -> None:
    version = word("moss-dragon")
    pack = factories.pack("ada", "wet-places", version)
    packs.update_pack(ada, pack=pack, name="damp-corners")
    for _ in range(2):
        packs.delete_pack(ada, pack=pack)
    assert version.embedding.versions.count() == 1
    for name in ("wet-places", "damp-corners"):
        assert packs.create_pack(ada, name=name).members.count() == 0


def test_a_word_in_a_strangers_pack_can_still_be_deleted_and_leaves_the_pack(ada: Viewer) -> None:
    version = word("dry-place", "bob")
    pack = factories.pack("ada", "wet-places", version)
    lifecycle.delete_embedding(factories.viewer("bob"), embedding=version.embedding)
    whole = reads.whole(ada, collection=pack)
    assert (whole.members, len(whole.hidden)) == ((), 1)
    members.remove_member(ada, pack=pack, member=whole.hidden[0])
    assert reads.whole(ada, collection=pack).hidden == ()


def test_the_newest_pin_is_one_that_is_offered(ada: Viewer) -> None:
    first = word("moss-dragon")
    pack = factories.pack("ada", "wet-places", first)
    second = factories.version(first.embedding)
    lifecycle.yank(ada, version=second, reason="It draws the wrong thing.")
    member = pack.members.get().pk
    assert members.bump_member(ada, pack=pack, member=member).version == first
    assert members.bump_member(ada, pack=pack, member=member, number=2).version == second
    with pytest.raises(NotFound):
        members.bump_member(ada, pack=pack, member=member, number=9)


@pytest.mark.parametrize("scopes", [["read"], ["publish"], ["train"]])
def test_a_token_without_the_scope_changes_no_pack(scopes: list[str]) -> None:
    pack = factories.pack("ada", "wet-places", word("moss-dragon"))
    tool = factories.token_viewer("ada", scopes=scopes)
    acts: list[Callable[[], object]] = [
        lambda: packs.update_pack(tool, pack=pack, title="Mine"),
        lambda: packs.delete_pack(tool, pack=pack),
        lambda: members.remove_member(tool, pack=pack, member=pack.members.get().pk),
    ]
    for act in acts:
        with pytest.raises(HubError) as refused:
            act()
        assert isinstance(refused.value, Forbidden)
    assert pack.members.count() == 1
