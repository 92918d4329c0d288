"""The part and the mask of a picture in a real browser: by pointer, finger, keyboard and without scripts.

GLOSSA_PAGES=DIR keeps pictures.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from hub.access import Viewer
from tests.parts.browser import PATIENCE
from tests.pictures.camera import Camera
from tests.trainer.advice.test_looks import scene
from tests.web.test_in_a_browser import barriers
from trainer.models import TrainingImage, TrainingRun

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files"),
]
Open = Callable[..., Page]


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    """Takes pictures of the page at both widths and in both themes; nothing may be wider than the screen."""
    made = Camera(Path(os.environ.get("GLOSSA_PAGES") or tmp_path / "pages"))
    yield made
    assert made.wide == []


@pytest.fixture
def wizard(maker: Viewer, base: Any, live_server: Any, chromium: Browser) -> Iterator[Open]:
    """Opens the wizard in a browser of the maker's; no script of ours may fail in it."""
    client = Client()
    assert maker.user is not None
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def opened(**options: Any) -> Page:
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = chromium.new_context(base_url=live_server.url, reduced_motion="reduce", **options)
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto("/train")
        contexts.append(context)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def picture(folder: Path, name: str = "moss.png", size: tuple[int, int] = (640, 480)) -> Path:
    """A picture to learn from."""
    scene(7).convert("RGB").resize(size).save(folder / name)
    return folder / name


