"""The warm template process, seen from outside: started bare, asked for one child after the other.

This process may have many threads, so it never forks itself; the template has one, and none of our secrets.
"""

import os
import select
import socket
import subprocess
import sys
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from hub.formats.__main__ import ASKED, TOLD
from hub.sandbox.outcomes import Bounds, SandboxUnavailable, too_much, too_slow

MAX_HEADER = 8 << 20
_MAX_ERRORS = 8192
_START_SECONDS = 60.0
# A template ends a child that is over its time; one that does not is ended itself so much later.
_GRACE_SECONDS = 5.0
_BLOCK = 1 << 16
_ROOT = str(Path(__file__).resolve().parents[2])
_BOOTSTRAP = (
    "import sys; sys.path[:0] = sys.argv[2:]; from hub.formats.__main__ import main; main(sys.argv[1])"
)


class TemplateGone(Exception):
    """The template ended while a child of it was at work, so nothing is known about the file."""


class Template:
    """A process that has loaded `module` and forks children, for one file at a time.

    `is_whole` says that it can be asked again: nobody is waiting for it, and nothing about it is in doubt.
    """

    def __init__(self, module: str, extra_paths: tuple[str, ...] = ()) -> None:
        """Start it and wait until it is warm; SandboxUnavailable when it does not become so."""
        self._control, far = socket.socketpair()
        command = [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, module]
        with far:
            try:
                self._process = subprocess.Popen(
                    [*command, *_import_paths(), *extra_paths],
                    stdin=far.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    cwd="/",
                    env={},
                )
            except OSError as error:
                self._control.close()
                reason = f"The parser process cannot be started: {error.strerror}."
                raise SandboxUnavailable(reason) from error
        self._await_warmth()
        self.is_whole = True

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read(self, source: int, request: bytes, bounds: Bounds) -> tuple[int, bytes]:
        """Exit code of a child that was handed the open file `source` and the request, and all that it said.

        SandboxRefusal for a child over its time or output, TemplateGone when the template ended first.
        """
        self.is_whole = False
        seconds = bounds.wall_seconds + _GRACE_SECONDS
        deadline = time.monotonic() + seconds
        self._control.settimeout(seconds)
        reading, writing = os.pipe()
        try:
            try:
                asked = ASKED.pack(bounds.wall_seconds, len(request)) + request
                sent = socket.send_fds(self._control, [asked], [source, writing])
                self._control.sendall(asked[sent:])
            except OSError as error:
                raise TemplateGone from error
            finally:
                os.close(writing)
            said = _heard(reading, bounds.output + MAX_HEADER, deadline)
        finally:
            os.close(reading)
        code = self._told()
        self.is_whole = True
        return code, said

    def is_over(self) -> bool:
        """Whether the process has ended; it is reaped if so."""
        return self._process.poll() is not None

    def end(self) -> None:
        """End it now, with its child."""
        self.is_whole = False
        self._control.close()
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its child follows it
            self._process.wait()
        self._close_errors()

    def forget(self) -> None:
        """Let go of a template that belongs to the process this one was forked from."""
        self._control.close()
        self._close_errors()
        self._process.returncode = 0  # not ours to wait for

    def _told(self) -> int:
        try:
            told = self._control.recv(TOLD.size)
        except TimeoutError:
            raise too_slow() from None
        except OSError as error:
            raise TemplateGone from error
        if len(told) != TOLD.size:
            raise TemplateGone
        code: int = TOLD.unpack(told)[0]
        return code

    def _await_warmth(self) -> None:
        self._control.settimeout(_START_SECONDS)
        try:
            is_warm = self._control.recv(1) == b"+"
        except OSError:
            is_warm = False
        if is_warm:
            return
        self._process.kill()
        assert self._process.stderr is not None
        trace = self._process.stderr.read(_MAX_ERRORS).decode("ascii", "replace")
        self.end()
        raise SandboxUnavailable(f"The parser process failed before it read anything: {trace[-500:]}")

    def _close_errors(self) -> None:
        assert self._process.stderr is not None
        self._process.stderr.close()


def _heard(descriptor: int, most: int, deadline: float) -> bytes:
    """All that comes until the other end is closed; SandboxRefusal when that takes too long or is too much."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    blocks: list[bytes] = []
    size = 0
    while poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        block = os.read(descriptor, _BLOCK)
        if not block:
            return b"".join(blocks)
        blocks.append(block)
        size += len(block)
        if size > most:
            raise too_much()
    raise too_slow()


@cache
def _import_paths() -> tuple[str, ...]:
    """Where the template finds our package and what it stands on: with -I -S it has the standard library alone."""
    folders = [_ROOT]
    for package in ("PIL", "blake3"):
        found = find_spec(package)
        assert found is not None and found.origin is not None
        folders.append(str(Path(found.origin).parent.parent))
    return tuple(dict.fromkeys(folders))
