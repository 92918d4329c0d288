"""The way past the layers of pages: who takes it, and that it leads to the same answers."""

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client

from hub.services.people import tokens
from hub.wire import shortcut
from tests import factories

pytestmark = pytest.mark.django_db
PULL = "/mara/moss-glow/resolve/main/README.md"
ADDRESSES = [
    PULL,
    "/mara/moss-glow/resolve/v1/nothing.bin",
    "/mara/nothing/resolve/main/README.md",
    "/mara/hidden/resolve/main/README.md",
    "/api/models/mara/moss-glow",
    "/api/models",
    "/api/nothing/at/all",
    "/api/v1/models",
    "/api/v1/model-versions/1",
    "/api/whoami-v2",
    "/api/hub/v1/embeddings/mara/moss-glow",
    "/api/hub/v1/tokens",
]
# What may differ: names of requests, counters of calls, and what each way says to browsers.
OWN = {
    "X-Request-Id",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Content-Security-Policy",
    "Vary",
    "Cross-Origin-Opener-Policy",
}


@pytest.fixture(autouse=True)
def _shelf(disk_blobs: Any) -> None:
    factories.published("mara", "moss-glow")
    factories.published("mara", "hidden", visibility="private")


@pytest.fixture
def sessions_opened(monkeypatch: Any) -> list[str]:
    """The addresses of requests that went through the layer of sessions."""
    from django.contrib.sessions.middleware import SessionMiddleware

    seen: list[str] = []
    open_session = SessionMiddleware.process_request

    def noted(layer: SessionMiddleware, request: HttpRequest) -> None:
        seen.append(request.path)
        open_session(layer, request)

    monkeypatch.setattr(SessionMiddleware, "process_request", noted)
    return seen


def told(response: Any) -> tuple[int, dict[str, str], str]:
    """Status, headers and text, as far as both ways must agree on them."""
    headers = {name: value for name, value in response.items() if name not in OWN}
    text = response.content.decode(errors="replace").replace(response["X-Request-Id"], "ID")
    return response.status_code, headers, text


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("with_token", [False, True])
def test_both_ways_give_the_same_answer(
    monkeypatch: Any, sessions_opened: list[str], address: str, method: str, with_token: bool
) -> None:
    headers = {"authorization": f"Bearer {factories.token('mara')[1]}"} if with_token else {}
    short = told(getattr(Client(), method)(address, headers=headers))
    assert sessions_opened == []
    monkeypatch.setattr(shortcut, "_fits", lambda request: False)
    long = told(getattr(Client(), method)(address, headers=headers))
    assert sessions_opened == [address]
    assert short == long


def test_a_session_is_known_at_the_doors_of_tools(client: Client, sessions_opened: list[str]) -> None:
    client.force_login(factories.user("mara"))
    assert client.get("/mara/hidden/resolve/main/README.md").status_code == 200
    assert client.get("/api/whoami-v2").json()["name"] == "mara"
    assert len(sessions_opened) == 2


@pytest.mark.parametrize(
    "address", ["/", "/mara/moss-glow", "/accounts/login/", "/mara/resolve/x", "/apiary"]
)
def test_pages_go_through_every_layer(client: Client, sessions_opened: list[str], address: str) -> None:
    client.get(address)
    assert sessions_opened == [address]


def test_what_changes_something_goes_through_every_layer(client: Client, sessions_opened: list[str]) -> None:
    secret = factories.token("mara", scopes=list(tokens.SCOPES))[1]
    client.post("/api/repos/create", {"name": "x"}, headers={"authorization": f"Bearer {secret}"})
    assert sessions_opened == ["/api/repos/create"]


@pytest.mark.parametrize("address", [PULL, "/api/models"])
def test_a_foreign_host_name_is_refused(client: Client, address: str) -> None:
    assert client.get(address, headers={"host": "evil.example"}).status_code == 400


def test_answers_for_tools_say_that_they_are_no_pages(client: Client) -> None:
    answer = client.get("/api/models")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(PULL)["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert not client.cookies
