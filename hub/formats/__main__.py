"""The reading side of the sandbox: a warm template process that forks one locked child for each file.

Started by hub.sandbox with an open socket, before any file is seen. It loads a reader's module and then does
nothing but fork; no stranger's byte is ever read in the template itself. A child gives up its rights
(`lockdown`), reads the file it was handed, answers on a pipe and ends. The answer is eight bytes of length, a
JSON header of that length, and the body.
"""

import fcntl
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, NoReturn

from hub.formats.errors import FormatError
from hub.formats.lockdown import EXIT_CRASH, EXIT_MEMORY, EXIT_SETUP, lock

Reader = Callable[..., tuple[dict[str, object], bytes]]

# What a child is handed, and under which descriptors it finds it: the request, its two outputs, the file.
REQUEST, OUTPUT, ERRORS, SOURCE = range(4)
_HANDED = 5  # these, and the line on which the template tells how the child ended
_FIRST_FREE = 600  # above all that a template has open
_PAST_ALL = _FIRST_FREE + 100


def main(control: int, module: str) -> NoReturn:
    """Be the template of children that read with `module`, until the other end of the socket is closed."""
    try:
        reader = importlib.import_module(module)
        getattr(reader, "preload", _nothing)()
        template = Template(socket.socket(fileno=control), reader)
    except BaseException:  # noqa: BLE001 - the template reports every failure by its exit code
        _leave(EXIT_SETUP)
    template.serve()
    os._exit(0)


class Template:
    """A process that forks children and tells how each of them ended. It never looks at a file."""

    def __init__(self, control: socket.socket, reader: ModuleType) -> None:
        self._control = control
        self._reader = reader
        self._lines: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._bell, bell = os.pipe()
        os.set_blocking(bell, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(bell)
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)

    def serve(self) -> None:
        """Fork on demand; when the socket is closed, see the last children off and return."""
        gc.collect()
        gc.freeze()  # a collection in a child must not copy the template's pages
        self._control.send(b"+")
        is_open = True
        while is_open or self._lines:
            for key, _events in self._selector.select():
                if key.fileobj is self._control:
                    is_open = self._accept()
                elif key.fileobj == self._bell:
                    os.read(self._bell, 4096)
                else:  # the other end has had enough of this child
                    with suppress(ProcessLookupError):
                        os.killpg(key.data, signal.SIGKILL)
            self._see_off()

    def _accept(self) -> bool:
        message, handed, _flags, _address = socket.recv_fds(self._control, 1, _HANDED)
        if not message:
            self._selector.unregister(self._control)
            return False
        if len(handed) == _HANDED:
            self._fork(handed)
        for descriptor in handed:
            os.close(descriptor)
        return True

    def _fork(self, handed: list[int]) -> None:
        line = socket.socket(fileno=os.dup(handed[-1]))
        try:
            pid = os.fork()
        except OSError:
            _tell(line, EXIT_SETUP)
            return
        if pid == 0:
            _be_child(handed, self._reader)
        with suppress(OSError):  # the child does the same; whoever comes first
            os.setpgid(pid, pid)
        self._lines[pid] = line
        self._selector.register(line, selectors.EVENT_READ, pid)

    def _see_off(self) -> None:
        for pid, line in list(self._lines.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            with suppress(OSError):  # before the child is reaped its group cannot be anyone else's
                os.killpg(pid, signal.SIGKILL)
            _pid, status = os.waitpid(pid, 0)
            del self._lines[pid]
            self._selector.unregister(line)
            _tell(line, os.waitstatus_to_exitcode(status))


def _tell(line: socket.socket, code: int) -> None:
    with line, suppress(OSError):
        line.send(struct.pack("<i", code))


def _be_child(handed: list[int], module: ModuleType) -> NoReturn:
    """Keep what was handed over, close all else, lock, read, answer, end."""
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for place, high in enumerate([fcntl.fcntl(fd, fcntl.F_DUPFD, _FIRST_FREE) for fd in handed[:-1]]):
            os.dup2(high, place)
        os.closerange(SOURCE + 1, _PAST_ALL)
        request = json.loads(_everything(REQUEST))
        os.close(REQUEST)
        reader: Reader = getattr(importlib.import_module(request["module"]), request["reader"])
        protections = lock(request["limits"], without=request["without"])
    except BaseException:  # noqa: BLE001 - a child reports every failure by its exit code
        _leave(EXIT_SETUP)
    try:
        _write(_answer(reader, request["arguments"], protections))
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except BaseException:  # noqa: BLE001 - the same
        _leave(EXIT_CRASH)
    os._exit(0)


def _nothing() -> None:
    """What a reader without files or modules to load in advance needs."""


def _everything(descriptor: int) -> bytes:
    data = b""
    while block := os.read(descriptor, 1 << 16):
        data += block
    return data


def _answer(reader: Reader, arguments: dict[str, Any], protections: list[str]) -> bytes:
    header: dict[str, object] = {"protections": protections}
    body = b""
    try:
        header["facts"], body = reader(SOURCE, **arguments)
    except FormatError as error:
        header["refusal"] = {
            "code": error.code,
            "message": error.message,
            "rule": error.rule,
            "detail": error.detail,
        }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(OUTPUT, view) :]


def _leave(code: int) -> NoReturn:
    """Say where it went wrong, without the lines of source, which would have to be read from files; and end."""
    _kind, error, trail = sys.exc_info()
    try:
        steps = [f"{step.f_code.co_qualname}:{line}" for step, line in traceback.walk_tb(trail)]
        text = f"{' > '.join(steps[-8:])}: {type(error).__name__}: {error}"
        os.write(ERRORS, text[:4000].encode("ascii", "backslashreplace"))
    finally:
        os._exit(code)
