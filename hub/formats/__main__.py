"""The reading side of the sandbox: a warm template process that forks one locked child for each file.

Started by hub.sandbox with a socket for its input, before any file is seen. It loads a reader's module and then does
nothing but fork and wait, one child at a time; no stranger's byte is ever read in the template itself. A child gives
up its rights (`lockdown`), reads the file it was handed, answers on a pipe and ends. The answer is eight bytes of
length, a JSON header of that length, and the body.

Few modules are loaded here: a fork costs as much as the template's memory has pages and the child changes of them.
"""

import gc
import importlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any, NoReturn

from hub.formats.errors import FormatError
from hub.formats.lockdown import EXIT_CRASH, EXIT_MEMORY, EXIT_SETUP, lock, prepare

Reader = Callable[..., tuple[dict[str, object], bytes]]

# Where a template has its socket; where a child has its two outputs, which are one pipe, and its file.
CONTROL, OUTPUT, ERRORS, SOURCE = range(4)
# What is asked: seconds on the clock, and the length of the JSON that follows. With it come file and pipe.
ASKED = struct.Struct("<dI")
# What is told: how the child ended.
TOLD = struct.Struct("<i")
_HANDED = 2
_BLOCK = 1 << 16
_PAST_ALL = 1_000


def main(module: str) -> NoReturn:
    """Be the template of children that read with `module`, until the other end of the socket is closed."""
    try:
        reader = importlib.import_module(module)
        getattr(reader, "preload", _nothing)()
        template = Template(socket.socket(fileno=CONTROL), reader)
    except BaseException:  # noqa: BLE001 - the template reports every failure by its exit code
        _leave(EXIT_SETUP)
    template.serve()
    os._exit(0)


class Template:
    """A process that forks children and tells how each of them ended. It never looks at a file."""

    def __init__(self, control: socket.socket, reader: ModuleType) -> None:
        self._control = control
        self._reader = reader
        self._kept = prepare()
        self._child = 0
        self._is_late = False
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self._end_child)

    def serve(self) -> None:
        """Fork on demand, until the socket is closed."""
        gc.collect()
        gc.freeze()  # a collection in a child must not copy the template's pages
        self._control.send(b"+")
        while True:
            asked, handed, _flags, _address = socket.recv_fds(self._control, _BLOCK, _HANDED)
            if len(handed) < _HANDED:
                return
            seconds, length = ASKED.unpack_from(asked)
            while len(asked) < ASKED.size + length:
                more = self._control.recv(_BLOCK)
                if not more:
                    return
                asked += more
            code = self._run(handed, asked[ASKED.size :], seconds)
            try:
                self._control.send(TOLD.pack(code))
            except OSError:  # whoever asked is gone
                return

    def _run(self, handed: list[int], request: bytes, seconds: float) -> int:
        """The exit code of a child; negative is the signal that ended it, and SIGALRM that its time was over."""
        try:
            self._child = os.fork()
        except OSError:
            self._child = -1
        if self._child == 0:
            _be_child(self._reader, handed, self._kept, request)
        for descriptor in handed:
            os.close(descriptor)
        if self._child < 0:
            return EXIT_SETUP
        self._is_late = False
        os.setpgid(self._child, self._child)
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOWAIT)
        signal.setitimer(signal.ITIMER_REAL, 0)  # only then may its number become another's
        _pid, status = os.waitpid(self._child, 0)
        return -signal.SIGALRM if self._is_late else os.waitstatus_to_exitcode(status)

    def _end_child(self, _signal: int, _frame: FrameType | None) -> None:
        self._is_late = True
        os.killpg(self._child, signal.SIGKILL)


def _be_child(module: ModuleType, handed: list[int], kept: int | None, asked: bytes) -> NoReturn:
    """Keep what was handed over, close all else, lock, read, answer, end."""
    try:
        source, output = handed
        os.dup2(output, OUTPUT)
        os.dup2(output, ERRORS)
        os.dup2(source, SOURCE)
        os.close(CONTROL)
        os.closerange(SOURCE + 1, kept or _PAST_ALL)
        os.closerange((kept or _PAST_ALL) + 1, _PAST_ALL)
        request = json.loads(asked)
        named = sys.modules.get(request["module"]) or importlib.import_module(request["module"])
        reader: Reader = getattr(named, request["reader"])
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
    return b"".join((struct.pack("<Q", len(text)), text, body))


def _write(data: bytes) -> None:
    written = os.write(OUTPUT, data)
    view = memoryview(data)
    while written < len(data):
        written += os.write(OUTPUT, view[written:])


def _leave(code: int) -> NoReturn:
    """Say where it went wrong, without the lines of source, which would have to be read from files; and end."""
    _kind, error, trail = sys.exc_info()
    steps = []
    try:
        while trail is not None:
            steps.append(f"{trail.tb_frame.f_code.co_qualname}:{trail.tb_lineno}")
            trail = trail.tb_next
        text = f"{' > '.join(steps[-8:])}: {type(error).__name__}: {error}"
        os.write(ERRORS, text[:4000].encode("ascii", "backslashreplace"))
    finally:
        os._exit(code)
