"""Advice on pictures as they come and go in a real browser, on a desk and on a phone."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import Page, expect

from tests.trainer.advice.test_looks import scene
from tests.web.test_in_a_browser import barriers, places, publisher  # noqa: F401 - fixtures

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def file(folder: Path, name: str, picture: Image.Image) -> Path:
    """A JPEG to upload."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    path = folder / name
    path.write_bytes(out.getvalue())
    return path


def test_advice_follows_the_pictures_and_the_kind(publisher: Page, tmp_path: Path) -> None:  # noqa: F811
    small = scene(20).resize((30, 30))
    soft = scene(21).resize((90, 90)).filter(ImageFilter.GaussianBlur(5))
    first = [file(tmp_path, "small.jpg", small), file(tmp_path, "soft.jpg", soft)]
    publisher.goto("/train")
    publisher.locator("[data-pictures]").set_input_files(first)
    remarks = publisher.locator(".advice-one")
    expect(remarks.filter(has_text="Only 2 different pictures")).to_be_visible()
    blurred = remarks.filter(has_text="blurred")
    expect(blurred.get_by_role("img", name="soft.jpg")).to_be_visible()
    expect(blurred.get_by_role("img")).to_have_count(1)
    expect(publisher.locator("[data-found]")).to_contain_text("remarks on your pictures")
    assert barriers(publisher) == []

    more = [file(tmp_path, f"{seed}.jpg", scene(seed)) for seed in (22, 23)]
    publisher.locator("[data-pictures]").set_input_files(more)
    expect(remarks.filter(has_text="Only 2 different pictures")).to_have_count(0)
    expect(blurred).to_be_visible()

    publisher.get_by_role("button", name="Remove soft.jpg").click()
    publisher.get_by_role("button", name="Remove small.jpg").click()
    expect(blurred).to_have_count(0)
    expect(publisher.get_by_role("button", name="Start training")).to_be_enabled()


def test_a_picture_meant_is_reached_from_the_remark(publisher: Page, tmp_path: Path) -> None:  # noqa: F811
    picture = scene(24)
    twice = [file(tmp_path, "one.jpg", picture), file(tmp_path, "again.jpg", picture.resize((520, 520)))]
    publisher.goto("/train")
    publisher.locator("[data-pictures]").set_input_files(twice)
    remark = publisher.locator(".advice-one").filter(has_text="nearly the same")
    expect(remark.get_by_role("link")).to_have_count(2)
    publisher.reload()
    expect(remark.get_by_role("link")).to_have_count(2)
    remark.get_by_role("link", name="again.jpg").press("Enter")
    expect(publisher.locator(".pick").filter(has_text="again.jpg")).to_be_focused()
