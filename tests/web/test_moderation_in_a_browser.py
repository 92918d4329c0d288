"""Reports and the moderators' desk in a real browser: the whole way without a mouse, and no barriers on any page."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.models import Embedding, Flag, Preview
from hub.services.moderation import appeals, flags, rulings
from hub.services.people import accounts
from hub.services.versions import ingest
from tests import factories, samples
from tests.web.test_in_a_browser import barriers, opened, tab_to

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("disk_blobs"),
]
LONG = "It is copied from the ninth plate of my book, page for page, and I never said that anybody may. " * 3


@pytest.fixture
def word(live_server: Any, tmp_path: Path) -> Embedding:
    """Ada's word with a sheet and a picture of her own."""
    made = factories.published(summary="Wet stones and old moss.", card="# Use\n\nFor rain.")
    factories.sheet(made.head, tmp_path, blocks="A")
    Preview.objects.create(
        version=made.head, role="upload", blob=ingest.store(samples.picture(size=(96, 96), colour="#335544")),
        width=96, height=96, alt="A moss dragon under rain", column=0,
    )  # fmt: skip
    return made


def browser_of(chromium: Browser, address: str, name: str, **fields: Any) -> Page:
    """That person's browser."""
    page = opened(chromium, address).new_page()
    page.goto(f"/sign-in/{accounts.one_time_link(factories.user(name, **fields))}")
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(address + "/")
    return page


@pytest.fixture
def people(chromium: Browser, live_server: Any, word: Embedding) -> Iterator[dict[str, Page]]:
    """Whoever reports, whoever decides, whose it is."""
    found = {
        "bob": browser_of(chromium, live_server.url, "bob"),
        "mod": browser_of(chromium, live_server.url, "mod", moderator=True),
        "ada": browser_of(chromium, live_server.url, "ada"),
    }
    yield found
    for page in found.values():
        page.context.close()


def test_from_report_to_ruling_to_owner_and_back_without_a_mouse(
    people: dict[str, Page], word: Embedding
) -> None:
    bob, mod, ada = people["bob"], people["mod"], people["ada"]
    bob.goto("/ada/moss-dragon")
    bob.get_by_role("link", name="Report", exact=True).press("Enter")
    bob.wait_for_url("**/report?version=1")
    tab_to(bob, "[name=reason]")
    bob.get_by_role("radio", name="Somebody else's work").press("Space")
    bob.get_by_label("What a moderator should know").fill("Plate nine of my book.")
    bob.get_by_role("button", name="Send the report").press("Enter")
    expect(bob.get_by_text("Thank you")).to_be_visible()
    mod.goto("/")
    mod.locator("nav .nav-spare", has_text="Moderation").press("Enter")
    mod.get_by_role("link", name="ada/moss-dragon").press("Enter")
    expect(mod.get_by_text("Plate nine of my book.")).to_be_visible()
    mod.get_by_role("radio", name="Held for a look").press("Space")
    expect(mod.get_by_label("Why, for everybody")).to_have_value("copyright")
    mod.get_by_label("Reason, for the owner").fill("Show us that it is yours.")
    mod.get_by_role("button", name="Make the ruling").press("Enter")
    expect(mod.get_by_text("Its owner is told.")).to_be_visible()
    ada.goto("/ada/moss-dragon")
    expect(ada.get_by_text("Show us that it is yours.")).to_be_visible()
    ada.get_by_role("link", name="how to appeal").press("Enter")
    ada.get_by_label("Why the ruling is wrong").fill("I drew plate nine.")
    ada.get_by_role("button", name="Send the appeal").press("Enter")
    expect(ada.get_by_text("Another moderator will answer here.")).to_be_visible()
    mod.goto("/moderation/appeals")
    mod.get_by_role("link", name="ada/moss-dragon v1").press("Enter")
    # There is no other moderator on this hub.
    mod.get_by_role("radio", name="The ruling is taken back").press("Space")
    mod.get_by_label("Answer to the owner").fill("You did.")
    mod.get_by_role("button", name="Answer").press("Enter")
    expect(mod.get_by_text("Nobody waits for an answer.")).to_be_visible()
    ada.reload()
    expect(ada.get_by_text("You did.").first).to_be_visible()
    bob.goto("/ada/moss-dragon")
    expect(bob.get_by_role("heading", level=1)).to_contain_text("moss-dragon")


