"""What packs and likes hold to: one name space, one word once, pins that stay, revisions that can be found again."""

import pytest

from hub.access import ANONYMOUS, Viewer
from hub.catalog import packs as reads
from hub.errors import Conflict, Forbidden, NotFound, Renamed, Unacceptable, Unauthenticated
from hub.models import AuditEntry, Collection, CollectionMember, Embedding, Like
from hub.services.embeddings import renaming, sharing
from hub.services.packs import members, packs
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def ada() -> Viewer:
    return factories.viewer("ada")


@pytest.fixture
def pack() -> Collection:
    """Ada's pack of a word of hers and one of Bob's."""
    words = [factories.published(name="moss-dragon").head, factories.published("bob", "rust-tide").head]
    return factories.pack("ada", "wet-places", *words)


def revision(pack: Collection, viewer: Viewer = ANONYMOUS) -> str:
    pack.refresh_from_db()
    return reads.whole(viewer, collection=pack).revision


@pytest.mark.parametrize(
    ("name", "code"),
    [("moss-dragon", "name_taken"), ("m0ss-dragon", "name_too_similar"), ("Moss", "field_invalid")],
)
def test_a_pack_shares_the_name_space_of_its_owners_embeddings(ada: Viewer, name: str, code: str) -> None:
    factories.published()
    with pytest.raises((Conflict, Unacceptable)) as refused:
        packs.create_pack(ada, name=name)
    assert refused.value.code == code


def test_an_embedding_gets_neither_name_nor_former_name_of_a_pack(ada: Viewer, pack: Collection) -> None:
    packs.update_pack(ada, pack=pack, name="damp-corners")
    for name in ("wet-places", "damp-corners"):
        with pytest.raises(Conflict) as refused:
            publishing.create_embedding(ada, name=name, title="X", kind="style")
        assert refused.value.code == "name_taken"
        with pytest.raises(Conflict):
            renaming.rename(ada, embedding=pack.members.first().embedding, name=name)
    assert factories.pack("bob", "wet-places").full_name == "bob/wet-places"


def test_a_former_name_leads_to_the_pack_and_can_be_taken_back(ada: Viewer, pack: Collection) -> None:
    packs.update_pack(ada, pack=pack, name="damp-corners")
    with pytest.raises(Renamed) as moved:
        reads.get(ANONYMOUS, owner="ada", name="wet-places")
    assert moved.value.detail == {"owner": "ada", "name": "damp-corners"}
    assert packs.update_pack(ada, pack=pack, name="wet-places").name == "wet-places"
    assert reads.get(ANONYMOUS, owner="ADA", name="Wet-Places") == pack


def test_a_pin_stays_when_a_new_version_comes_until_it_is_bumped(ada: Viewer, pack: Collection) -> None:
    member = pack.members.first()
    assert member is not None
    newer = factories.version(member.embedding, trigger="moss-dragon")
    before = revision(pack)
    shown = reads.whole(ANONYMOUS, collection=pack).members[0]
    assert (shown.version.number, shown.newer) == (1, 2)
    members.bump_member(ada, pack=pack, member=member.pk)
    shown = reads.whole(ANONYMOUS, collection=pack).members[0]
    assert (shown.version, shown.newer) == (newer, None)
    assert revision(pack) != before
    members.bump_member(ada, pack=pack, member=member.pk, number=1)
    assert revision(pack) == before


def test_adding_the_same_version_again_changes_nothing_and_another_one_is_refused(
    ada: Viewer, pack: Collection
) -> None:
    first = pack.members.first()
    assert first is not None
    before = revision(pack)
    assert members.add_member(ada, pack=pack, version=first.version) == first
    assert revision(pack) == before
    with pytest.raises(Conflict) as refused:
        members.add_member(ada, pack=pack, version=factories.version(first.embedding, trigger="moss-dragon"))
    assert refused.value.code == "member_exists"


def test_a_second_word_of_one_trigger_is_refused_naming_who_holds_it_unless_that_is_hidden(
    ada: Viewer, pack: Collection
) -> None:
    same = factories.published("cai", "other-tide", trigger="rust-tide").head
    with pytest.raises(Conflict, match="bob/rust-tide v1 has it"):
        members.add_member(ada, pack=pack, version=same)
    hidden = Embedding.objects.get(name="rust-tide")
    publishing.update_details(factories.viewer("bob"), embedding=hidden, visibility="private")
    with pytest.raises(Conflict) as refused:
        members.add_member(ada, pack=pack, version=same)
    assert "bob" not in refused.value.message
    assert pack.members.count() == 2


