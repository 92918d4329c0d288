"""Gates in a real browser: asked at, answered and passed by keyboard alone, and no page has barriers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.models import Embedding
from hub.services.embeddings import gating
from hub.services.people import accounts
from tests import factories
from tests.web.test_in_a_browser import barriers, focus_is_seen, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("disk_blobs"),
]
TERMS = "No likenesses of *living people*.\n\n" + "Say where the word is from. " * 60
PAGE = "/ada/moss-dragon"
SignIn = Callable[[str], Page]


@pytest.fixture
def row(live_server: Any) -> Embedding:
    """A word of Ada's behind a gate, at which three have asked."""
    made = factories.published(family="sd1", summary="Green scales everywhere.")
    row = gating.set_gate(factories.viewer(), embedding=made, gate="manual", terms=TERMS)
    for name in ("cara", "a-person-with-quite-a-long-name"):
        gating.ask(factories.viewer(name), embedding=row, agrees=True, message="For a zine about moss. " * 8)
    asked = gating.ask(factories.viewer("dora"), embedding=row, agrees=True)
    gating.reject(factories.viewer(), request=asked, reason="Not for that.")
    auto = factories.published(name="fern-glow", trigger="fern-glow", family="sd1")
    gating.set_gate(factories.viewer(), embedding=auto, gate="auto")
    return row


@pytest.fixture
def sign_in(chromium: Browser, live_server: Any, row: Embedding) -> Iterator[SignIn]:
    """That person's browser."""
    contexts = []

    def make(name: str) -> Page:
        context = opened(chromium, live_server.url)
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/sign-in/{accounts.one_time_link(factories.user(name))}")
        page.get_by_role("button", name="Sign in as").click()
        page.wait_for_url(live_server.url + "/")
        return page

    yield make
    for context in contexts:
        context.close()


def test_a_gate_is_asked_at_answered_and_passed_without_a_mouse(sign_in: SignIn) -> None:
    bob, ada = sign_in("bob"), sign_in("ada")
    bob.goto(PAGE)
    expect(bob.get_by_role("link", name="Download moss-dragon")).to_have_count(0)
    bob.get_by_role("checkbox", name="I agree").press("Space")
    assert focus_is_seen(bob)
    bob.get_by_label("What you want them for").fill("For a zine.")
    bob.get_by_role("button", name="Ask for access").press("Enter")
    expect(bob.get_by_text("has not answered yet")).to_be_visible()
    ada.goto(PAGE)
    ada.get_by_role("link", name="Who may have its files").press("Enter")
    ada.get_by_role("button", name="Let bob in").press("Enter")
    expect(ada.get_by_text("bob is let in.")).to_be_visible()
    bob.goto(PAGE)
    with bob.expect_download() as download:
        bob.get_by_role("link", name="Download moss-dragon").press("Enter")
    assert download.value.suggested_filename == "moss-dragon.safetensors"
    ada.get_by_role("link", name="accepted").press("Enter")
    ada.get_by_label("Why not, for bob").fill("Not so.")
    ada.once("dialog", lambda question: question.accept())
    ada.get_by_role("button", name="Take the access of bob back").press("Enter")
    expect(ada.get_by_text("bob may not have the files.")).to_be_visible()
    bob.reload()
    expect(bob.get_by_text("rejected your request")).to_be_visible()


def test_pages_of_gates_have_no_barriers(sign_in: SignIn) -> None:
    visits = {
        "ada": (
            PAGE,
            f"{PAGE}/edit",
            f"{PAGE}/requests",
            f"{PAGE}/requests?state=rejected",
            "/settings/access",
        ),
        "bob": (PAGE, "/ada/fern-glow"),
        "cara": (PAGE,),
        "dora": (PAGE, "/settings/access"),
    }
    wrong = {}
    for name, addresses in visits.items():
        page = sign_in(name)
        for address in addresses:
            page.goto(address)
            if found := barriers(page):
                wrong[f"{name} at {address}"] = found
    assert wrong == {}
