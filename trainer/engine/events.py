"""What the engine says: one JSON object a line on standard output; and the one error it reports.

Standard output belongs to events alone; logs and library chatter go to standard error.
"""

import json
import threading
from collections.abc import Callable
from typing import Any, TextIO

OnEvent = Callable[..., None]


class Fault(Exception):
    """A run that cannot go on. `fault` says whose it is: "recipe" (shown, not retried) or "machine"."""

    def __init__(self, fault: str, code: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.code = code
        self.message = message
        self.detail = detail


def recipe_fault(code: str, message: str) -> Fault:
    """A fault of the settings or pictures given."""
    return Fault("recipe", code, message)


def machine_fault(code: str, message: str, detail: str = "") -> Fault:
    """A fault of this machine, its disk or its base models."""
    return Fault("machine", code, message, detail)


class Reporter:
    """Writes events; safe to call from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, event: str, *, command: str | None = None, **values: Any) -> None:
        """Write one event line. A reader that is gone is no error here: the closed input ends the engine."""
        line = json.dumps({"event": event, "id": command, **values}, ensure_ascii=False, allow_nan=False)
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                return

    def of(self, run_id: str) -> OnEvent:
        """The same reporter with the id of one command filled in."""

        def report(event: str, **values: Any) -> None:
            self(event, command=run_id, **values)

        return report