def test_only_what_the_owner_may_pull_goes_in(ada: Viewer, pack: Collection) -> None:
    private = factories.published("bob", "my-face", visibility="private").head
    for version in (private, factories.draft(factories.embedding(name="half-done"), trigger="half-done")):
        with pytest.raises(NotFound):
            members.add_member(ada, pack=pack, version=version)


def test_a_pack_holds_only_so_many(ada: Viewer, pack: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MEMBERS_MAX", 2)
    with pytest.raises(Conflict) as refused:
        members.add_member(ada, pack=pack, version=factories.published(name="third-word").head)
    assert refused.value.code == "pack_full"


def test_hidden_and_withdrawn_members_are_left_out_and_yanked_ones_stay(
    ada: Viewer, pack: Collection
) -> None:
    whole = revision(pack)
    word = Embedding.objects.get(name="rust-tide")
    bob = factories.viewer("bob")
    publishing.yank(bob, version=word.head, reason="Too dark.")
    assert revision(pack) == whole
    publishing.update_details(bob, embedding=word, visibility="private")
    shown = reads.whole(ada, collection=pack)
    assert [one.full_name for one in shown.members] == ["ada/moss-dragon"]
    assert len(shown.hidden) == 1
    assert reads.whole(ANONYMOUS, collection=pack).hidden == ()
    assert shown.revision != whole
    with pytest.raises(NotFound):
        reads.at(ANONYMOUS, collection=pack, revision=whole)


def test_an_old_revision_is_found_again_whole_or_by_its_first_digits(ada: Viewer, pack: Collection) -> None:
    old = revision(pack)
    first, second = pack.members.all()
    members.move_member(ada, pack=pack, member=first.pk, by=1)
    members.describe_member(ada, pack=pack, member=second.pk, note="for autumn")
    members.remove_member(ada, pack=pack, member=first.pk)
    assert revision(pack) != old
    for asked in (old, old[:9]):
        found = reads.at(ANONYMOUS, collection=pack, revision=asked)
        assert found.revision == old
        assert [one.version for one in found.members] == [first.version, second.version]
    for wrong in ("0" * 40, old[:6], "v1"):
        with pytest.raises(NotFound):
            reads.at(ANONYMOUS, collection=pack, revision=wrong)


def test_a_stranger_and_another_person_change_nothing(pack: Collection) -> None:
    member = pack.members.first()
    assert member is not None
    with pytest.raises(Unauthenticated):
        members.remove_member(ANONYMOUS, pack=pack, member=member.pk)
    with pytest.raises(Forbidden):
        members.move_member(factories.viewer("bob"), pack=pack, member=member.pk, by=1)
    private = packs.update_pack(factories.viewer("ada"), pack=pack, visibility="private")
    with pytest.raises(NotFound):
        packs.delete_pack(factories.viewer("bob"), pack=private)
    assert pack.members.count() == 2


def test_a_member_of_another_pack_cannot_be_reached_through_ones_own(ada: Viewer, pack: Collection) -> None:
    foreign = factories.pack("bob", "dry-places", factories.published("bob", "dry-place").head).members.get()
    for act in (
        lambda: members.move_member(ada, pack=pack, member=foreign.pk, by=1),
        lambda: members.bump_member(ada, pack=pack, member=foreign.pk),
        lambda: members.describe_member(ada, pack=pack, member=foreign.pk, note="mine"),
    ):
        with pytest.raises(NotFound):
            act()
    members.remove_member(ada, pack=pack, member=foreign.pk)
    assert CollectionMember.objects.filter(pk=foreign.pk).exists()


def test_every_change_is_in_the_audit_log(ada: Viewer, pack: Collection) -> None:
    member = pack.members.first()
    assert member is not None
    members.remove_member(ada, pack=pack, member=member.pk)
    packs.delete_pack(ada, pack=pack)
    packs.delete_pack(ada, pack=pack)
    acts = list(AuditEntry.objects.filter(subject="ada/wet-places").values_list("act", flat=True))
    assert acts == ["create_pack", "add_to_pack", "add_to_pack", "remove_from_pack", "delete_pack"]


def test_likes_count_people_not_presses(ada: Viewer) -> None:
    word = factories.published("bob", "rust-tide")
    assert [sharing.like(ada, embedding=word), sharing.like(ada, embedding=word)] == [1, 1]
    assert sharing.like(factories.viewer("cai"), embedding=word) == 2
    assert [sharing.unlike(ada, embedding=word), sharing.unlike(ada, embedding=word)] == [1, 1]
    assert Like.objects.count() == 1
    with pytest.raises(Unauthenticated):
        sharing.like(ANONYMOUS, embedding=word)
    with pytest.raises(NotFound):
        sharing.like(ada, embedding=factories.published("bob", "my-face", visibility="private"))
