"""The warm template process, seen from outside: started bare, asked for children, replaced when it is gone.

This process may have many threads, so it never forks itself; the template has one, and none of our secrets.
"""

import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from functools import cache
from importlib.util import find_spec
from io import FileIO
from pathlib import Path

from hub.sandbox.outcomes import Bounds, SandboxUnavailable, too_much, too_slow

MAX_HEADER = 8 << 20
_MAX_ERRORS = 8192
_START_SECONDS = 60.0
_END_SECONDS = 5.0
_ROOT = str(Path(__file__).resolve().parents[2])
_BOOTSTRAP = (
    "import sys; sys.path[:0] = sys.argv[3:]; from hub.formats.__main__ import main; "
    "main(int(sys.argv[1]), sys.argv[2])"
)


class TemplateGone(Exception):
    """The template ended while a child of it was at work, so nothing is known about the file."""


class Template:
    """A process that has loaded `module` and forks children. `retire` it when it is no longer needed."""

    def __init__(self, module: str, extra_paths: tuple[str, ...] = ()) -> None:
        """Start it and wait until it is warm; SandboxUnavailable when it does not become so."""
        self._control, far = socket.socketpair()
        command = [sys.executable, "-I", "-S", "-c", _BOOTSTRAP, str(far.fileno()), module]
        with far:
            try:
                self._process = subprocess.Popen(
                    [*command, *_import_paths(), *extra_paths],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    pass_fds=(far.fileno(),),
                    start_new_session=True,
                    cwd="/",
                    env={},
                )
            except OSError as error:
                self._control.close()
                reason = f"The parser process cannot be started: {error.strerror}."
                raise SandboxUnavailable(reason) from error
        self._await_warmth()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def read(self, source: int, request: bytes, bounds: Bounds) -> tuple[int, bytes, bytes]:
        """Exit code, output and errors of a child that was handed the open file `source` and the request.

        SandboxRefusal for a child over its time or output, TemplateGone when the template ended first.
        """
        deadline = time.monotonic() + bounds.wall_seconds
        with ExitStack() as stack:
            output, far_output = _pipe(stack)
            errors, far_errors = _pipe(stack)
            asked, asking = _pipe(stack)
            line, far_line = (stack.enter_context(end) for end in socket.socketpair())
            asking.write(request)
            self._send([end.fileno() for end in (asked, far_output, far_errors)], source, far_line)
            for end in (asking, asked, far_output, far_errors, far_line):
                end.close()
            conversation = _Conversation(line, output, errors, bounds.output + MAX_HEADER)
            try:
                conversation.run(deadline)
            except BaseException:
                self._end_child(line)
                raise
        if len(conversation.status) != struct.calcsize("<i"):
            raise TemplateGone
        (code,) = struct.unpack("<i", conversation.status)
        return code, bytes(conversation.output), bytes(conversation.errors)

    def retire(self) -> None:
        """Ask no more of it: it ends by itself when its last child has."""
        self._control.close()

    def is_over(self) -> bool:
        """Whether the process has ended; it is reaped if so."""
        if self._process.poll() is None:
            return False
        self._close_errors()
        return True

    def end(self) -> None:
        """End it now, with its children."""
        self.retire()
        try:
            self._process.wait(0.2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_errors()

    def forget(self) -> None:
        """Let go of a template that belongs to the process this one was forked from."""
        self._control.close()
        self._close_errors()
        self._process.returncode = 0  # not ours to wait for

    def _send(self, pipes: list[int], source: int, line: socket.socket) -> None:
        try:
            socket.send_fds(self._control, [b"?"], [*pipes, source, line.fileno()])
        except OSError as error:
            raise TemplateGone from error

    def _end_child(self, line: socket.socket) -> None:
        """Have a child killed, and see that it is: our place in the queue is only then free."""
        with suppress(OSError):
            line.shutdown(socket.SHUT_WR)
            line.settimeout(_END_SECONDS)
            try:
                while line.recv(16):
                    continue
            except TimeoutError:
                self._process.send_signal(signal.SIGKILL)  # its children follow it

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


class _Conversation:
    """What a child says, on two pipes and the line on which its end is told."""

    def __init__(self, line: socket.socket, output: FileIO, errors: FileIO, most: int) -> None:
        self.status, self.output, self.errors = bytearray(), bytearray(), bytearray()
        self._ends = (
            (line, self.status, 64),
            (output, self.output, most),
            (errors, self.errors, _MAX_ERRORS),
        )

    def run(self, deadline: float) -> None:
        """Listen until all three ends are closed; SandboxRefusal when that takes too long or too much."""
        with selectors.DefaultSelector() as selector:
            for end, buffer, most in self._ends:
                selector.register(end, selectors.EVENT_READ, (buffer, most))
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise too_slow()
                for key, _events in ready:
                    buffer, most = key.data
                    block = _received(key.fd)
                    buffer += block
                    if len(buffer) > most:
                        raise too_much()
                    if not block:
                        selector.unregister(key.fileobj)


def _received(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except ConnectionError:  # a line whose other end is gone
        return b""


def _pipe(stack: ExitStack) -> tuple[FileIO, FileIO]:
    """Both ends of a pipe. Objects, not numbers: closing a number twice may close another thread's file."""
    reading, writing = os.pipe()
    return stack.enter_context(FileIO(reading, "rb")), stack.enter_context(FileIO(writing, "wb"))


@cache
def _import_paths() -> tuple[str, ...]:
    """Where the template finds our package and what it stands on: with -I -S it has the standard library alone."""
    folders = [_ROOT]
    for package in ("PIL", "blake3"):
        found = find_spec(package)
        assert found is not None and found.origin is not None
        folders.append(str(Path(found.origin).parent.parent))
    return tuple(dict.fromkeys(folders))
