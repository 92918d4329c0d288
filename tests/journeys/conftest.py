"""A running hub and a real browser for the journeys."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.environment import IN_CI
from tests.journeys.hub_process import Hub

FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Where there is none the test is skipped by name; in CI that is a failure."""
    path = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
    if not path.exists():
        reason = f"no Chromium at {path}: install it, or name it with CHROMIUM"
        pytest.fail(reason) if IN_CI else pytest.skip(reason)
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with its catalogue, started the way `make run` does."""
    hub = Hub(tmp_path_factory.mktemp("hub"))
    hub.start()
    yield hub
    hub.stop()


@pytest.fixture(scope="module")
def administrator(hub: Hub, chromium: Browser) -> Iterator[BrowserContext]:
    """A browser in which the printed one-time link was opened."""
    context = chromium.new_context(base_url=hub.url, viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(hub.sign_in_link or "")
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(hub.url + "/")
    page.close()
    yield context
    context.close()
