"""Child programs of `quickstart`: started in order, started again when they die, never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_LONGEST_PAUSE = 30.0
# A child that lived this long has recovered: its next death is a first one again.
_HEALTHY_SECONDS = 60.0


@dataclass
class Child:
    """One program, and what is known of its health. `patience`: seconds it gets to leave in order."""

    name: str
    command: Sequence[str | Path]
    patience: float
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    restart_at: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own: Ctrl-C in the terminal is for the parent."""
        output: IO[bytes] | None = self.log.open("ab") if self.log else None
        try:
            self.process = subprocess.Popen(
                [str(word) for word in self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  the parent has one thread
            )
        finally:
            if output is not None:
                output.close()
        self.started_at = time.monotonic()

    @property
    def runs(self) -> bool:
        """Whether it is alive."""
        return self.process is not None and self.process.poll() is None

    def revive(self) -> str | None:
        """Start it again if it died and the pause is over; says what happened, if anything did."""
        if self.process is None or self.runs:
            return None
        now = time.monotonic()
        if self.restart_at <= self.started_at:
            if now - self.started_at > _HEALTHY_SECONDS:
                self.deaths = 0
            pause = min(2.0**self.deaths, _LONGEST_PAUSE)
            self.deaths += 1
            self.restart_at = now + pause
            return (
                f"{self.name} ended with status {self.process.returncode}; it starts again in {pause:.0f} s."
            )
        if now >= self.restart_at:
            self.start()
        return None

    def ask_to_stop(self) -> None:
        """The polite signal."""
        if self.runs and self.process is not None:
            self.process.send_signal(signal.SIGTERM)

    def make_stop(self) -> None:
        """The end of it and of everything it started."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        finally:
            self.process.wait()


def stop_all(children: Sequence[Child], hurried: "Hurry") -> None:
    """Ask all to stop and wait for each as long as it may take; a hurried person does not wait."""
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic()
    for child in children:
        while child.runs and time.monotonic() < deadline + child.patience and not hurried.asked_again:
            time.sleep(0.05)
    for child in children:
        child.make_stop()


class Hurry:
    """What the person at the terminal has asked for so far."""

    def __init__(self) -> None:
        self.signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._count)

    def _count(self, number: int, frame: object) -> None:
        self.signals += 1

    @property
    def asked(self) -> bool:
        """To stop."""
        return self.signals > 0

    @property
    def asked_again(self) -> bool:
        """To stop now."""
        return self.signals > 1


def _die_with_parent() -> None:
    """Linux tells the child when its parent was killed; elsewhere it is left behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
