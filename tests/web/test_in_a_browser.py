"""Every page in a real browser: no barrier that axe knows of, nothing wider than the screen, all of it by keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from hub.models import Version
from tests import factories, samples
from tests.parts.browser import PATIENCE
from tests.web.places import Everything, problems

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
SCROLLED = ".table-scroll, .strip, pre, .tabs, .growth"
WIDE, PHONE, NARROW = ({"width": width, "height": 900} for width in (1280, 390, 320))


@pytest.fixture
def places(live_server: Any, tmp_path: Path) -> Everything:
    """A hub with something of everything, being served."""
    return Everything(tmp_path)


def opened(chromium: Browser, address: str) -> BrowserContext:
    """A browser without anybody signed in, without motion."""
    context = chromium.new_context(base_url=address, viewport=WIDE, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture
def stranger(chromium: Browser, live_server: Any, places: Everything) -> Iterator[Page]:
    """A page of somebody who is not signed in."""
    context = opened(chromium, live_server.url)
    yield context.new_page()
    context.close()


@pytest.fixture
def publisher(chromium: Browser, live_server: Any, places: Everything) -> Iterator[Page]:
    """A page of the publisher, signed in by a one-time link."""
    context = opened(chromium, live_server.url)
    page = context.new_page()
    page.goto(places.sign_in_address())
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(live_server.url + "/")
    yield page
    context.close()


def barriers(page: Page) -> list[str]:
    """What is wrong with the page as it stands: in both themes and widths, and at 320 pixels."""
    axe = Axe()
    found = []
    # What depends on the width is looked for at both, colours in both themes.
    for size, theme, rules in (
        (WIDE, "light", EVERYTHING),
        (WIDE, "dark", COLOURS),
        (PHONE, "dark", EVERYTHING),
    ):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        result = axe.run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
        found += [f"{size['width']} {theme} {line}" for line in problems(result.response)]
    page.set_viewport_size(NARROW)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > NARROW["width"]:
        found.append(f"320 px: the page is {wide} px wide because of {widest(page)}")
    page.set_viewport_size(WIDE)
    page.emulate_media(color_scheme="light")
    return found


def widest(page: Page) -> str:
    """The elements that stand out of the screen, for whoever has to mend it."""
    return str(
        page.evaluate(
            """(scrolled) => [...document.querySelectorAll('body *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(scrolled))
            .slice(0, 4).map(e => e.tagName + '.' + e.className)""",
            SCROLLED,
        )
    )


def visit(page: Page, addresses: Iterator[str]) -> dict[str, list[str]]:
    """The pages that have something wrong, with what it is."""
    wrong = {}
    for address in addresses:
        page.goto(address)
        found = barriers(page)
        if found:
            wrong[address] = found
    return wrong


def test_pages_of_a_stranger_have_no_barriers(stranger: Page, places: Everything) -> None:
    assert visit(stranger, places.strangers_pages()) == {}


def test_pages_of_a_publisher_have_no_barriers(publisher: Page, places: Everything) -> None:
    assert visit(publisher, places.publishers_pages()) == {}


def test_states_that_come_after_a_press_have_no_barriers(
    publisher: Page, places: Everything, tmp_path: Path
) -> None:
    wrong = {}
    files = {
        "good": samples.canonical_file("sd1", vectors=2),
        "asked": samples.keyed_file({"clip_g": 1280}),
        "refused": b"hello, this is text",
    }
    for name, data in files.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        publisher.goto("/new")
        publisher.locator("#id_file").set_input_files(path)
        expect(publisher.locator("#facts > *")).to_be_visible(timeout=60_000)
        wrong[name] = barriers(publisher)
    publisher.goto("/train")
    publisher.get_by_label("Name").fill("Moss Glow!")
    publisher.get_by_role("button", name="Start training").click()
    expect(publisher.locator("[aria-invalid=true]").first).to_be_focused()
    wrong["wizard with errors"] = barriers(publisher)
    publisher.goto("/ada/moss-dragon")
    publisher.locator(".picture-open").first.click()
    wrong["picture viewer"] = barriers(publisher)
    publisher.goto("/")
    publisher.locator(".menu > summary").click()
    wrong["menu"] = barriers(publisher)
    publisher.goto("/settings/tokens")
    publisher.locator("main [name=name]").fill("laptop")
    publisher.get_by_role("button", name="Make the token").click()
    expect(publisher.locator("#made")).to_be_visible()
    wrong["new token"] = barriers(publisher)
    assert {name: found for name, found in wrong.items() if found} == {}


def hand_over(page: Page, how: str, name: str, data: bytes) -> None:
    """Drop or paste a file onto the page itself, not onto its file input."""
    page.evaluate(
        """([how, name, bytes]) => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], name));
            const given = { bubbles: true, cancelable: true, dataTransfer: carried, clipboardData: carried };
            const Kind = how === 'drop' ? DragEvent : ClipboardEvent;
            document.querySelector('h1').dispatchEvent(new Kind(how, given));
        }""",
        [how, name, list(data)],
    )


def test_the_other_half_of_a_pair_is_asked_for_and_both_are_published(
    publisher: Page, places: Everything, tmp_path: Path
) -> None:
    for width in (768, 1280):
        (tmp_path / f"learned_{width}.safetensors").write_bytes(
            samples.keyed_file({"<moss>": width}, vectors=2)
        )
    publisher.goto("/new")
    publisher.locator("#id_file").set_input_files(tmp_path / "learned_1280.safetensors")
    expect(publisher.get_by_text("Half of a pair?")).to_be_visible()
    publisher.get_by_label("The other file").set_input_files(tmp_path / "learned_768.safetensors")
    expect(publisher.locator("#facts")).to_contain_text("2 \u00d7 768")
    assert barriers(publisher) == []
    publisher.get_by_label("Trigger").fill("moss-pair")
    publisher.get_by_label("Name", exact=True).fill("moss-pair")
    publisher.get_by_role("button", name="Publish version 1").click()
    publisher.wait_for_url("**/ada/moss-pair")
    assert Version.objects.get(embedding__name="moss-pair").family == "sdxl"


def test_what_is_it_takes_a_file_dropped_pasted_or_chosen_and_answers_without_barriers(
    stranger: Page,
) -> None:
    heading, wrong = stranger.locator("#answer h2"), {}
    stranger.goto("/inspect")
    hand_over(stranger, "drop", "fern.safetensors", samples.canonical_file("tiny", seed=5))
    expect(heading).to_contain_text("embedding for")
    expect(stranger.locator("#answer")).to_be_focused()
    wrong["embedding"] = barriers(stranger)
    hand_over(stranger, "paste", "holiday.png", samples.picture("PNG"))
    expect(heading).to_contain_text("A picture")
    wrong["picture"] = barriers(stranger)
    stranger.reload()
    tab_to(stranger, "#inspect-file")
    text = {"name": "notes.pt", "mimeType": "", "buffer": b"hello, this is text"}
    stranger.locator("#inspect-file").set_input_files(text)  # type: ignore[arg-type]
    expect(heading).to_contain_text("notes.pt")
    wrong["refused"] = barriers(stranger)
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_phone_shows_the_way_in_on_every_page(stranger: Page) -> None:
    stranger.set_viewport_size(PHONE)
    for address in ("/", "/inspect", "/docs", "/ada/moss-dragon"):
        stranger.goto(address)
        expect(stranger.get_by_role("navigation", name="Main").get_by_text("Sign in")).to_be_visible()


def test_a_sheet_appears_by_itself_once_it_is_drawn(
    publisher: Page, places: Everything, tmp_path: Path
) -> None:
    version = factories.published(name="late-bloom").head
    Version.objects.filter(pk=version.pk).update(sheet_state="waiting")
    publisher.goto("/ada/late-bloom")
    expect(publisher.get_by_text("waits for a worker").first).to_be_visible()
    publisher.evaluate("window.notReloaded = true")
    factories.sheet(version, tmp_path)
    publisher.locator(".picture-open").first.click()
    expect(publisher.locator("[data-viewer]")).to_be_visible()
    expect(publisher.locator("#cover img").first).to_be_visible()
    assert publisher.evaluate("window.notReloaded === true")


def test_pictures_of_a_finished_run_open_in_the_viewer(publisher: Page, places: Everything) -> None:
    publisher.goto(f"/runs/{places.runs['done'].id}")
    publisher.locator(".picture-open").first.click()
    viewer = publisher.locator("[data-viewer]")
    expect(viewer).to_be_visible()
    shown = viewer.locator(".viewer-side").inner_html()
    viewer.get_by_role("button", name="Next").click()
    assert shown != viewer.locator(".viewer-side").inner_html()
    viewer.get_by_role("button", name="Previous").click()
    assert viewer.locator(".viewer-side").inner_html() == shown
    publisher.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert publisher.evaluate("document.activeElement.matches('.picture-open')")


def test_broken_pages_have_no_barriers(stranger: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr("hub.catalog.browse.list_embeddings", broken)
    answer = stranger.goto("/")
    assert answer is not None and answer.status == 500
    assert barriers(stranger) == []


def focus_is_seen(page: Page) -> bool:
    """Whether the focused element (or the zone around a file input) shows that it has the focus."""
    return bool(
        page.evaluate(
            """(() => {
                const seen = (element) => element && getComputedStyle(element).outlineStyle !== 'none';
                return seen(document.activeElement) || seen(document.activeElement.closest('.drop'));
            })()"""
        )
    )


def tab_to(page: Page, what: str, most: int = 60) -> None:
    """Press Tab until an element that the selector names has the focus; everything on the way shows its focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        assert focus_is_seen(page), page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
        if page.evaluate("(what) => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"{what} is not reached by Tab")


def test_a_word_is_looked_up_judged_and_copied_without_a_mouse(stranger: Page) -> None:
    stranger.goto("/")
    stranger.keyboard.press("Tab")
    expect(stranger.get_by_text("Skip to the content")).to_be_focused()
    stranger.keyboard.press("Enter")
    stranger.keyboard.press("/")
    expect(stranger.locator("#q")).to_be_focused()
    stranger.keyboard.type("moss-dragon")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#results")).to_contain_text("1 entry")
    tab_to(stranger, "a[href='/ada/moss-dragon']")
    stranger.keyboard.press("Enter")
    stranger.wait_for_url("**/ada/moss-dragon")
    tab_to(stranger, "[data-compare-range]")
    stranger.keyboard.press("ArrowRight")
    tab_to(stranger, "[data-copy]")
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_text("Copied").first).to_be_visible()
    tab_to(stranger, ".picture-open")
    stranger.keyboard.press("Enter")
    expect(stranger.locator("[data-viewer]")).to_be_visible()
    stranger.keyboard.press("ArrowRight")
    stranger.keyboard.press("Escape")
    expect(stranger.locator("[data-viewer]")).to_be_hidden()
    assert stranger.evaluate("document.activeElement.matches('.picture-open')")
    tab_to(stranger, "[role=tab]", most=120)
    stranger.keyboard.press("ArrowRight")
    expect(stranger.get_by_role("tab", selected=True)).to_be_focused()


def test_a_file_is_published_without_a_mouse(publisher: Page, tmp_path: Path) -> None:
    path = tmp_path / "fern-light.safetensors"
    path.write_bytes(samples.canonical_file("tiny", seed=5))
    publisher.goto("/new")
    tab_to(publisher, "input[type=file]")
    publisher.locator("#id_file").set_input_files(path)
    expect(publisher.locator("#facts .panel")).to_be_visible(timeout=60_000)
    for name, value in {"trigger": "fern-light", "name": "fern-light", "title": "Fern light"}.items():
        tab_to(publisher, f"[name={name}]")
        publisher.keyboard.press("Control+A")
        publisher.keyboard.type(value)
    tab_to(publisher, "#publish-press")
    publisher.keyboard.press("Enter")
    publisher.wait_for_url(re.compile("/ada/fern-light$"))
    expect(publisher.get_by_role("heading", level=1)).to_contain_text("fern-light")


def test_a_word_that_others_use_is_said_while_it_is_typed(publisher: Page) -> None:
    publisher.goto("/new")
    publisher.locator("[name=trigger]").press_sequentially("moss-dragon")
    expect(publisher.locator("#trigger-hint")).to_contain_text("ada/moss-dragon")
