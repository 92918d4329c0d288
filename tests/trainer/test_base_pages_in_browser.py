"""Pages of base models in a real browser: no barrier that axe knows of, nothing wider than the screen."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.trainer.test_probing import Probed, probed
from tests.web.test_in_a_browser import barriers, opened
from trainer.base_folder import BUNDLED
from trainer.services import bases

__all__ = ["probed"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_lists_and_pages_have_no_barriers(
    chromium: Browser, live_server: Any, base: Any, probed: Probed, static_files: Any
) -> None:
    installed = bases.install(BUNDLED, name=base.name, copy=False, replace=True)
    probed(digest=installed.digest, b4=0.3, b8=0.6)
    context = opened(chromium, live_server.url)
    page = context.new_page()
    for address in ("/bases", f"/bases/{installed.name}"):
        page.goto(address)
        for summary in page.locator("main details").all():
            summary.evaluate("one => one.open = true")
        assert barriers(page) == [], address
    bases.remove(installed.name)
    page.goto("/bases")
    assert barriers(page) == []
    context.close()
