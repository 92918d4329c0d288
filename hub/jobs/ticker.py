"""Small things that a worker does every few seconds, in a thread of its own, so that nobody needs a crontab."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

log = logging.getLogger(__name__)


@dataclass
class Duty:
    """Something to do every `seconds`."""

    seconds: float
    act: Callable[[], Any]
    next_at: float = field(default=0.0)


_duties: list[Duty] = []


def every(seconds: float, act: Callable[[], Any]) -> None:
    """Have each worker that imports the caller do this every `seconds`, the first time at once.

    The act is quick, safe to run in several workers at once, and may fail: it is done again next time.
    """
    _duties.append(Duty(seconds, act))


class Ticker:
    """The thread that does the duties."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Do nothing new; wait for the duty being done."""
        self._stopped.set()
        self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            for duty in _duties:
                if duty.next_at <= time.monotonic():
                    _do(duty)
            self._stopped.wait(0.5)
        connections.close_all()


def _do(duty: Duty) -> None:
    duty.next_at = time.monotonic() + duty.seconds
    try:
        duty.act()
    except Exception:
        # Whatever went wrong must not end the other duties.
        log.exception("duty %s failed", getattr(duty.act, "__qualname__", duty.act))
        connections.close_all()
