"""A child whose parser has been taken over can do nothing: each act is tried, by root and by a plain user."""

import os
import socket
import sys
import time
from pathlib import Path

import pytest

from hub import sandbox
from hub.formats.lockdown import AUDIT, FILTER, LANDLOCK
from hub.sandbox import Bounds, SandboxRefusal, SandboxUnavailable, process, template
from tests import samples
from tests.sandbox.containment import ACTS, PYTHON_ONLY, ROOT, attempt, outcome
from tests.sandbox.hostile import MARK

STANDING = sandbox.protections()
USERS = [pytest.param(False, id="root"), pytest.param(True, id="plain")] if os.getuid() == 0 else [True]
EXHAUSTING = frozenset(
    {"allocate", "allocate_slowly", "spin", "stall", "flood_output", "flood_errors", "crash"}
)
REACHING_OUT = sorted(set(ACTS.values()) - EXHAUSTING)


def test_an_honest_reader_gets_the_open_file_and_answers() -> None:
    answer = attempt("honest")
    assert (answer.facts, answer.body) == ({"read": 100}, b"body")


def test_this_machine_raises_the_fences_it_has() -> None:
    assert {"rlimits", "audit hook"} <= set(STANDING)
    if os.getuid() == 0:
        assert "unused user id" in STANDING
    if sys.platform == "linux":
        assert {"no new privileges", "system-call filter"} <= set(STANDING)


@pytest.mark.parametrize("plain", USERS)
@pytest.mark.parametrize("act", REACHING_OUT)
def test_act_is_stopped(act: str, plain: bool) -> None:
    tried = outcome(act, plain=plain)
    assert tried.stopped
    assert tried.rule in ("sandbox_violation", "sandbox_crash")
    assert not Path(MARK).exists()


@pytest.mark.skipif(FILTER not in STANDING, reason="this kernel filters no system calls")
@pytest.mark.parametrize("plain", USERS)
@pytest.mark.parametrize("act", sorted(set(REACHING_OUT) - PYTHON_ONLY))
def test_kernel_stops_the_act_where_python_does_not(act: str, plain: bool) -> None:
    assert outcome(act, plain=plain, without=(AUDIT,)).stopped
    assert not Path(MARK).exists()


@pytest.mark.skipif(LANDLOCK not in STANDING, reason="this kernel has no Landlock")
@pytest.mark.parametrize("plain", USERS)
@pytest.mark.parametrize(
    "act", ["execute", "connect_tcp", "write_file", "delete_file", "read_file", "list_folder"]
)
def test_landlock_stops_the_act_where_no_filter_does(act: str, plain: bool) -> None:
    assert outcome(act, plain=plain, without=(AUDIT, FILTER)).stopped == "Landlock"


@pytest.mark.parametrize("plain", USERS)
@pytest.mark.parametrize(
    ("act", "by", "rule"),
    [
        ("allocate", "memory limit", "sandbox_memory"),
        ("allocate_slowly", "memory limit", "sandbox_memory"),
        ("spin", "CPU limit", "sandbox_timeout"),
        ("stall", "wall clock", "sandbox_timeout"),
        ("flood_output", "output limit", "sandbox_output"),
        ("flood_errors", "output limit", "sandbox_output"),
    ],
)
def test_exhaustion_has_a_ceiling(act: str, by: str, rule: str, plain: bool) -> None:
    tried = outcome(act, plain=plain)
    assert (tried.stopped, tried.rule) == (by, rule)


def test_child_inherits_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "a secret")
    process.POOL.end()  # a template that starts now would inherit it
    facts = attempt("environment").facts
    assert set(facts["environment"]) <= {"LC_CTYPE"}
    assert "secret" not in str(facts["arguments"])


def test_child_has_its_two_outputs_and_the_upload_open_and_nothing_else(tmp_path: Path) -> None:
    with (tmp_path / "private").open("wb"), socket.socket():
        assert attempt("open_descriptors").facts == {"open": [1, 2, 3]}


