"""Packs in a real browser: a word is added, moved and liked by keyboard, and no page has barriers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.models import Collection
from hub.services.packs import members
from hub.services.people import accounts
from tests import factories
from tests.web.test_in_a_browser import barriers, focus_is_seen, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("disk_blobs"),
]


@pytest.fixture
def pack(live_server: Any, tmp_path: Path) -> Collection:
    """Ada's pack of two words, with something of everything that its page can show."""
    words = [factories.published(name=name) for name in ("moss-dragon", "rust-tide", "dry-place")]
    factories.sheet(words[0].head, tmp_path, blocks="A")
    made = factories.pack("ada", "wet-places", words[0].head, words[1].head, description="For *rain*.")
    members.describe_member(
        factories.viewer("ada"), pack=made, member=made.members.earliest("position").pk, note="First."
    )
    factories.version(words[0], trigger="moss-dragon")
    return made


@pytest.fixture
def ada(chromium: Browser, live_server: Any, pack: Collection) -> Iterator[Page]:
    """Ada's browser."""
    context = opened(chromium, live_server.url)
    page = context.new_page()
    page.goto(f"/sign-in/{accounts.one_time_link(factories.user('ada'))}")
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(live_server.url + "/")
    yield page
    context.close()


def test_a_word_is_added_liked_and_moved_without_a_mouse(ada: Page, pack: Collection) -> None:
    ada.goto("/ada/dry-place")
    like = ada.get_by_role("button", name="Like")
    like.press("Enter")
    expect(ada.get_by_role("button", name="Liked 1")).to_have_attribute("aria-pressed", "true")
    ada.get_by_role("link", name="Add to pack").press("Enter")
    # The form opens on the page, and the keyboard is in it.
    expect(ada.locator("#add-to-pack")).to_be_focused()
    ada.get_by_label("Wet Places").press("Space")
    ada.get_by_label("Note").fill("For the dry days.")
    ada.get_by_role("button", name="Add v1").press("Enter")
    ada.wait_for_url("**/ada/wet-places")
    expect(ada.get_by_text("For the dry days.")).to_be_visible()
    ada.get_by_role("link", name="Edit the pack").press("Enter")
    up = ada.get_by_role("button", name="Move dry-place up")
    for place in (2, 1):
        up.press("Enter")
        expect(ada.locator(".pack-rows > li").nth(place - 1)).to_contain_text("dry-place")
        expect(up).to_be_focused()
        assert focus_is_seen(ada)
    first = pack.members.first()
    assert first is not None
    assert first.version.trigger == "dry-place"


@pytest.mark.parametrize(
    "address", ["/ada/wet-places", "/ada/wet-places/edit", "/collections", "/ada/rust-tide/add-to-pack"]
)
def test_pages_of_packs_have_no_barriers(ada: Page, address: str) -> None:
    ada.goto(address)
    assert barriers(ada) == []
