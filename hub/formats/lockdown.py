"""What the sandbox child does to itself before it looks at a stranger's bytes: give up all it will not need.

Several fences, each enough against most attacks: resource limits, an unused user id, Landlock (no file, no
socket, no signal to others), a system-call filter that leaves reading, writing to open pipes and memory, and
an audit hook that ends the process at the first forbidden act.
"""

import ctypes
import errno
import os
import resource
import signal
import struct
import sys
from collections.abc import Collection, Mapping
from functools import cache

EXIT_CRASH, EXIT_MEMORY, EXIT_VIOLATION, EXIT_SETUP = 70, 71, 72, 69

RLIMITS, NETWORK, USER, NO_PRIVILEGES = "rlimits", "own network", "unused user id", "no new privileges"
LANDLOCK, FILTER, AUDIT = "Landlock", "system-call filter", "audit hook"

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_SECCOMP_FILTER = 2
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT, _LANDLOCK_VERSION = 444, 446, 1
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


def lock(limits: Mapping[str, int], *, without: Collection[str] = ()) -> list[str]:
    """Give up every right but those of a parser; the names of the fences that this machine could raise.

    `limits` holds `memory` (bytes), `cpu` (seconds) and `uid` (taken when started as root). `without` names
    fences to leave down, so that tests can show what each of the others stops.
    """
    libc = _libc()
    filters = FILTER not in without and libc is not None and _can_filter(libc)
    raised = []
    for name, raise_fence in (
        (RLIMITS, lambda: _limit_resources(limits)),
        (NETWORK, lambda: not filters and libc is not None and _leave_network(libc)),
        (USER, lambda: os.getuid() == 0 and _drop_root(limits["uid"])),
        (NO_PRIVILEGES, lambda: libc is not None and _refuse_privileges(libc)),
        (LANDLOCK, lambda: libc is not None and _forbid_files(libc)),
        (FILTER, lambda: filters and libc is not None and _filter_calls(libc)),
        (AUDIT, _watch),
    ):
        if name not in without and raise_fence():
            raised.append(name)
    return raised


def report(_descriptor: int) -> tuple[dict[str, object], bytes]:
    """An entry for the child that reads nothing: what the parent learns is which fences stand."""
    return {}, b""


@cache
def _libc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    # Addresses do not fit the default, a C int.
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    libc.syscall.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
    libc.syscall.restype = ctypes.c_long
    return libc


def preload() -> None:
    """Load the C library while libraries may still be opened."""
    _libc()


def _limit_resources(limits: Mapping[str, int]) -> bool:
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
            # Over its processor time a child is told before it is killed: the reason can then be seen.
            spare = 1 if name == "RLIMIT_CPU" and ceiling == value != hard else 0
            resource.setrlimit(which, (ceiling, ceiling + spare))
    return True


def _leave_network(libc: ctypes.CDLL) -> bool:
    # Root needs no user name space for it, and would find new rights in one.
    spaces = _CLONE_NEWNET if os.getuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET
    return bool(libc.unshare(spaces) == 0)


def _drop_root(uid: int) -> bool:
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError:
        return False  # a container that maps only a few ids; the other fences stand
    return True


def _refuse_privileges(libc: ctypes.CDLL) -> bool:
    # A child whose template is gone has nobody left to answer.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return bool(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def _forbid_files(libc: ctypes.CDLL) -> bool:
    """An empty Landlock rule set: no path may be opened, made or removed, no TCP port used, nobody signalled."""
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    files = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    rights = [files, *([0b11] if version >= 4 else []), *([0b11] if version >= 6 else [])]
    wanted = ctypes.create_string_buffer(struct.pack(f"={len(rights)}Q", *rights), 8 * len(rights))
    rules = libc.syscall(_LANDLOCK_CREATE, ctypes.addressof(wanted), len(wanted), 0)
    if rules < 0:
        return False
    restricted = libc.syscall(_LANDLOCK_RESTRICT, rules, 0, 0) == 0
    os.close(rules)
    return bool(restricted)


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


def _watch() -> bool:
    sys.addaudithook(_refuse_event)
    return True


def _refuse_event(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _HARMLESS_EVENTS:
        os.write(2, f"forbidden: {event} {str(arguments[:1])[:200]}\n".encode("ascii", "backslashreplace"))
        os._exit(EXIT_VIOLATION)
