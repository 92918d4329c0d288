"""Every forbidden act, tried from inside a child as root and as a plain user, and what stopped it.

`python -m tests.sandbox.containment` prints the table of docs/security.md for the machine it runs on.
"""

import errno
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from hub.formats.lockdown import AUDIT, FILTER
from hub.sandbox import Bounds, SandboxRefusal, process

ROOT = Path(__file__).parents[2]
BOUNDS = Bounds(cpu_seconds=2, wall_seconds=8.0)
# What is tried, in words, and the function of tests/sandbox/hostile.py that tries it.
ACTS = {
    "fork": "fork",
    "fork through the C library": "fork_by_libc",
    "thread bomb": "thread_bomb",
    "run a program": "run_program",
    "replace itself by a program": "execute",
    "signal another process": "signal_the_template",
    "trace another process": "trace_the_template",
    "TCP connection": "connect_tcp",
    "UDP packet": "connect_udp",
    "Unix socket": "connect_unix",
    "listen on a port": "listen",
    "look up a name": "resolve_a_name",
    "write a file": "write_file",
    "make an empty file": "make_empty_file",
    "make a folder": "make_folder",
    "delete a file": "delete_file",
    "change the upload": "write_into_the_upload",
    "read a file": "read_file",
    "read /etc/shadow": "read_shadow",
    "read another's environment": "read_environment_of_others",
    "list a folder": "list_folder",
    "change the folder": "change_folder",
    "climb out of a descriptor": "climb_out_of_a_descriptor",
    "raise its limits": "raise_limits",
    "become root": "become_root",
    "17 system calls of attackers": "make_raw_calls",
    "import a module": "import_module",
    "run code": "run_code",
    "unpickle": "unpickle",
    "allocate 2 GiB": "allocate",
    "allocate without end": "allocate_slowly",
    "compute without end": "spin",
    "wait without end": "stall",
    "flood the output": "flood_output",
    "flood the errors": "flood_errors",
    "crash": "crash",
}
# These are Python's own affair: the kernel sees nothing of them.
PYTHON_ONLY = frozenset({"run_code", "unpickle", "import_module"})
_ERRNO = {
    errno.EAGAIN: "process limit",
    errno.EBADF: "read-only descriptor",
    errno.EMFILE: "descriptor limit",
    errno.EACCES: "Landlock",
    errno.ENOTDIR: "not a folder",
}


@dataclass(frozen=True)
class Outcome:
    """What became of an act: `stopped` by what, or None when it had its way."""

    act: str
    stopped: str | None
    rule: str = ""


def attempt(
    act: str,
    *,
    plain: bool = False,
    without: tuple[str, ...] = (),
    bounds: Bounds = BOUNDS,
    **arguments: object,
) -> process.Answer:
    """Run a function of tests/sandbox/hostile.py in place of the reader."""
    template = "tests.sandbox.as_plain_user" if plain else "tests.sandbox.hostile"
    return process.run_child(
        f"tests.sandbox.hostile:{act}",
        __file__,
        arguments,
        bounds=bounds,
        template=template,
        without=without,
        extra_paths=(str(ROOT),),
    )


def outcome(act: str, *, plain: bool, without: tuple[str, ...] = ()) -> Outcome:
    """Try an act and tell what stopped it.

    The kernel lets no process over its user's limit replace itself, and other tests' children have the same user: the
    limit is then met before Landlock, so that one act is tried again.
    """
    bounds = Bounds(cpu_seconds=1, wall_seconds=1.0 if act == "stall" else 30.0)
    for _ in range(20):
        try:
            attempt(act, plain=plain, without=without, bounds=bounds)
        except SandboxRefusal as refusal:
            found = Outcome(act, _stopped_by(refusal, without), refusal.rule or "")
        else:
            return Outcome(act, None)
        if act != "execute" or found.stopped != "process limit":
            break
        time.sleep(0.1)
    return found


def _stopped_by(refusal: SandboxRefusal, without: tuple[str, ...]) -> str:
    named = {
        "sandbox_memory": "memory limit",
        "sandbox_output": "output limit",
        "sandbox_timeout": "CPU limit" if refusal.trace else "wall clock",
    }
    if refusal.rule in named:
        return named[refusal.rule]
    event = re.search(r"forbidden: (\S+)", refusal.trace)
    if event:
        return f"{AUDIT} ({event[1]})"
    number = re.search(r"\[Errno (\d+)\]", refusal.trace)
    if number and int(number[1]) in _ERRNO:
        return _ERRNO[int(number[1])]
    if number and int(number[1]) == errno.ENETUNREACH:
        return "own network"
    if not refusal.trace:
        return "own process"
    if FILTER in without and "start new thread" in refusal.trace:
        return "process limit"
    return FILTER if FILTER not in without else "kernel (no privilege)"


def main() -> None:
    """Print the table."""
    users = [False, True] if os.getuid() == 0 else [True]
    columns = [(plain, without) for without in ((), (AUDIT,), (AUDIT, FILTER)) for plain in users]
    words = {(): "all fences", (AUDIT,): "no audit hook", (AUDIT, FILTER): "nor call filter"}
    names = [f"{'plain user' if plain else 'root'}, {words[without]}" for plain, without in columns]
    sys.stdout.write("| act | " + " | ".join(names) + " |\n" + "|---" * (len(columns) + 1) + "|\n")
    for said, act in ACTS.items():
        cells = []
        for plain, without in columns:
            if act in PYTHON_ONLY and without:
                cells.append("inside the child only")
            else:
                cells.append(outcome(act, plain=plain, without=without).stopped or "**nothing**")
        sys.stdout.write(f"| {said} | " + " | ".join(cells) + " |\n")


if __name__ == "__main__":
    main()
