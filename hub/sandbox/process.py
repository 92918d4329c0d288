"""The child process itself: started bare, spoken to over a pipe, watched, and never left behind."""

import json
import os
import pwd
import selectors
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hub.formats.errors import FormatError
from hub.formats.limits import MIB
from hub.formats.lockdown import EXIT_MEMORY, EXIT_SETUP, EXIT_VIOLATION

_MAX_HEADER = 8 * MIB
_MAX_ERRORS = 8192
_FIRST_UNUSED_UID = 61_500
_ROOT = str(Path(__file__).resolve().parents[2])
_BOOTSTRAP = (
    "import sys; sys.path[:0] = sys.argv[2:]; from hub.formats.__main__ import main; main(sys.argv[1])"
)


class SandboxRefusal(FormatError):
    """The child did not survive the file: it crashed, ran out of its limits, or tried something forbidden.

    `rule` is one of sandbox_crash, sandbox_memory, sandbox_timeout, sandbox_output, sandbox_violation and
    sandbox_mismatch. `trace` is for operators' logs only.
    """

    def __init__(self, rule: str, message: str, *, trace: str = "") -> None:
        super().__init__("unsafe_file", message, rule=rule)
        self.trace = trace


class SandboxUnavailable(RuntimeError):
    """The child could not be started at all: the machine's fault, not the file's."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may use."""

    memory: int = 256 * MIB
    cpu_seconds: int = 5
    wall_seconds: float = 10.0
    output: int = 64 * MIB


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said, unchecked."""

    facts: dict[str, Any]
    body: bytes
    protections: list[str]


def run_child(
    entry: str,
    path: str | os.PathLike[str],
    arguments: Mapping[str, Any],
    *,
    bounds: Bounds,
    audit: bool = True,
    extra_paths: tuple[str, ...] = (),
) -> Answer:
    """What `entry` (module:function, loaded before the fences rise) answers about an open file.

    FormatError for the child's own refusal, SandboxRefusal for a child that did not end well.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        request = {
            "entry": entry,
            "descriptor": descriptor,
            "arguments": dict(arguments),
            "limits": {"memory": bounds.memory, "cpu": bounds.cpu_seconds, "uid": _unused_uid()},
            "audit": audit,
        }
        output = _converse(request, descriptor, bounds, extra_paths)
    finally:
        os.close(descriptor)
    return _parse(output)


def _converse(
    request: Mapping[str, Any], descriptor: int, bounds: Bounds, extra_paths: tuple[str, ...]
) -> bytes:
    deadline = time.monotonic() + bounds.wall_seconds
    command = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        _BOOTSTRAP,
        json.dumps(request),
        *_import_paths(),
        *extra_paths,
    ]
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(descriptor,),
            start_new_session=True,
            cwd="/",
            env={},
        )
    except OSError as error:
        raise SandboxUnavailable(f"The parser process cannot be started: {error.strerror}.") from error
    with child:
        try:
            output, errors = _collect(child, deadline, bounds)
            _await_exit(child, deadline)
        finally:
            # Before the child is reaped its process group cannot be anyone else's.
            os.killpg(child.pid, signal.SIGKILL)
    _judge(child.returncode, errors.decode("ascii", "replace"))
    return output


def _collect(child: subprocess.Popen[bytes], deadline: float, bounds: Bounds) -> tuple[bytes, bytes]:
    assert child.stdout is not None and child.stderr is not None
    output, errors = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, (output, bounds.output + _MAX_HEADER))
        selector.register(child.stderr, selectors.EVENT_READ, (errors, _MAX_ERRORS))
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise _timeout()
            for key, _events in ready:
                buffer, most = key.data
                block = os.read(key.fd, 1 << 16)
                buffer += block
                if len(buffer) > most:
                    raise SandboxRefusal(
                        "sandbox_output", "Reading this file produced far more than it may hold."
                    )
                if not block:
                    selector.unregister(key.fileobj)
    return bytes(output), bytes(errors)


def _await_exit(child: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait for the end without reaping, so that the process group can still be killed safely."""
    while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > deadline:
            raise _timeout()
        time.sleep(0.001)


def _judge(code: int, trace: str) -> None:
    if code == 0:
        return
    if code == EXIT_SETUP:
        raise SandboxUnavailable(f"The parser process failed before it read anything: {trace[-500:]}")
    if code == EXIT_MEMORY:
        raise SandboxRefusal(
            "sandbox_memory", "Reading this file takes more memory than an embedding may.", trace=trace
        )
    if code == -signal.SIGXCPU:
        raise _timeout()
    if code in (EXIT_VIOLATION, -signal.SIGSYS):
        raise SandboxRefusal("sandbox_violation", "Reading this file tried something forbidden.", trace=trace)
    raise SandboxRefusal("sandbox_crash", "This file cannot be read: the parser broke on it.", trace=trace)


def _parse(output: bytes) -> Answer:
    try:
        (length,) = struct.unpack("<Q", output[:8])
        if length > min(_MAX_HEADER, len(output) - 8):
            raise mismatch()
        header = json.loads(output[8 : 8 + length])
        refusal = header.get("refusal")
        if refusal:
            raise FormatError(
                str(refusal["code"]),
                str(refusal["message"]),
                rule=str(refusal["rule"]),
                detail=refusal["detail"],
            )
        return Answer(dict(header["facts"]), output[8 + length :], list(header["protections"]))
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise mismatch() from error


@cache
def _import_paths() -> tuple[str, ...]:
    """Where the child finds our package and Pillow: with -I -S it has the standard library alone."""
    pillow = find_spec("PIL")
    assert pillow is not None and pillow.origin is not None
    return (_ROOT, str(Path(pillow.origin).parent.parent))


@cache
def _unused_uid() -> int:
    """A user id that nobody has, for children of a root process."""
    for uid in range(_FIRST_UNUSED_UID, _FIRST_UNUSED_UID + 100):
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
    return _FIRST_UNUSED_UID


def _timeout() -> SandboxRefusal:
    return SandboxRefusal(
        "sandbox_timeout", "Reading this file takes longer than an embedding or picture may."
    )


def mismatch() -> SandboxRefusal:
    """The refusal of an answer that contradicts itself."""
    return SandboxRefusal("sandbox_mismatch", "The parser's answer about this file does not hold together.")