@pytest.mark.parametrize("without", [(), (AUDIT,), (AUDIT, FILTER)])
def test_listeners_hear_nothing(without: tuple[str, ...], tmp_path: Path) -> None:
    address = str(tmp_path / "listener")
    with (
        socket.create_server(("127.0.0.1", 0)) as stream,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets,
        socket.socket(socket.AF_UNIX) as local,
    ):
        packets.bind(("127.0.0.1", 0))
        local.bind(address)
        local.listen()
        for act, where in (
            ("connect_tcp", {"port": stream.getsockname()[1]}),
            ("connect_udp", {"port": packets.getsockname()[1]}),
            ("connect_unix", {"path": address}),
        ):
            with pytest.raises(SandboxRefusal):
                attempt(act, without=without, **where)
        for listener in (stream, packets, local):
            listener.settimeout(0.05)
            with pytest.raises(TimeoutError):
                listener.recv(1) if listener is packets else listener.accept()


@pytest.mark.parametrize("without", [(), (AUDIT,)])
def test_file_that_everybody_may_read_stays_unread_and_undeleted(
    without: tuple[str, ...], tmp_path: Path
) -> None:
    secret = tmp_path / "db.sqlite3"
    secret.write_text("secret")
    secret.chmod(0o666)
    for act in ("read_file", "delete_file"):
        with pytest.raises(SandboxRefusal):
            attempt(act, without=without, victim=str(secret))
    assert secret.read_text() == "secret"


def test_child_that_closes_its_outputs_is_still_waited_for_and_killed() -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt("close_output_and_spin", without=(AUDIT,), bounds=Bounds(cpu_seconds=30, wall_seconds=0.5))
    assert refusal.value.rule == "sandbox_timeout"
    assert children() == []


def children() -> list[str]:
    """Children of all our templates."""
    return [
        child
        for pid in process.POOL.pids()
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ]


@pytest.mark.parametrize("act", ["crash", "raise_error"])
def test_a_crash_is_a_refusal_with_a_trace_for_operators_only(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act, without=(AUDIT,))
    assert refusal.value.rule == "sandbox_crash"
    assert refusal.value.code == "unsafe_file"
    assert "bug" not in refusal.value.message


def test_trace_of_a_parsers_bug_says_where_it_is() -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt("raise_error")
    assert "raise_error" in refusal.value.trace
    assert "RuntimeError: a parser's bug" in refusal.value.trace


@pytest.mark.parametrize("act", ["write_nonsense", "lie_about_length"])
def test_an_answer_that_cannot_be_parsed_is_a_refusal(act: str) -> None:
    with pytest.raises(SandboxRefusal) as refusal:
        attempt(act)
    assert refusal.value.rule == "sandbox_mismatch"


def test_a_reader_that_cannot_be_loaded_is_the_machines_fault() -> None:
    with pytest.raises(SandboxUnavailable):
        attempt("no_such_reader")


@pytest.mark.parametrize("claim", ["claim_acceptance", "refuse_without_a_reason"])
def test_claims_of_a_child_are_checked_against_the_bytes_it_sent(
    claim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "moss-dragon.safetensors"
    path.write_bytes(samples.canonical_file())
    monkeypatch.setattr(sandbox, "_EMBEDDING_READER", f"tests.sandbox.hostile:{claim}")
    paths = (*template._import_paths(), str(ROOT))
    monkeypatch.setattr(template, "_import_paths", lambda: paths)
    with pytest.raises(SandboxRefusal) as refusal:
        sandbox.read_embedding(path, filename=path.name)
    assert refusal.value.rule == "sandbox_mismatch"


def test_page_on_safety_tells_of_every_act() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    assert [said for said in ACTS if f"| {said} |" not in page] == []


def test_computing_is_measured_in_processor_time() -> None:
    started = time.monotonic()
    with pytest.raises(SandboxRefusal):
        attempt("spin", bounds=Bounds(cpu_seconds=1, wall_seconds=120.0))
    assert time.monotonic() - started < 60
