"""A hub over a real socket, hostile servers, and the client as people run it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.client.made_up import MadeUp
from tests.client.runner import Glossa


@pytest.fixture
def glossa(live_server: LiveServer, tmp_path: Path) -> Glossa:
    """The client of a person at the real hub."""
    return Glossa(tmp_path / "home", live_server.url)


@pytest.fixture
def made_up() -> Iterator[Callable[[], MadeUp]]:
    """Starts servers that answer whatever a test wants."""
    started: list[MadeUp] = []

    def start() -> MadeUp:
        started.append(MadeUp())
        return started[-1]

    yield start
    for server in started:
        server.stop()
