"""Start and stop a server process; it never outlives the suite, even one that is killed."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1


class CannotStart(RuntimeError):
    """A server that the suite needs does not run on this machine."""


def free_port() -> int:
    """A TCP port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    user: int | None = None,
    death_signal: int = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start a server in its own session; `death_signal` reaches it when this process dies (Linux)."""

    def follow_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:
                # It died before this was asked for, and nobody would ever tell.
                os.kill(os.getpid(), death_signal)

    parent = os.getpid()
    try:
        with log.open("ab") as output:
            return subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                user=user,
                start_new_session=True,
                preexec_fn=follow_parent,
            )
    except OSError as error:
        raise CannotStart(f"{command[0]}: {error}") from error


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 30
) -> None:
    """Wait for `ready`; CannotStart with the end of the log when the server dies or is too slow."""
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-1500:]
            stop(process)
            raise CannotStart(f"{process.args!r} is not ready; its log ends: {tail}")
        time.sleep(0.05)


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM, seconds: float = 10) -> None:
    """Ask the server to leave, then make it."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
