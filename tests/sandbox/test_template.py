"""The warm template behind the children: as many as there are processors at once, and nobody feels its death."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hub import sandbox
from hub.formats import FormatError, write_layout
from hub.formats.__main__ import ASKED
from hub.sandbox import Bounds, SandboxRefusal, SandboxUnavailable, process
from hub.sandbox.process import Pool
from hub.sandbox.template import Template, TemplateGone
from tests import samples
from tests.sandbox.containment import ROOT, attempt

READERS = "hub.formats.inspection"


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    """A pool of two places, for this test alone."""
    pool = Pool(2)
    monkeypatch.setattr(process, "POOL", pool)
    yield pool
    pool.end()


@pytest.fixture
def word(tmp_path: Path) -> Path:
    path = tmp_path / "moss-dragon.safetensors"
    path.write_bytes(samples.canonical_file())
    return path


def family(path: Path) -> str:
    return str(sandbox.read_embedding(path, filename=path.name).facts["family"])


def resident(pid: int | str) -> int:
    """KiB of memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def until(condition: object, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_files_of_many_threads_are_all_read(pool: Pool, word: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(family, [word] * 24)) == {"tiny"}
    assert len(pool.pids()) <= 2, "no more templates than places"


def test_one_file_after_the_other_is_read_by_children_of_one_template(pool: Pool, word: Path) -> None:
    for _ in range(3):
        family(word)
    assert len(pool.pids()) == 1


def test_a_long_request_arrives_whole(pool: Pool, tmp_path: Path) -> None:
    path = tmp_path / "moss-dragon.pt"
    path.write_bytes(write_layout(samples.canonical_file("sd1"), "webui-pt", trigger="moss-dragon"))
    with pytest.raises(FormatError, match="There is no"):
        sandbox.read_embedding(path, filename=path.name, token="x" * (1 << 20))


def test_template_whose_owner_goes_in_the_middle_of_a_request_ends(pool: Pool) -> None:
    with pool.template(READERS) as template:
        reading, writing = os.pipe()
        asked = ASKED.pack(1.0, 100) + b"{"
        with open(os.devnull, "rb") as source:
            socket.send_fds(template._control, [asked], [source.fileno(), writing])
        template._control.close()
        assert until(template.is_over)
        os.close(reading)
        os.close(writing)
        template.is_whole = False


def test_template_killed_between_two_files_is_replaced(pool: Pool, word: Path) -> None:
    family(word)
    (first,) = pool.pids()
    os.kill(first, signal.SIGKILL)
    assert family(word) == "tiny"
    assert pool.pids() != [first]


def test_template_killed_while_files_are_read_costs_no_request(pool: Pool, word: Path) -> None:
    family(word)
    stop = threading.Event()

    def kill() -> None:
        for _ in range(2):  # a file is tried three times
            time.sleep(0.15)
            for pid in pool.pids():
                os.kill(pid, signal.SIGKILL)
        stop.set()

    killer = threading.Thread(target=kill)
    killer.start()
    read = 0
    with ThreadPoolExecutor(4) as threads:
        while not stop.is_set():
            assert set(threads.map(family, [word] * 8)) == {"tiny"}
            read += 8
    killer.join()
    assert read


def test_file_whose_template_dies_every_time_is_the_machines_fault(
    pool: Pool, word: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(self: Template, *_: object) -> None:
        os.kill(self.pid, signal.SIGKILL)
        raise TemplateGone

    monkeypatch.setattr(Template, "read", die)
    with pytest.raises(SandboxUnavailable, match="ended 3 times"):
        family(word)


def test_child_dies_with_its_template(pool: Pool) -> None:
    def stall() -> None:
        with pytest.raises((SandboxRefusal, SandboxUnavailable)):
            attempt("stall", without=("audit hook",), bounds=Bounds(cpu_seconds=5, wall_seconds=3.0))

    thread = threading.Thread(target=stall)
    thread.start()
    assert until(pool.pids)
    (pid,) = pool.pids()
    children = Path(f"/proc/{pid}/task/{pid}/children")
    assert until(lambda: children.read_text().split())
    (child,) = children.read_text().split()
    time.sleep(0.3)  # the child has to get as far as its fences
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not is_alive(int(child)), 3)
    thread.join()


def test_child_over_its_time_is_gone_when_the_refusal_comes(pool: Pool) -> None:
    with pytest.raises(SandboxRefusal):
        attempt("stall", without=("audit hook",), bounds=Bounds(cpu_seconds=5, wall_seconds=0.5))
    (pid,) = pool.pids()
    assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""


def test_crash_by_a_signal_retires_the_template(pool: Pool, word: Path) -> None:
    attempt("honest")
    (first,) = pool.pids()
    with pytest.raises(SandboxRefusal):
        attempt("crash", without=("audit hook",))
    attempt("honest")
    assert pool.pids() != [first]
    assert until(lambda: not is_alive(first))


def test_too_many_waiting_files_are_told_to_come_back(
    word: Path, monkeypatch: pytest.MonkeyPatch, pool: Pool
) -> None:
    monkeypatch.setattr(process, "_MOST_WAITING_SECONDS", 0.05)
    with pool.template(READERS), pool.template(READERS), pytest.raises(SandboxUnavailable, match="waiting"):
        family(word)
    assert family(word) == "tiny"


def test_a_forked_process_has_templates_of_its_own(pool: Pool, word: Path) -> None:
    family(word)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if family(word) == "tiny" and process.POOL.pids() != pool.pids() else 2
            process.POOL.end()
        finally:
            os._exit(code)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert family(word) == "tiny"


def test_template_ends_with_the_process_that_started_it(word: Path) -> None:
    code = (
        "import sys, time; from hub import sandbox; from hub.sandbox import process;"
        "sandbox.protections(); print(*process.POOL.pids(), flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        template = int(owner.stdout.readline())
        assert is_alive(template)
        owner.kill()
    assert until(lambda: not is_alive(template))


def test_python_that_is_missing_is_the_machines_fault(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxUnavailable):
        sandbox.protections()


def test_template_has_no_environment_and_no_folder(pool: Pool, word: Path) -> None:
    family(word)
    (pid,) = pool.pids()
    assert Path(f"/proc/{pid}/environ").read_bytes() == b""
    assert os.readlink(f"/proc/{pid}/cwd") == "/"


def test_memory_and_descriptors_stay_as_they_are(pool: Pool, word: Path) -> None:
    for _ in range(20):
        family(word)
    (pid,) = pool.pids()
    before = (
        resident("self"),
        resident(pid),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir(f"/proc/{pid}/fd")),
    )
    for _ in range(100):
        family(word)
    after = (
        resident("self"),
        resident(pid),
        len(os.listdir("/proc/self/fd")),
        len(os.listdir(f"/proc/{pid}/fd")),
    )
    assert after[0] - before[0] < 2048
    assert after[1] - before[1] < 512
    assert after[2:] == before[2:]
