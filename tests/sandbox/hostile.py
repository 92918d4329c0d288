"""What a parser taken over by its file would try. Each function is run in the child in place of a reader."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

Answer = tuple[dict[str, Any], bytes]


def honest(descriptor: int) -> Answer:
    return {"read": len(os.read(descriptor, 100))}, b"body"


def environment(_descriptor: int) -> Answer:
    return {"environment": dict(os.environ)}, b""


def fork(_descriptor: int) -> Answer:
    return {"forked": os.fork()}, b""


def fork_by_libc(_descriptor: int) -> Answer:
    libc = ctypes.CDLL(None, use_errno=True)
    return {"forked": libc.fork()}, b""


def run_program(_descriptor: int) -> Answer:
    return {"output": subprocess.check_output(["/bin/id"]).decode()}, b""


def execute(_descriptor: int) -> Answer:
    os.execv("/bin/true", ["/bin/true"])


def connect(_descriptor: int) -> Answer:
    with socket.socket(socket.AF_INET) as plug:
        plug.connect(("127.0.0.1", 9))
    return {"connected": True}, b""


def open_socket(_descriptor: int) -> Answer:
    with socket.socket(socket.AF_UNIX):
        return {"socket": True}, b""


def write_file(_descriptor: int) -> Answer:
    Path("/tmp/glossa-escaped").write_text("out")
    return {"written": True}, b""


def make_empty_file(_descriptor: int) -> Answer:
    os.close(os.open("/tmp/glossa-escaped", os.O_CREAT | os.O_WRONLY))
    return {"written": True}, b""


def read_file(_descriptor: int) -> Answer:
    return {"passwd": Path("/etc/passwd").read_text()}, b""


def list_folder(_descriptor: int) -> Answer:
    return {"listing": os.listdir("/")}, b""


def kill_parent(_descriptor: int) -> Answer:
    os.kill(os.getppid(), signal.SIGTERM)
    return {"killed": True}, b""


def raise_limits(_descriptor: int) -> Answer:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (1000, 1000))
    return {"raised": True}, b""


def become_root(_descriptor: int) -> Answer:
    os.setuid(0)
    return {"uid": os.getuid()}, b""


def import_module(_descriptor: int) -> Answer:
    import wave

    return {"imported": wave.__name__}, b""


def run_code(_descriptor: int) -> Answer:
    return {"answer": eval("6 * 7")}, b""


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
    os.read(_WAITING, 1)
    return {}, b""


# A pipe that nobody writes to: reading it is allowed, and never ends.
_WAITING, _KEPT_OPEN = os.pipe() if "hub.formats.__main__" in sys.modules else (0, 0)


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
