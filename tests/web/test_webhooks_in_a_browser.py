"""Webhooks in a real browser: added, tested, watched as the answer comes in, sent again; no barriers on the way."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, expect

from hub import env, worker
from hub.services.people import accounts
from tests import factories
from tests.parts.receiver import Receiver, receiving
from tests.web.test_in_a_browser import barriers, opened

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as found:
        hosts = env.hook_hosts(f"127.0.0.1:{found.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        yield found


@pytest.fixture
def page(chromium: Browser, live_server: Any) -> Iterator[Page]:
    """The publisher's page, signed in by a one-time link."""
    user = factories.user("ada")
    context = opened(chromium, live_server.url)
    found = context.new_page()
    found.goto(f"/sign-in/{accounts.one_time_link(user)}")
    found.get_by_role("button", name="Sign in as").click()
    found.wait_for_url(live_server.url + "/")
    yield found
    context.close()


def test_a_webhook_is_added_tested_and_watched(page: Page, receiver: Receiver) -> None:
    page.goto("/settings/webhooks")
    expect(page.get_by_text("No webhook yet")).to_be_visible()
    assert barriers(page) == []
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_role("button", name="Add the webhook").click()
    expect(page.locator("#made code")).to_contain_text("whsec_")
    assert barriers(page) == []
    page.get_by_role("link", name="Send a test").click()
    expect(page.get_by_text("Nothing sent yet")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("on its way", exact=True)).to_be_visible()
    worker.send_webhooks.fn()
    # Nothing is pressed: the page looks for the answer by itself.
    expect(page.locator("#deliveries .badge")).to_have_text("delivered")
    page.get_by_text("What was sent").click()
    expect(page.locator("#deliveries pre")).to_contain_text('"type": "ping"')
    assert barriers(page) == []
    page.get_by_role("button", name="Send ping of").click()
    expect(page.locator("#deliveries .badge")).to_have_text("on its way")
    worker.send_webhooks.fn()
    expect(page.locator("#deliveries .badge")).to_have_text("delivered")
    assert len(receiver.calls) == 2 and len(set(receiver.ids)) == 1
