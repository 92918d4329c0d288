"""Kill points: what an order says, and what a process that has one does."""

import signal
import threading
import time

import pytest
from dramatiq.middleware import Shutdown
from dramatiq.threading import raise_thread_exception

from hub import killpoints
from tests import kill

REACH = """
import sys
from hub.killpoints import kill_point
for _ in range(3):
    kill_point("K4"); print("passed", flush=True)
"""


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("", ("", 0, "KILL")),
        ("K4", ("K4", 1, "KILL")),
        ("K4@3", ("K4", 3, "KILL")),
        ("K4@3!TERM", ("K4", 3, "TERM")),
        ("K31!ENOSPC", ("K31", 1, "ENOSPC")),
    ],
)
def test_an_order_names_point_time_and_way(text: str, order: tuple[str, int, str]) -> None:
    read = killpoints.parse(text)
    assert (read.name, read.times, read.way) == order


@pytest.mark.parametrize("text", ["K0", "K54", "K4@0", "K4@x", "K4!NOVA", "!TERM"])
def test_an_order_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HUB_KILL_POINT"):
        killpoints.parse(text)


def test_a_process_dies_at_its_point_at_the_time_named() -> None:
    assert kill.run(REACH, point="K4@3").stdout.count("passed") == 2


def test_a_full_disk_is_met_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killpoints, "_order", killpoints.Order())
    monkeypatch.setattr(killpoints, "_left", 0)
    killpoints.arm("K4!ENOSPC")
    with pytest.raises(OSError, match="No space left"):
        killpoints.kill_point("K4")
    killpoints.kill_point("K4")


def test_a_process_asked_to_stop_hears_the_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killpoints, "_order", killpoints.Order())
    monkeypatch.setattr(killpoints, "_left", 0)
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        killpoints.arm("K4!TERM")
        killpoints.kill_point("K4")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]


def test_a_stop_reaches_a_thread_at_the_point_that_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(killpoints, "_order", killpoints.Order())
    monkeypatch.setattr(killpoints, "_left", 0)
    asked, ended_by = threading.Event(), []

    def job() -> None:
        try:
            killpoints.kill_point("K4")
            ended_by.append("nothing")
        except Shutdown:
            ended_by.append("the stop")

    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        killpoints.arm("K4!TERM")
        thread = threading.Thread(target=job)
        thread.start()
        assert asked.wait(5)
        time.sleep(0.2)
        assert thread.ident is not None
        raise_thread_exception(thread.ident, Shutdown)
        thread.join(5)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert ended_by == ["the stop"]