def mask(folder: Path, size: tuple[int, int] = (640, 480)) -> Path:
    """A mask in which an oval counts."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).ellipse((size[0] // 4, size[1] // 8, size[0] * 3 // 4, size[1] * 7 // 8), fill=255)
    image.save(folder / "moss-mask.png")
    return folder / "moss-mask.png"


def unfolded(page: Page, *files: Path) -> Locator:
    """The tile of the first of these pictures, added and unfolded."""
    page.locator("[data-pictures]").set_input_files(files)
    expect(page.locator(".pick[data-sha]")).to_have_count(len(files))
    tile = page.locator(".pick").filter(has_text=files[0].name)
    tile.get_by_text("Part and mask").click()
    return tile


def edges(tile: Locator) -> list[str]:
    """What stands in the four fields."""
    return [tile.get_by_label(f"{edge} edge").input_value() for edge in ("Left", "Top", "Right", "Bottom")]


def drag(page: Page, tile: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """With the mouse, from one place of the picture to another, both as shares of its sides."""
    image = tile.locator(".pick-frame img").first
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box is not None
    for place, act in ((start, page.mouse.down), (end, page.mouse.up)):
        page.mouse.move(box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"], steps=4)
        act()


def focus() -> list[float] | None:
    """The part that is kept with the picture."""
    return TrainingImage.objects.get(source_name="moss.png").facts.get("focus")


def kept(page: Page, tile: Locator, act: Callable[[], object]) -> None:
    """Do it, and wait until the hub has kept it."""
    with page.expect_response(lambda one: "/train/pictures/" in one.url and one.request.method == "POST"):
        act()


def start(page: Page) -> TrainingRun:
    page.get_by_label("Name", exact=True).fill("moss-glow")
    page.get_by_label("I may use these pictures").check()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    return TrainingRun.objects.get()


def near(box: list[float] | None, wanted: list[float]) -> bool:
    return box is not None and all(abs(one - other) < 0.02 for one, other in zip(box, wanted, strict=True))


def test_a_box_is_drawn_moved_and_pulled_and_goes_with_the_run(
    wizard: Open, tmp_path: Path, camera: Camera
) -> None:
    page = wizard()
    tile = unfolded(page, picture(tmp_path), picture(tmp_path, "tall.png", (300, 450)))
    kept(page, tile, lambda: drag(page, tile, (0.2, 0.3), (0.5, 0.6)))
    assert near(focus(), [0.2, 0.3, 0.5, 0.6]), focus()
    kept(page, tile, lambda: drag(page, tile, (0.35, 0.45), (0.45, 0.35)))
    assert near(focus(), [0.3, 0.2, 0.6, 0.5]), focus()
    kept(page, tile, lambda: drag(page, tile, (0.6, 0.5), (0.8, 0.9)))
    assert near(focus(), [0.3, 0.2, 0.8, 0.9]), focus()
    # A press that goes nowhere is no box, and leaves the one there is.
    before = edges(tile)
    drag(page, tile, (0.05, 0.05), (0.051, 0.051))
    assert edges(tile) == before
    expect(tile.get_by_label("Which part of moss.png is kept")).to_be_hidden()
    tile.locator("[data-mask]").set_input_files(mask(tmp_path))
    expect(tile.locator(".pick-mask")).to_be_visible()
    assert edges(tile) == before
    assert barriers(page) == []
    camera.shoot(page, "wizard-part")
    page.reload()
    assert edges(page.locator(".pick").filter(has_text="moss.png")) == before
    camera.shoot(page, "wizard-parts-folded")
    run = start(page)
    assert (run.recipe["crop"], run.recipe["mask"]) == ("focus", "file")
    image = run.images.get(source_name="moss.png")
    assert near(image.facts["focus"], [0.3, 0.2, 0.8, 0.9]) and image.mask_id


def test_a_finger_draws_a_box_on_a_phone(wizard: Open, tmp_path: Path) -> None:
    page = wizard(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tile = unfolded(page, picture(tmp_path))
    image = tile.locator(".pick-frame img").first
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box is not None

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in places]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    session = page.context.new_cdp_session(page)
    where = page.evaluate("scrollY")

    def draw() -> None:
        touch("touchStart", (0.1, 0.2))
        touch("touchMove", (0.4, 0.6))
        touch("touchMove", (0.6, 0.9))
        touch("touchEnd")

    kept(page, tile, draw)
    assert near(focus(), [0.1, 0.2, 0.6, 0.9]), focus()
    assert page.evaluate("scrollY") == where
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_numbers_do_all_that_the_pointer_does_from_the_keyboard(wizard: Open, tmp_path: Path) -> None:
    page = wizard()
    page.locator("[data-pictures]").set_input_files(picture(tmp_path))
    summary = page.locator(".pick summary")
    summary.focus()
    page.keyboard.press("Enter")
    tile = page.locator(".pick")
    for number in ("25", "10", "75"):
        page.keyboard.press("Tab")
        page.keyboard.type(number)
    expect(tile.get_by_label("Right edge")).to_be_focused()
    kept(page, tile, lambda: page.keyboard.press("Tab"))
    # What is left empty is the border.
    expect(tile.locator("[data-outline]").last).to_have_attribute("d", "M160 48H480V480H160Z")
    page.keyboard.press("Tab")
    expect(tile.get_by_role("button", name="Learn from all of it")).to_be_focused()
    kept(page, tile, lambda: page.keyboard.press("Enter"))
    assert edges(tile) == ["", "", "", ""]
    expect(tile.get_by_label("Which part of moss.png is kept")).to_be_visible()
    tile.get_by_label("Left edge").fill("90")
    tile.get_by_label("Right edge").fill("10")
    tile.get_by_label("Right edge").press("Tab")
    expect(tile.get_by_role("alert")).to_contain_text("left edge before the right one")


def test_a_mask_is_shown_refused_in_words_and_taken_away(wizard: Open, tmp_path: Path) -> None:
    page = wizard()
    tile = unfolded(page, picture(tmp_path))
    tile.locator("[data-mask]").set_input_files(mask(tmp_path, (480, 640)))
    expect(tile.get_by_role("alert")).to_contain_text(
        "moss-mask.png: The mask has another shape than its picture"
    )
    assert barriers(page) == []
    tile.locator("[data-mask]").set_input_files(mask(tmp_path))
    expect(tile.locator(".pick-mask")).to_be_visible()
    expect(tile.get_by_role("alert")).to_be_hidden()
    expect(tile.get_by_role("button", name="Remove the mask")).to_be_focused()
    expect(page.locator("[data-found]")).to_contain_text("The mask is kept")
    page.keyboard.press("Enter")
    expect(tile.locator(".pick-mask")).to_have_count(0)
    expect(tile.locator("[data-mask]")).to_be_focused()
    assert start(page).recipe["mask"] == "off"


def test_without_scripts_fields_and_files_do_it_all(wizard: Open, tmp_path: Path, camera: Camera) -> None:
    page = wizard(java_script_enabled=False)
    page.get_by_label("Name", exact=True).fill("moss-glow")
    page.locator("[data-pictures]").set_input_files(picture(tmp_path))
    page.get_by_role("button", name="Keep the pictures").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("moss-glow")
    tile = page.locator(".pick")
    tile.get_by_text("Part and mask").click()
    expect(tile.get_by_role("button", name="Learn from all of it")).to_be_hidden()
    tile.get_by_label("Left edge").fill("60")
    tile.get_by_label("Right edge").fill("40")
    tile.get_by_label("Mask").set_input_files(mask(tmp_path, (480, 640)))
    page.get_by_role("button", name="Keep the pictures").click()
    refused = page.get_by_role("status", name="What was not taken")
    expect(refused).to_contain_text("moss-mask.png: The mask has another shape")
    expect(refused).to_contain_text("left edge before the right one")
    expect(tile.get_by_label("Left edge")).to_have_attribute("aria-invalid", "true")
    tile.get_by_label("Right edge").fill("90.5")
    tile.get_by_label("Mask").set_input_files(mask(tmp_path))
    page.get_by_role("button", name="Keep the pictures").click()
    tile.get_by_text("Part and mask").click()
    expect(tile.locator(".pick-mask")).to_be_visible()
    expect(tile.locator("[data-outline]").last).to_be_visible()
    camera.folder.mkdir(exist_ok=True)
    page.screenshot(path=camera.folder / "wizard-without-scripts.png", full_page=True)
    tile.get_by_label("Remove the mask").check()
    run = start(page)
    assert run.recipe["mask"] == "off" and run.images.get().mask_id is None
    assert run.recipe["crop"] == "focus" and run.images.get().facts["focus"][0] == 0.6