def test_a_picture_is_reported_from_where_it_is_looked_at(people: dict[str, Page], word: Embedding) -> None:
    bob = people["bob"]
    bob.goto("/ada/moss-dragon")
    bob.locator(".picture-open").last.click()
    bob.locator("[data-viewer]").get_by_role("link", name="Report this picture").click()
    expect(bob.get_by_text("This picture")).to_be_visible()
    bob.locator("[name=reason][value=likeness]").check()
    bob.get_by_role("button", name="Send the report").click()
    expect(bob.get_by_text("Thank you")).to_be_visible()
    assert Flag.objects.get().picture == Preview.objects.get(role="upload")


def everything(word: Embedding) -> dict[str, list[str]]:
    """Something of everything in the books, and who comes to which page."""
    bob, mod = factories.viewer("bob"), factories.moderator()
    picture = Preview.objects.get(role="upload")
    flags.raise_flag(bob, embedding=word, version=word.head, picture=picture, reason="copyright", text=LONG)
    flags.raise_flag(factories.viewer("cleo"), embedding=word, reason="illegal")
    pack = factories.pack("ada", "wet-places", word.head, description="For *rain*.")
    flags.raise_flag(bob, pack=pack, reason="spam")
    flags.raise_flag(
        bob, owner=factories.user("ada").owner, reason="other", text="Calls herself somebody else."
    )
    done = factories.published(name="rust-tide")
    flags.raise_flag(bob, embedding=done, reason="mislabelled", text="It is SDXL.")
    [down] = rulings.rule(mod, embedding=done, kind="take_down", reason=LONG[:270], category="copyright")
    appeals.appeal(factories.viewer("ada"), ruling=down, text=LONG)
    [cut] = rulings.decide(
        factories.moderator("mira"),
        thing=word,
        kind="remove_picture",
        picture=picture,
        reason="A face.",
        category="likeness",
    )
    flags.raise_flag(bob, embedding=word, version=word.head, reason="copyright", text=LONG)
    [held] = rulings.rule(
        mod, embedding=factories.published(name="dry-place"), kind="quarantine", reason="A look."
    )
    rulings.lift(mod, ruling=held, reason="All is well.")
    owner = factories.user("ada").owner.pk
    return {
        "bob": ["/ada/moss-dragon/report?version=1", "/ada/moss-dragon/report?version=1&done=1", "/report/ada",
                "/settings/reports", "/settings/rulings", "/ada/rust-tide"],
        "ada": ["/settings/rulings", f"/settings/rulings/{down.pk}", f"/settings/rulings/{cut.pk}",
                f"/settings/rulings/{held.pk}", "/ada/rust-tide", "/ada/moss-dragon"],
        "mod": ["/moderation", "/moderation?state=settled&kind=owner", f"/moderation/embedding/{word.pk}",
                f"/moderation/pack/{pack.pk}", f"/moderation/owner/{owner}", "/moderation/appeals",
                "/moderation/rulings", f"/moderation/rulings/{down.pk}", f"/moderation/rulings/{cut.pk}"],
    }  # fmt: skip


@pytest.mark.parametrize("name", ["bob", "ada", "mod"])
def test_no_page_has_barriers(people: dict[str, Page], word: Embedding, name: str) -> None:
    wrong = {}
    for address in everything(word)[name]:
        people[name].goto(address)
        found = barriers(people[name])
        if found:
            wrong[address] = found
    assert wrong == {}
