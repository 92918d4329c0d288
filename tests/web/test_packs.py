"""Pages of packs and likes as a stranger, their owner and somebody else get them."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.models import Collection, Like
from hub.services.embeddings import sharing
from hub.services.packs import packs
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


@pytest.fixture
def pack() -> Collection:
    """Ada's pack of two words."""
    words = [factories.published(name=name).head for name in ("moss-dragon", "rust-tide")]
    return factories.pack("ada", "wet-places", *words, description="For *rain*.")


def post(browser: Client, pack: Collection, do: str, member: int, **more: str) -> int:
    return browser.post(f"/{pack.full_name}/members", {"do": do, "member": member, **more}).status_code


def order(pack: Collection) -> list[str]:
    return list(pack.members.values_list("version__trigger", flat=True))


def test_a_stranger_sees_pictures_pins_commands_and_the_lock(stranger: Client, pack: Collection) -> None:
    page = stranger.get("/ada/wet-places").content.decode()
    for text in (
        "moss-dragon",
        "rust-tide",
        "pinned to v1",
        "hf download ada/wet-places",
        "glossa sync --tool comfyui",
    ):
        assert text in page
    assert "/ada/wet-places/resolve/main/glossa.lock.json" in page
    assert "Edit the pack" not in page
    assert "wet-places" in stranger.get("/collections").content.decode()
    assert "Wet Places" in stranger.get("/ada").content.decode()
    assert "In packs" in stranger.get("/ada/moss-dragon").content.decode()


def test_a_private_pack_is_not_there_for_anybody_else(
    stranger: Client, bob: Client, pack: Collection
) -> None:
    packs.update_pack(factories.viewer("ada"), pack=pack, visibility="private")
    for browser in (stranger, bob):
        assert browser.get("/ada/wet-places").status_code == 404
        for page in ("/ada", "/collections", "/ada/moss-dragon"):
            assert "Wet Places" not in browser.get(page).content.decode()


def test_a_hidden_member_is_named_to_nobody_and_its_pack_owner_can_take_it_out(
    ada: Client, stranger: Client, pack: Collection
) -> None:
    foreign = factories.published("bob", "dry-place")
    pack = factories.pack("ada", "dry-places", foreign.head)
    publishing.update_details(factories.viewer("bob"), embedding=foreign, visibility="private")
    for browser in (ada, stranger):
        for page in ("/ada/dry-places", "/ada", "/collections"):
            assert "dry-place<" not in browser.get(page).content.decode()
    page = ada.get("/ada/dry-places/edit").content.decode()
    assert "hidden or withdrawn" in page
    assert "bob/dry-place" not in page
    assert post(ada, pack, "remove", pack.members.get().pk) == 302
    assert order(pack) == []


def test_members_move_up_and_down_without_a_pointer_or_a_script(ada: Client, pack: Collection) -> None:
    first, second = pack.members.all()
    post(ada, pack, "down", first.pk)
    assert order(pack) == ["rust-tide", "moss-dragon"]
    post(ada, pack, "up", first.pk)
    post(ada, pack, "up", first.pk)
    assert order(pack) == ["moss-dragon", "rust-tide"]
    post(ada, pack, "note", second.pk, note="for autumn")
    assert "for autumn" in ada.get("/ada/wet-places").content.decode()


def test_the_page_offers_a_newer_version_and_pins_it_when_told(ada: Client, pack: Collection) -> None:
    member = pack.members.get(trigger="moss-dragon")
    factories.version(member.embedding, trigger="moss-dragon")
    assert "v2 is newer" in ada.get("/ada/wet-places").content.decode()
    assert "Pin v2" in ada.get("/ada/wet-places/edit").content.decode()
    post(ada, pack, "newest", member.pk)
    assert "pinned to v2" in ada.get("/ada/wet-places").content.decode()


def test_nobody_else_can_change_a_pack(bob: Client, stranger: Client, pack: Collection) -> None:
    assert bob.get("/ada/wet-places/edit").status_code == 403
    assert post(bob, pack, "remove", pack.members.first().pk) == 403  # type: ignore[union-attr]
    assert bob.post("/ada/wet-places/delete-pack", {"name": "wet-places"}).status_code == 403
    assert post(stranger, pack, "remove", 1) in (302, 401)
    assert len(order(pack)) == 2


