"""A child whose parser has been taken over can do nothing: each act is tried, with the audit hook and without."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub import sandbox
from hub.formats.lockdown import lock
from hub.sandbox import Bounds, SandboxRefusal, SandboxUnavailable, process
from tests import samples
from tests.sandbox import hostile

ROOT = Path(__file__).parents[2]
BOUNDS = Bounds(cpu_seconds=2, wall_seconds=8.0)
ACTS = (
    "fork",
    "fork_by_libc",
    "run_program",
    "execute",
    "connect",
    "open_socket",
    "write_file",
    "make_empty_file",
    "read_file",
    "list_folder",
    "kill_parent",
    "raise_limits",
    "become_root",
)
FILTERED = "system-call filter" in sandbox.protections()


def attempt(act: str, *, audit: bool = True, bounds: Bounds = BOUNDS, **arguments: object) -> process.Answer:
    entry = f"tests.sandbox.hostile:{act}"
    return process.run_child(entry, __file__, arguments, bounds=bounds, audit=audit, extra_paths=(str(ROOT),))


def test_an_honest_reader_gets_the_open_file_and_answers() -> None:
    answer = attempt("honest")
    assert (answer.facts, answer.body) == ({"read": 100}, b"body")


def test_this_machine_raises_the_fences_it_has() -> None:
    standing = sandbox.protections()
    assert {"rlimits", "audit hook"} <= set(standing)
    if os.getuid() == 0:
        assert "unused user id" in standing
    if sys.platform == "linux":
        assert {"no new privileges", "system-call filter"} <= set(standing)


def test_child_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "a secret")
    assert set(attempt("environment").facts["environment"]) <= {"LC_CTYPE"}


@pytest.mark.parametrize("act", [*ACTS, "import_module", "run_code"])
def test_audit_hook_ends_the_child_at_a_forbidden_act(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act)
    assert refusal.value.rule in ("sandbox_violation", "sandbox_crash")
    assert not Path("/tmp/glossa-escaped").exists()


@pytest.mark.skipif(not FILTERED, reason="this kernel filters no system calls")
@pytest.mark.parametrize("act", ACTS)
def test_kernel_stops_the_act_where_python_does_not(act: str) -> None:
    if act == "fork_by_libc":
        assert attempt(act, audit=False).facts == {"forked": -1}
    else:
        with pytest.raises(SandboxRefusal) as refusal:
            attempt(act, audit=False)
        assert re.search("PermissionError|Operation not permitted|not allowed", refusal.value.trace)
    assert not Path("/tmp/glossa-escaped").exists()


@pytest.mark.parametrize("act", ["allocate", "allocate_slowly"])
def test_memory_has_a_ceiling(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act)
    assert refusal.value.rule == "sandbox_memory"


def test_computing_has_a_ceiling() -> None:
    started = time.monotonic()
    with pytest.raises(SandboxRefusal):
        attempt("spin", bounds=Bounds(cpu_seconds=1, wall_seconds=60.0))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("act", ["stall", "close_output_and_spin"])
def test_waiting_has_a_ceiling_and_leaves_no_process(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act, audit=False, bounds=Bounds(cpu_seconds=30, wall_seconds=1.0))
    assert refusal.value.rule == "sandbox_timeout"
    listing = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"hostile:{act}" not in listing


@pytest.mark.parametrize("act", ["flood_output", "flood_errors"])
def test_output_has_a_ceiling(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act)
    assert refusal.value.rule == "sandbox_output"


@pytest.mark.parametrize("act", ["crash", "raise_error"])
def test_a_crash_is_a_refusal_with_a_trace_for_operators_only(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act, audit=False)
    assert refusal.value.rule == "sandbox_crash"
    assert refusal.value.code == "unsafe_file"
    assert "bug" not in refusal.value.message


@pytest.mark.parametrize("act", ["write_nonsense", "lie_about_length"])
def test_an_answer_that_cannot_be_parsed_is_a_refusal(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act)
    assert refusal.value.rule == "sandbox_mismatch"


def test_a_reader_that_cannot_be_loaded_is_the_machines_fault() -> None:
    with pytest.raises(SandboxUnavailable):
        attempt("no_such_reader")


def test_a_python_that_is_missing_is_the_machines_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(SandboxUnavailable):
        sandbox.protections()


def test_claims_of_a_child_are_checked_against_the_bytes_it_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "moss-dragon.safetensors"
    path.write_bytes(samples.canonical_file())
    monkeypatch.setattr(sandbox, "_EMBEDDING_READER", "tests.sandbox.hostile:claim_acceptance")
    monkeypatch.setattr(process, "_import_paths", lambda: (str(ROOT),))
    with pytest.raises(SandboxRefusal) as refusal:
        sandbox.read_embedding(path, filename=path.name)
    assert refusal.value.rule == "sandbox_mismatch"


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests already run as a plain user")
@pytest.mark.parametrize("act", ACTS)
def test_a_plain_user_is_contained_too(act: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            os.setgid(61_499)
            os.setuid(61_499)
            lock({"memory": 1 << 40, "cpu": 5, "uid": 61_500}, audit=False)
            facts, _body = getattr(hostile, act)(0)
            os._exit(0 if facts.get("forked") != -1 else 42)
        except (OSError, ValueError, subprocess.SubprocessError):
            os._exit(42)
        finally:
            os._exit(1)
    _pid, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 42
    assert not Path("/tmp/glossa-escaped").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root has rights to give up")
def test_root_gives_up_its_user_and_groups_for_good() -> None:
    code = (
        "import os; from hub.formats import lockdown; assert lockdown._drop_root(61_500);"
        "print(os.getresuid(), os.getresgid(), os.getgroups()); os.setuid(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "(61500, 61500, 61500) (61500, 61500, 61500) []"
    assert "PermissionError" in done.stderr
