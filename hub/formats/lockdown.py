"""What the sandbox child does to itself before it looks at a stranger's bytes: give up all it will not need.

Several fences, each enough against most attacks: resource limits, an unused user id, Landlock (no file, no
socket, no signal to others), a system-call filter that leaves reading, writing to open pipes and memory, and
an audit hook that ends the process at the first forbidden act.
"""

import ctypes
import errno
import fcntl
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
_LOAD, _EQUAL, _AT_LEAST, _ANSWER = 0x20, 0x15, 0x35, 0x06
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
_LIMITS = {"RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NPROC": 0, "RLIMIT_NOFILE": 16}
_OUT_OF_THE_WAY = 100
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
    filters = FILTER not in without and libc is not None and _filter() is not None
    raised = []
    for name, raise_fence in (
        (RLIMITS, lambda: _limit_resources(limits)),
        (NETWORK, lambda: not filters and libc is not None and _leave_network(libc)),
        (USER, lambda: os.getuid() == 0 and _drop_root(limits["uid"])),
        (NO_PRIVILEGES, lambda: libc is not None and _refuse_privileges(libc)),
        (LANDLOCK, lambda: libc is not None and _forbid_files(libc)),
        (FILTER, lambda: filters and libc is not None and _filter_calls(libc, _filter())),
        (AUDIT, _watch),
    ):
        if name not in without and raise_fence():
            raised.append(name)
    rules = _rules()
    if rules is not None:
        os.close(rules)
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


def prepare() -> int | None:
    """Make ready what all children use, before the first is forked; the descriptor that they then have to keep."""
    _filter()
    _hard_limits()
    return _rules()


@cache
def _hard_limits() -> dict[int, int]:
    """What is limited, and how high a limit may be."""
    names = ("RLIMIT_AS", "RLIMIT_CPU", *_LIMITS)
    known = [getattr(resource, name) for name in names if hasattr(resource, name)]
    return {which: resource.getrlimit(which)[1] for which in known}


def _limit_resources(limits: Mapping[str, int]) -> bool:
    wanted = {"RLIMIT_AS": limits["memory"], "RLIMIT_CPU": limits["cpu"], **_LIMITS}
    hard_limits = _hard_limits()
    for name, value in wanted.items():
        which = getattr(resource, name, None)
        if which is not None:
            hard = hard_limits[which]
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


@cache
def _rules() -> int | None:
    """A Landlock rule set without a rule, out of the way of other descriptors; None where there is no Landlock."""
    libc = _libc()
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, _LANDLOCK_VERSION) if libc else -1
    if libc is None or version < 1:
        return None
    files = (1 << (13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16)) - 1
    rights = [files, *([0b11] if version >= 4 else []), *([0b11] if version >= 6 else [])]
    wanted = ctypes.create_string_buffer(struct.pack(f"={len(rights)}Q", *rights), 8 * len(rights))
    made = libc.syscall(_LANDLOCK_CREATE, ctypes.addressof(wanted), len(wanted), 0)
    if made < 0:
        return None
    rules = fcntl.fcntl(made, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
    os.close(made)
    return rules


def _forbid_files(libc: ctypes.CDLL) -> bool:
    """With no rule, no path may be opened, made or removed, no TCP port used, nobody signalled."""
    rules = _rules()
    return rules is not None and libc.syscall(_LANDLOCK_RESTRICT, rules, 0, 0) == 0


@cache
def _filter() -> tuple[int, object] | None:
    """Address of the system-call filter, and what has to stay in memory for it; None where it cannot be raised."""
    libc, known = _libc(), _SYSTEM_CALLS.get(os.uname().machine)
    if libc is None or known is None:
        return None
    # With no filter given, a kernel that has filters complains about the address, any other about the mode.
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, 0, 0, 0)
    if ctypes.get_errno() != errno.EFAULT:
        return None
    program = filter_program(known[0], sorted(map(int, known[1].split())))
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    return ctypes.addressof(header), (header, code)


def _filter_calls(libc: ctypes.CDLL, made: tuple[int, object] | None) -> bool:
    return made is not None and libc.prctl(_PR_SET_SECCOMP, _SECCOMP_FILTER, made[0], 0, 0) == 0


def filter_program(architecture: int, allowed: list[int]) -> bytes:
    """Berkeley packet filter code: these calls of this architecture pass, other calls fail with EPERM."""
    steps = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 1, 0, architecture),
        (_ANSWER, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # the call's number
        *_choice(allowed),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _choice(allowed: list[int]) -> list[tuple[int, int, int, int]]:
    """The choice by halves: the kernel tries every number there is when it takes the filter on."""
    if len(allowed) < 3:
        found = [(_EQUAL, len(allowed) - index, 0, number) for index, number in enumerate(allowed)]
        return [*found, (_ANSWER, 0, 0, _REFUSE), (_ANSWER, 0, 0, _ALLOW)]
    middle = len(allowed) // 2
    below = _choice(allowed[:middle])
    return [(_AT_LEAST, len(below), 0, allowed[middle]), *below, *_choice(allowed[middle:])]


def _watch() -> bool:
    sys.addaudithook(_refuse_event)
    return True


def _refuse_event(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _HARMLESS_EVENTS:
        os.write(2, f"forbidden: {event} {str(arguments[:1])[:200]}\n".encode("ascii", "backslashreplace"))
        os._exit(EXIT_VIOLATION)
