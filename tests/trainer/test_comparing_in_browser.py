"""Choosing runs and seeing them side by side, in a real browser."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, expect

from hub.access import Viewer
from tests.parts.browser import PATIENCE
from trainer import worker
from trainer.models import TrainingRun

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("static_files", "child"),
]
Submit = Callable[..., TrainingRun]


def test_runs_are_chosen_in_the_list_and_stand_side_by_side_with_a_line_each(
    submit: Submit, maker: Viewer, live_server: object, chromium: Browser
) -> None:
    url = str(live_server)
    for name in ("moss-glow", "moss-dim"):
        worker.run_training.fn(str(submit(name=name).id))
    client = Client()
    assert maker.user is not None
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    name = settings.SESSION_COOKIE_NAME
    context = chromium.new_context(base_url=url, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto("/runs")
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare the chosen").click()
    expect(page.get_by_role("heading", name="Settings and outcome")).to_be_visible()
    expect(page.locator("svg .compare-line")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("link", name="moss-dim").first.click()
    page.get_by_role("button", name="Train again with changes").click()
    expect(page.get_by_text("Filled in from")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("moss-dim")
    expect(page.locator(".picked [data-sha]")).to_have_count(3)
    assert troubles == []
    context.close()