def test_a_word_is_added_from_its_page_into_a_new_pack(ada: Client, bob: Client) -> None:
    factories.published("bob", "dry-place")
    assert "You have no pack yet" in ada.get("/bob/dry-place/add-to-pack").content.decode()
    fields = {"name": "dry-places", "title": "Dry places", "visibility": "public"}
    made = ada.post("/collections/new?add=bob/dry-place", fields)
    assert made["Location"] == "/bob/dry-place/add-to-pack"
    added = ada.post("/bob/dry-place/add-to-pack?version=1", {"pack": "ada/dry-places", "note": "no rain"})
    assert added["Location"] == "/ada/dry-places"
    assert "no rain" in bob.get("/ada/dry-places").content.decode()


def test_a_second_word_of_the_same_trigger_is_refused_with_the_name_of_the_first(
    ada: Client, pack: Collection
) -> None:
    factories.published("bob", "other-moss", trigger="moss-dragon")
    refused = ada.post("/bob/other-moss/add-to-pack", {"pack": "ada/wet-places"})
    assert refused.status_code == 422
    assert "ada/moss-dragon v1 has it" in refused.content.decode()


def test_a_name_in_use_is_refused_beside_the_field(ada: Client, pack: Collection) -> None:
    for name in ("moss-dragon", "wet-places", "wet-p1aces"):
        refused = ada.post("/collections/new", {"name": name, "title": "X", "visibility": "public"})
        assert refused.status_code == 422
        assert b"Choose another" in refused.content


def test_a_pack_is_deleted_by_typing_its_name(ada: Client, pack: Collection) -> None:
    assert ada.post("/ada/wet-places/delete-pack", {"name": "wet"}).status_code == 422
    assert ada.post("/ada/wet-places/delete-pack", {"name": "wet-places"}).status_code == 302
    assert ada.get("/ada/wet-places").status_code == 404
    assert ada.get("/ada/moss-dragon").status_code == 200


def test_the_like_button_counts_and_takes_back(bob: Client, stranger: Client) -> None:
    word = factories.published()
    for _ in range(2):
        assert bob.post("/ada/moss-dragon/like", {"liked": "1"})["Location"] == "/ada/moss-dragon"
    assert 'aria-pressed="true"' in bob.get("/ada/moss-dragon").content.decode()
    assert "1 like" in stranger.get("/").content.decode()
    assert "moss-dragon" in bob.get("/bob").content.decode()
    assert "moss-dragon" not in stranger.get("/bob").content.decode()
    part = bob.post("/ada/moss-dragon/like", {"liked": "0"}, headers={"HX-Request": "true"}).content.decode()
    assert 'aria-pressed="false"' in part
    assert "<html" not in part
    assert Like.objects.filter(embedding=word).count() == 0
    assert stranger.post("/ada/moss-dragon/like").status_code in (302, 401)


def test_lists_are_sorted_by_likes(stranger: Client) -> None:
    for name, people in {"few-words": ["bob"], "most-words": ["bob", "cai"], "no-words": []}.items():
        word = factories.published(name=name)
        for person in people:
            sharing.like(factories.viewer(person), embedding=word)
    page = stranger.get("/?sort=liked").content.decode()
    assert page.index("/ada/most-words") < page.index("/ada/few-words") < page.index("/ada/no-words")


def test_a_page_of_many_members_asks_no_more_than_one_of_two(stranger: Client, pack: Collection) -> None:
    def asked(address: str) -> int:
        stranger.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert stranger.get(address).status_code == 200
        return len(queries)

    many = factories.pack(
        "ada", "many-places", *[factories.published(name=f"word-{letter}").head for letter in "abcdefgh"]
    )
    assert asked("/ada/wet-places") == asked(f"/{many.full_name}")
    before = asked("/collections")
    for name in ("third-place", "fourth-place"):
        factories.pack("ada", name, many.members.first().version)
    assert asked("/collections") == before
