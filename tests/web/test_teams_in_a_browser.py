"""Teams in a real browser: a person is asked in and comes in by keyboard alone, and no page has barriers."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from hub.models import Membership, Team
from hub.services.people import accounts, teammates
from tests import factories
from tests.web.test_in_a_browser import barriers, focus_is_seen, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("disk_blobs"),
]
LONG = "a-very-long-name-for-a-team-that-nobody-would-ever-type-by-hand"
SignIn = Callable[[str], Page]
PAGES = (
    "/teams", "/teams/new", "/teams/fern-house", "/teams/fern-house/delete", "/fern-house", "/ada", "/new",
    "/collections/new", "/fern-house/moss-dragon", "/fern-house/moss-dragon/transfer", f"/teams/{LONG}",
)  # fmt: skip


@pytest.fixture
def team(live_server: Any) -> Team:
    """Ada's team of four with a word, a second one with a long name, and one that wants her."""
    made = factories.team(wes="writer", rhea="reader", max="admin")
    factories.user("bob")
    teammates.invite(factories.viewer(), team=made, name=factories.user("guest").username, role="reader")
    factories.published(team=made)
    factories.published(team=made, name="secret-word", visibility="private")
    factories.member(factories.team(LONG, admin="ada"), "a-person-with-quite-a-long-name")
    other = factories.team("moss-house", admin="zoe")
    teammates.invite(factories.viewer("zoe"), team=other, name="ada", role="writer")
    return made


@pytest.fixture
def sign_in(chromium: Browser, live_server: Any, team: Team) -> Iterator[SignIn]:
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


def test_a_person_is_asked_in_and_comes_in_without_a_mouse(sign_in: SignIn, team: Team) -> None:
    ada = sign_in("ada")
    ada.goto("/teams/fern-house")
    ada.get_by_label("Person").fill("bob")
    ada.get_by_role("radio", name="reader").press("Space")
    assert focus_is_seen(ada)
    ada.get_by_role("button", name="Ask them in").press("Enter")
    expect(ada.get_by_text("bob is asked in.")).to_be_visible()
    bob = sign_in("bob")
    bob.locator(".menu > summary").press("Enter")
    bob.get_by_role("link", name="Teams: 1 invitation").press("Enter")
    bob.get_by_role("button", name="Enter fern-house").press("Enter")
    bob.wait_for_url("**/fern-house")
    expect(bob.get_by_role("link", name="secret-word").first).to_be_visible()
    ada.reload()
    ada.get_by_label("Role of bob", exact=True).select_option("writer")
    ada.get_by_role("button", name="Save the role of bob").press("Enter")
    expect(ada.get_by_text("bob is writer now.")).to_be_visible()
    assert Membership.objects.get(user__username="bob").role == "writer"
    ada.once("dialog", lambda question: question.accept())
    ada.get_by_role("button", name="Remove bob").press("Enter")
    expect(ada.get_by_text("bob is out of the team.")).to_be_visible()
    assert not Membership.objects.filter(user__username="bob").exists()


def test_pages_of_teams_have_no_barriers(sign_in: SignIn) -> None:
    ada, wrong = sign_in("ada"), {}
    for address in PAGES:
        ada.goto(address)
        if found := barriers(ada):
            wrong[address] = found
    ada.goto("/teams/fern-house")
    ada.get_by_label("Person").fill("nobody-here")
    ada.get_by_role("button", name="Ask them in").press("Enter")
    expect(ada.get_by_text("There is no person of this name")).to_be_visible()
    if found := barriers(ada):
        wrong["after a refusal"] = found
    assert wrong == {}
