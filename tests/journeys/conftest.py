"""A running hub and a real browser for the journeys."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.hub_process import Hub
from tests.parts.browser import PATIENCE


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
    context.set_default_timeout(PATIENCE)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(hub.sign_in_link or "")
    page.get_by_role("button", name="Sign in as").click()
    page.wait_for_url(hub.url + "/")
    page.close()
    yield context
    context.close()
