"""What a parser taken over by its file would try. Each function is run in the child in place of a reader.

A function that returns has had its way; one that is stopped raises, or does not live to return.
"""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, Any], bytes]

LIBC = ctypes.CDLL(None, use_errno=True)
MARK = "/tmp/glossa-escaped"
# ptrace, process_vm_readv, mount, unshare, keyctl, memfd_create, bpf, userfaultfd, io_uring_setup, pidfd_open,
# chroot, setns, kexec_load, init_module, open_by_handle_at, execveat, clone3
X86_64_CALLS = (101, 310, 165, 272, 250, 319, 321, 323, 425, 434, 161, 308, 246, 175, 304, 322, 435)


def _done(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def honest(descriptor: int) -> Answer:
    return {"read": len(os.read(descriptor, 100))}, b"body"


def environment(_descriptor: int) -> Answer:
    return {"environment": dict(os.environ), "arguments": sys.argv}, b""


def open_descriptors(_descriptor: int) -> Answer:
    held = []
    for number in range(2048):
        try:
            os.lseek(number, 0, os.SEEK_CUR)
        except OSError as error:  # a pipe has no position, and is open all the same
            if error.errno == errno.EBADF:
                continue
        held.append(number)
    return {"open": held}, b""


# Processes.


def fork(_descriptor: int) -> Answer:
    return {"forked": os.fork()}, b""


def fork_by_libc(_descriptor: int) -> Answer:
    return {"forked": _done(LIBC.fork())}, b""


def thread_bomb(_descriptor: int) -> Answer:
    for _ in range(10_000):
        threading.Thread(target=lambda: threading.Event().wait()).start()
    return {}, b""


def run_program(_descriptor: int) -> Answer:
    return {"output": subprocess.check_output(["/bin/id"]).decode()}, b""


def execute(_descriptor: int) -> Answer:
    os.execv("/bin/true", ["/bin/true"])


def signal_the_template(_descriptor: int) -> Answer:
    os.kill(os.getppid(), signal.SIGTERM)
    return {}, b""


def trace_the_template(_descriptor: int) -> Answer:
    attach = 16
    return {"traced": _done(LIBC.ptrace(attach, os.getppid(), None, None))}, b""


# Network.


def _connect(family: int, kind: int, address: Any) -> Answer:
    with socket.socket(family, kind) as plug:
        plug.settimeout(2)
        plug.connect(address)
        plug.send(b"hello")
    return {}, b""


def connect_tcp(_descriptor: int, port: int = 9) -> Answer:
    return _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", port))


def connect_udp(_descriptor: int, port: int = 9) -> Answer:
    return _connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", port))


def connect_unix(_descriptor: int, path: str = "/run/none") -> Answer:
    return _connect(socket.AF_UNIX, socket.SOCK_STREAM, path)


def listen(_descriptor: int) -> Answer:
    with socket.create_server(("127.0.0.1", 0)):
        return {}, b""


def resolve_a_name(_descriptor: int) -> Answer:
    return {"found": str(socket.getaddrinfo("localhost.localdomain", 80))}, b""


# Files.


def write_file(_descriptor: int) -> Answer:
    Path(MARK).write_text("out")
    return {}, b""


def make_empty_file(_descriptor: int) -> Answer:
    os.close(os.open(MARK, os.O_CREAT | os.O_WRONLY))
    return {}, b""


def make_folder(_descriptor: int) -> Answer:
    os.mkdir(MARK)
    return {}, b""


def delete_file(_descriptor: int, victim: str = "/etc/hostname") -> Answer:
    os.unlink(victim)
    return {}, b""


def write_into_the_upload(descriptor: int) -> Answer:
    return {"written": os.write(descriptor, b"changed")}, b""


def read_file(_descriptor: int, victim: str = "/etc/passwd") -> Answer:
    return {"text": Path(victim).read_text()}, b""


def read_shadow(_descriptor: int) -> Answer:
    return read_file(_descriptor, "/etc/shadow")


def read_environment_of_others(_descriptor: int) -> Answer:
    return read_file(_descriptor, f"/proc/{os.getppid()}/environ")


def list_folder(_descriptor: int) -> Answer:
    return {"listing": os.listdir("/")}, b""


def change_folder(_descriptor: int) -> Answer:
    os.chdir("/etc")
    return {}, b""


def climb_out_of_a_descriptor(descriptor: int) -> Answer:
    os.close(os.open("../../../../etc/passwd", os.O_RDONLY, dir_fd=descriptor))
    return {}, b""


# Rights.


def raise_limits(_descriptor: int) -> Answer:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
    return {}, b""


def become_root(_descriptor: int) -> Answer:
    os.setuid(0)
    return {"uid": os.getuid()}, b""


def make_raw_calls(_descriptor: int) -> Answer:
    answers = {number: LIBC.syscall(number, 0, 0, 0, 0, 0) for number in X86_64_CALLS}
    passed = {number: answer for number, answer in answers.items() if answer != -1}
    if not passed:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return {"passed": passed}, b""


# Python.


def import_module(_descriptor: int) -> Answer:
    import wave

    return {"imported": wave.__name__}, b""


def run_code(_descriptor: int) -> Answer:
    return {"answer": eval("6 * 7")}, b""


def unpickle(_descriptor: int) -> Answer:
    import pickle

    return {"made": pickle.loads(b"cos\ngetcwd\n(tR.")}, b""


# Exhaustion.


def allocate(_descriptor: int) -> Answer:
    return {"size": len(bytearray(1 << 31))}, b""


def allocate_slowly(_descriptor: int) -> Answer:
    kept = []
    while True:
        kept.append(bytes(1 << 20))


def spin(_descriptor: int) -> Answer:
    while True:
        pass


def stall(_descriptor: int) -> Answer:
    threading.Lock().acquire()
    held = threading.Lock()
    held.acquire()
    held.acquire()
    return {}, b""


def close_output_and_spin(_descriptor: int) -> Answer:
    os.close(1)
    os.close(2)
    while True:
        pass


def flood_output(_descriptor: int) -> Answer:
    while True:
        os.write(1, bytes(1 << 16))


def flood_errors(_descriptor: int) -> Answer:
    while True:
        os.write(2, b"x" * (1 << 16))


# Breaking down, and lying.


def crash(_descriptor: int) -> Answer:
    ctypes.string_at(0)
    return {}, b""


def raise_error(_descriptor: int) -> Answer:
    raise RuntimeError("a parser's bug")


def write_nonsense(_descriptor: int) -> Answer:
    os.write(1, b"\xff" * 64)
    os._exit(0)


def lie_about_length(_descriptor: int) -> Answer:
    os.write(1, (1 << 40).to_bytes(8, "little") + b"{}")
    os._exit(0)


def claim_acceptance(_descriptor: int, **_arguments: Any) -> Answer:
    return {
        "verdict": "accept",
        "family": "tiny",
        "encoders": [],
        "digests": {"tensors": "0" * 64},
    }, b"nothing"


def refuse_without_a_reason(_descriptor: int, **_arguments: Any) -> Answer:
    return {"verdict": "refuse", "code": ["unsafe_file"]}, b""
