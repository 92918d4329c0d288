"""A run from the wizard to publishing in a real browser, watched while it learns. GLOSSA_PAGES=DIR keeps pictures."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from hub.access import Viewer
from hub.models import Version
from tests.parts.browser import PATIENCE
from tests.pictures.camera import Camera
from tests.trainer.conftest import slow_python
from trainer import worker
from trainer.models import TrainingRun
from trainer.services import pictures

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "child"),
]
Submit = Callable[..., TrainingRun]


@pytest.fixture
def engine_python(tmp_path: Path) -> str:
    """A stand-in that takes its time, so that there is something to watch."""
    return slow_python(tmp_path, seconds=0.1)


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[Camera]:
    """Takes each page at both widths and in both themes; nothing may be wider than the screen."""
    made = Camera(Path(os.environ.get("GLOSSA_PAGES") or tmp_path / "pages"))
    yield made
    assert made.wide == []


@pytest.fixture
def page(maker: Viewer, live_server: Any, chromium: Browser) -> Iterator[Page]:
    """The maker's browser; no script of ours may fail in it."""
    client = Client()
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    cookie = settings.SESSION_COOKIE_NAME
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["notifications"])
    context.add_cookies([{"name": cookie, "value": client.cookies[cookie].value, "url": live_server.url}])
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    yield opened
    assert troubles == []
    context.close()


@contextmanager
def worked_on(run: TrainingRun) -> Iterator[None]:
    """The run in the hands of a worker, in a thread."""

    def work() -> None:
        worker.run_training.fn(str(run.id))
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(PATIENCE / 1000)


def test_a_run_is_watched_while_it_learns_and_stopped(submit: Submit, page: Page, camera: Camera) -> None:
    run = submit(settings={"max_steps": 5000})
    with worked_on(run):
        page.goto(f"/runs/{run.id}")
        page.evaluate("window.notReloaded = true")
        expect(page.locator("[data-growth] li")).not_to_have_count(0)
        for number in ("step", "left", "speed", "fixed", "error", "norm"):
            expect(page.locator(f"[data-{number}]")).to_be_visible()
        before = page.locator("[data-step]").inner_text()
        expect(page.locator("[data-step]")).not_to_have_text(before)
        expect(page.locator("[data-curve] .fixed")).to_have_count(1)
        page.get_by_text("What happened").click()
        expect(page.locator("[data-log] li").last).to_contain_text("first step begins")
        camera.shoot(page, "run")
        page.get_by_role("button", name="Tell me here").click()
        expect(page.get_by_role("button", name="This page will tell you")).to_be_disabled()
        camera.visit(page, runs="/runs")
        page.goto("/train")
        for fold in page.locator("main details").all():
            fold.evaluate("one => { one.open = true }")
        page.get_by_label("Name", exact=True).fill("moss-new")
        page.get_by_role("button", name="Show the prompts").click()
        expect(page.locator(".prompts li").first).to_contain_text("moss-new")
        camera.shoot(page, "wizard-open")
        page.goto(f"/runs/{run.id}")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_text("You stopped this run")).to_be_visible()
    camera.shoot(page, "run-stopped")


def test_a_finished_run_is_compared_with_its_controls_taken_earlier_and_published(
    submit: Submit, page: Page, camera: Camera
) -> None:
    run = submit(initializer="whole sheet", settings={"max_steps": 20})
    with worked_on(run):
        page.goto(f"/runs/{run.id}")
        expect(page.get_by_role("heading", name="Look it over")).to_be_visible()
    camera.shoot(page, "run-done")
    page.locator(".picture-open").first.click()
    page.locator("dialog [data-compare-range]").fill("80")
    camera.shoot(page, "run-slider")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="step 0").click()
    expect(page.get_by_role("button", name="step 0")).to_be_disabled()
    camera.shoot(page, "run-taken")
    again = submit(name="moss-again", settings={"max_steps": 20})
    with worked_on(again):
        page.goto(f"/runs/compare?run={run.id}&run={again.id}")
        expect(page.get_by_role("heading", name="Settings and outcome")).to_be_visible()
        camera.shoot(page, "compared-meanwhile")
    page.reload()
    expect(page.get_by_text("not drawn")).not_to_have_count(0)
    camera.shoot(page, "compared")
    page.goto(f"/runs/{run.id}")
    page.get_by_role("button", name="Publish").click()
    page.locator("article.entry").wait_for()
    camera.shoot(page, "published")
    assert Version.objects.get(embedding=run.embedding).provenance["snapshot"] == "step 0"


def test_choosing_a_quality_in_a_wizard_that_was_filled_in_sets_its_steps(
    submit: Submit, maker: Viewer, page: Page
) -> None:
    run = submit(settings={"max_steps": 777, "lr": 0.004})
    pictures.lay_out(maker, run=run)
    page.goto(f"/train?again={run.id}")
    steps = page.get_by_label("Most steps")
    expect(steps).to_have_value("777")
    page.get_by_role("radio", name="Quick").check()
    expect(steps).to_have_value("")
    expect(steps).to_have_attribute("placeholder", "250")
    expect(page.locator("#id_lr")).to_have_value("0.004")
    page.get_by_role("radio", name="Thorough").check()
    expect(steps).to_have_attribute("placeholder", "2000")
    # What is typed after that stands.
    steps.fill("60")
    page.get_by_label("Name", exact=True).fill("moss-again")
    page.get_by_label("I may use these pictures").check()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    made = TrainingRun.objects.exclude(pk=run.pk).get()
    assert (made.recipe["preset"], made.max_steps, made.recipe["lr"]) == ("thorough", 60, 0.004)
