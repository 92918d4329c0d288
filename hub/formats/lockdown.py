"""What the sandbox child does to itself before it looks at a stranger's bytes: give up all it will not need.

Several fences, each enough against most attacks: resource limits, an unused user id, a system-call filter
that leaves reading, writing to open pipes and memory, and an audit hook that ends the process at the first
forbidden act.
"""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from collections.abc import Mapping

EXIT_CRASH, EXIT_MEMORY, EXIT_VIOLATION, EXIT_SETUP = 70, 71, 72, 69

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_FILTER = 2
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
# read write close fstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn mremap
# madvise getpid exit futex sigaltstack gettid clock_gettime exit_group getrandom sched_yield rseq
# restart_syscall
_SYSTEM_CALLS = {
    "x86_64": (0xC000003E, "0 1 3 5 8 9 10 11 12 13 14 15 25 28 39 60 202 131 186 228 231 318 24 334 219"),
    "aarch64": (
        0xC00000B7,
        "63 64 57 80 62 222 226 215 214 134 135 139 216 233 172 93 98 132 178 113 94 278 124 293 128",
    ),
}
# Everything a parser does that Python reports; whatever is not here ends the process.
_HARMLESS_EVENTS = frozenset(
    {"array.__new__", "builtins.id", "object.__getattr__", "object.__setattr__", "sys._getframe"}
)


def lock(limits: Mapping[str, int], *, audit: bool = True) -> list[str]:
    """Give up every right but those of a parser; the names of the fences that this machine could raise.

    `limits` holds `memory` (bytes), `cpu` (seconds) and `uid` (taken when started as root).
    """
    active = ["rlimits"]
    _limit_resources(limits)
    libc = _libc()
    filtered = libc is not None and _can_filter(libc)
    if libc is not None and not filtered and libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        active.append("own network")
    if os.getuid() == 0 and _drop_root(limits["uid"]):
        active.append("unused user id")
    if libc is not None and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        active.append("no new privileges")
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if filtered and _filter_calls(libc):
            active.append("system-call filter")
    if audit:
        active.append("audit hook")
        sys.addaudithook(_refuse_event)
    return active


def report(_descriptor: int) -> tuple[dict[str, object], bytes]:
    """An entry for the child that reads nothing: what the parent learns is which fences stand."""
    return {}, b""


def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]  # addresses do not fit the default, a C int
    return libc


def _limit_resources(limits: Mapping[str, int]) -> None:
    wanted = {
        "RLIMIT_AS": limits["memory"],
        "RLIMIT_CPU": limits["cpu"],
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        "RLIMIT_NPROC": 0,
        "RLIMIT_NOFILE": 16,
    }
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is not None:
            hard = resource.getrlimit(which)[1]
            ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(which, (ceiling, ceiling))


def _drop_root(uid: int) -> bool:
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError:
        return False  # a container that maps only a few ids; the other fences stand
    return True


def _can_filter(libc: ctypes.CDLL) -> bool:
    # With no filter given, a kernel that has filters complains about the address, any other about the mode.
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, 0, 0, 0)
    return ctypes.get_errno() == errno.EFAULT and os.uname().machine in _SYSTEM_CALLS


def _filter_calls(libc: ctypes.CDLL) -> bool:
    architecture, allowed = _SYSTEM_CALLS[os.uname().machine]
    program = _filter_program(architecture, [int(number) for number in allowed.split()])
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(header), 0, 0) == 0)


def _filter_program(architecture: int, allowed: list[int]) -> bytes:
    """Berkeley packet filter code: these calls of this architecture pass, other calls fail with EPERM."""
    load, equal, answer = 0x20, 0x15, 0x06
    steps = [
        (load, 0, 0, 4),  # the architecture
        (equal, 1, 0, architecture),
        (answer, 0, 0, _KILL),
        (load, 0, 0, 0),  # the call's number
        *((equal, len(allowed) - index, 0, number) for index, number in enumerate(allowed)),
        (answer, 0, 0, _REFUSE),
        (answer, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _refuse_event(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _HARMLESS_EVENTS:
        os.write(2, f"forbidden: {event} {str(arguments[:1])[:200]}\n".encode("ascii", "backslashreplace"))
        os._exit(EXIT_VIOLATION)
