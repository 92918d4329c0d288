"""One file, one child: asked of the template of its reader, judged by how it ended, its answer taken apart.

As many children work at once as there are processors, each of a template of its own. A template that ends is
replaced; whoever was waiting for it is served by its successor.
"""

import atexit
import json
import os
import pwd
import signal
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.formats.errors import FormatError
from hub.formats.lockdown import EXIT_MEMORY, EXIT_SETUP, EXIT_VIOLATION
from hub.sandbox.outcomes import Bounds, SandboxRefusal, SandboxUnavailable, mismatch, too_slow
from hub.sandbox.template import MAX_HEADER, Template, TemplateGone

_ATTEMPTS = 3
_FIRST_UNUSED_UID = 61_500
_MOST_WAITING_SECONDS = 60.0
_MOST_OF_A_TRACE = 8192
_BREAKDOWNS = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE, signal.SIGSYS}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a child said, unchecked."""

    facts: dict[str, Any]
    body: bytes
    protections: list[str]


class Pool:
    """The templates of this process, some for each reader module, and the places for children at work."""

    def __init__(self, places: int) -> None:
        self._all: set[Template] = set()
        self._idle: dict[tuple[str, tuple[str, ...]], list[Template]] = {}
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def template(self, module: str, extra_paths: tuple[str, ...] = ()) -> Iterator[Template]:
        """A warm template of a module, and a place for a child of it; SandboxUnavailable without."""
        if not self._places.acquire(timeout=_MOST_WAITING_SECONDS):
            raise SandboxUnavailable("Too many files are waiting to be read.")
        try:
            template = self._idle_one(module, extra_paths)
            if template is None:
                template = Template(module, extra_paths)
                with self._lock:
                    self._all.add(template)
            try:
                yield template
            finally:
                self._take_back(template, module, extra_paths)
        finally:
            self._places.release()

    def pids(self) -> list[int]:
        """Process ids of the templates that are warm."""
        with self._lock:
            return [template.pid for template in self._all]

    def end(self) -> None:
        """End all templates now."""
        with self._lock:
            for template in self._all:
                template.end()
            self._all.clear()
            self._idle.clear()

    def forget(self) -> None:
        """Let go of the templates of the process that this one was forked from."""
        for template in self._all:
            template.forget()

    def _idle_one(self, module: str, extra_paths: tuple[str, ...]) -> Template | None:
        """The template used last, which is the warmest."""
        with self._lock:
            idle = self._idle.setdefault((module, extra_paths), [])
            while idle:
                template = idle.pop()
                if not template.is_over():
                    return template
                self._all.discard(template)
                template.end()
        return None

    def _take_back(self, template: Template, module: str, extra_paths: tuple[str, ...]) -> None:
        with self._lock:
            if template.is_whole and template in self._all:
                self._idle[module, extra_paths].append(template)
                return
            self._all.discard(template)
        template.end()


def run_child(
    entry: str,
    path: str | os.PathLike[str],
    arguments: Mapping[str, Any],
    *,
    bounds: Bounds,
    template: str = "",
    without: tuple[str, ...] = (),
    extra_paths: tuple[str, ...] = (),
) -> Answer:
    """What `entry` (module:function) answers about an open file, read in a child of `template`.

    `template` names a module that imports that of `entry`, and is that module if not given. FormatError for
    the child's own refusal, SandboxRefusal for a child that did not end well, SandboxUnavailable without one.
    """
    module, _, reader = entry.partition(":")
    limits = {"memory": bounds.memory, "cpu": bounds.cpu_seconds, "uid": _unused_uid()}
    request = {"module": module, "reader": reader, "arguments": dict(arguments)}
    asked = json.dumps({**request, "limits": limits, "without": without}).encode()
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        code, said = _converse(template or module, extra_paths, descriptor, asked, bounds)
    finally:
        os.close(descriptor)
    _judge(code, said)
    return _parse(said)


def _converse(
    module: str, extra_paths: tuple[str, ...], descriptor: int, asked: bytes, bounds: Bounds
) -> tuple[int, bytes]:
    for _attempt in range(_ATTEMPTS):
        os.lseek(descriptor, 0, os.SEEK_SET)  # the child of an earlier attempt shared the position
        with POOL.template(module, extra_paths) as template:
            try:
                code, said = template.read(descriptor, asked, bounds)
            except TemplateGone:
                template.is_whole = False
                continue
            if -code in _BREAKDOWNS:
                # If this was an attack on memory, the next one meets other addresses.
                template.is_whole = False
            return code, said
    raise SandboxUnavailable(f"The parser process ended {_ATTEMPTS} times while a file was read.")


def _judge(code: int, said: bytes) -> None:
    if code == 0:
        return
    trace = said[-_MOST_OF_A_TRACE:].decode("ascii", "replace")
    if code == EXIT_SETUP:
        raise SandboxUnavailable(f"The parser process failed before it read anything: {trace[-500:]}")
    if code == EXIT_MEMORY:
        raise SandboxRefusal(
            "sandbox_memory", "Reading this file takes more memory than an embedding may.", trace=trace
        )
    if code == -signal.SIGALRM:
        raise too_slow()
    if code == -signal.SIGXCPU:
        raise too_slow("SIGXCPU")
    if code in (EXIT_VIOLATION, -signal.SIGSYS):
        raise SandboxRefusal("sandbox_violation", "Reading this file tried something forbidden.", trace=trace)
    raise SandboxRefusal("sandbox_crash", "This file cannot be read: the parser broke on it.", trace=trace)


def _parse(output: bytes) -> Answer:
    try:
        (length,) = struct.unpack("<Q", output[:8])
        if length > min(MAX_HEADER, len(output) - 8):
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
def _unused_uid() -> int:
    """A user id that nobody has, for children of a root process."""
    for uid in range(_FIRST_UNUSED_UID, _FIRST_UNUSED_UID + 100):
        try:
            pwd.getpwuid(uid)
        except KeyError:
            return uid
    return _FIRST_UNUSED_UID


def _start_over() -> None:
    """A forked process has its own pool: its parent's templates are not its to speak to."""
    global POOL
    inherited, POOL = POOL, _new_pool()
    inherited.forget()


def _new_pool() -> Pool:
    try:
        return Pool(len(os.sched_getaffinity(0)))
    except AttributeError:  # not Linux
        return Pool(os.cpu_count() or 1)


POOL = _new_pool()
os.register_at_fork(after_in_child=_start_over)


@atexit.register
def _end() -> None:
    POOL.end()
