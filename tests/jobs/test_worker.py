"""The worker process: jobs are done, promises are kept once, and it stops and comes back in order."""

import signal
from pathlib import Path

import pytest

from hub import jobs
from hub.jobs import relay
from hub.models import OutboxJob
from tests.parts.process import stop
from tests.parts.valkey import Valkey
from tests.parts.worker import eventually, running

pytestmark = pytest.mark.django_db(transaction=True)
ACTORS = "tests.jobs.actors"


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "_quiet_until", 0.0)
    for name in ("note", "note_once", "note_slowly", "fail"):
        jobs.register(name, "default")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes"
    path.touch()
    return path


def lines(notes: Path) -> list[str]:
    return notes.read_text().split("\n")[:-1]


def kept() -> bool:
    """No promise is open."""
    return not OutboxJob.objects.exists()


def test_a_job_is_done_and_its_promise_is_gone(notes: Path) -> None:
    jobs.enqueue("note", str(notes), "hello")
    with running(actors=ACTORS):
        eventually(kept)
    assert lines(notes) == ["hello"]


def test_an_act_delivered_twice_is_done_once(notes: Path) -> None:
    jobs.enqueue("note_once", str(notes), "counted")
    jobs.enqueue("note", str(notes), "twice")
    for job in OutboxJob.objects.order_by("created_at"):
        relay.send_now(job)
    with running(actors=ACTORS):
        eventually(lambda: lines(notes).count("twice") == 2 and kept())
    assert lines(notes).count("counted") == 1


def test_a_job_that_fails_for_good_is_given_up_and_holds_up_nothing(notes: Path) -> None:
    jobs.enqueue("fail", str(notes))
    jobs.enqueue("note", str(notes), "next")
    with running(actors=ACTORS):
        eventually(kept)
    assert sorted(lines(notes)) == ["failed", "next"]


def test_a_stop_signal_lets_the_running_job_end(notes: Path) -> None:
    jobs.enqueue("note_slowly", str(notes), "job")
    with running(actors=ACTORS) as worker:
        eventually(lambda: lines(notes) == ["job begun"])
        stop(worker, signal.SIGTERM)
    assert worker.returncode == 0
    assert lines(notes) == ["job begun", "job done"]
    assert kept()


def test_a_worker_outlives_its_broker_and_goes_on_when_it_is_back(notes: Path, valkey: Valkey) -> None:
    with running(actors=ACTORS):
        jobs.enqueue("note", str(notes), "before")
        eventually(lambda: lines(notes) == ["before"] and kept())
        valkey.stop(forget=True)
        jobs.enqueue("note", str(notes), "meanwhile")
        valkey.start()
        eventually(kept)
    assert lines(notes) == ["before", "meanwhile"]
