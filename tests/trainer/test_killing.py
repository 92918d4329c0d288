"""kill -9 of engine, worker and whole tree, and at every named point: the run ends by itself, once, bit-equal."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db.models.functions import Now

from hub.access import Viewer
from hub.jobs import relay
from hub.models import OutboxJob, Version
from tests import kill
from tests.parts.family import children, is_alive
from tests.parts.gpu_worker import (
    Strike,
    kill_engine,
    kill_tree,
    kill_worker,
    over,
    past,
    start,
    stop,
    vectors,
    working,
)
from tests.parts.valkey import Valkey
from tests.parts.worker import eventually
from trainer import runs, worker
from trainer.models import TrainingRun
from trainer.services import submitting

pytestmark = pytest.mark.django_db(transaction=True)
Submit = Callable[..., TrainingRun]
STEPS = 120
# Seconds, on the slowest machine.
PATIENCE = 180


@pytest.fixture(autouse=True)
def _quick_recovery(monkeypatch: pytest.MonkeyPatch, engine_python: str) -> None:
    """Worker processes with the stand-in for an engine and a lease of three seconds."""
    monkeypatch.setattr(relay, "_quiet_until", 0.0)
    monkeypatch.setenv("HUB_ENGINE_PYTHON", engine_python)
    monkeypatch.setenv("HUB_LEASE_SECONDS", "3")
    monkeypatch.setenv("dramatiq_restart_delay", "300")


def whole(submit: Submit, engine_python: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The vectors of an uninterrupted run of the same recipe, made in this process."""
    from trainer.child import EngineChild

    made = EngineChild(engine_python)
    monkeypatch.setattr(worker, "_child", made)
    run = submit(name="never-broken", trigger="moss-glow", settings={"max_steps": STEPS})
    worker.run_training.fn(str(run.id))
    made.kill()
    return vectors(run)


@pytest.mark.parametrize("strike", [kill_engine, kill_worker, kill_tree])
def test_a_run_killed_at_three_steps_ends_by_itself_with_the_same_bits_and_one_draft(
    strike: Strike,
    submit: Submit,
    engine_python: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = whole(submit, engine_python, monkeypatch)
    run = submit(settings={"max_steps": STEPS})
    running = start()
    try:
        for step in (20, 50, 80):
            eventually(past(run, step), PATIENCE)
            running = strike(running)
        eventually(over(run), PATIENCE)
    finally:
        stop(running)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 4)
    assert vectors(run) == expected
    assert Version.objects.filter(embedding=run.embedding).count() == 1


def test_the_engine_ends_with_its_worker(submit: Submit) -> None:
    run = submit(settings={"max_steps": 5000})
    running = start()
    eventually(past(run, 10), PATIENCE)
    engines = children(running.pid)
    assert len(engines) == 1
    running.kill()
    running.wait()
    eventually(lambda: not is_alive(engines[0]))


TRAINING_POINTS = ["K19", "K20", "K21", "K22", "K23", "K24", "K25", "K27", "K28", "K29", "K30", "K31"]


@pytest.mark.parametrize("point", TRAINING_POINTS)
def test_a_worker_that_dies_at_any_point_of_a_run_leaves_one_whole_version_in_the_end(
    point: str, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A lease that no slow machine loses: then only the death here costs an attempt.
    monkeypatch.setenv("HUB_LEASE_SECONDS", "4" if point == "K25" else "40")
    run = submit(settings={"max_steps": 200 if point == "K25" else 40})
    dying = start(point)
    assert dying.wait(PATIENCE) == -signal.SIGKILL
    # The time goes by that the dead one's lease still had.
    TrainingRun.objects.filter(pk=run.pk).update(lease_until=Now())
    with working():
        eventually(over(run), PATIENCE)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    version = Version.objects.get(embedding=run.embedding)
    assert version.sheet_state == Version.SheetState.DONE
    assert vectors(run)
    assert run.step == run.max_steps


def test_a_worker_that_dies_after_it_lost_its_lease_changes_nothing(submit: Submit) -> None:
    run = submit(settings={"max_steps": 300})
    dying = start("K26")
    eventually(past(run, 10), PATIENCE)
    TrainingRun.objects.filter(pk=run.pk).update(fence=50)
    assert dying.wait(PATIENCE) == -signal.SIGKILL
    with working():
        eventually(over(run), PATIENCE)
    run.refresh_from_db()
    assert run.state == "done"


@pytest.mark.parametrize("point", ["K33", "K34"])
def test_a_worker_that_dies_while_cancelling_leaves_the_run_cancelled(
    point: str, submit: Submit, maker: Viewer
) -> None:
    run = submit(settings={"max_steps": 5000})
    dying = start(point)
    eventually(past(run, 10), PATIENCE)
    submitting.cancel(maker, run=run)
    assert dying.wait(PATIENCE) == -signal.SIGKILL
    with working():
        eventually(over(run), PATIENCE)
    run.refresh_from_db()
    assert run.state == "cancelled"


SUBMIT = """
import sys, uuid
from pathlib import Path
from hub.access import Viewer
from hub.models import User
from trainer.services import submission, submitting
viewer = Viewer(User.objects.get(username="mia"))
form = submission.Submission(
    name="moss-glow", trigger="moss-glow", kind="style", base_model="tiny", licence="cc0-1.0", consent=True,
    settings={"max_steps": 20}, pictures=[(Path(path), Path(path).name) for path in sys.argv[2:]],
    key=uuid.UUID(sys.argv[1]),
)
print(submitting.submit(viewer, form=form).id)
"""


@pytest.mark.parametrize("point", ["K14", "K15", "K16", "K17"])
@pytest.mark.usefixtures("base", "maker")
def test_a_submission_that_dies_anywhere_can_be_sent_again_and_is_one_run(
    point: str, pictures: list[tuple[Path, str]]
) -> None:
    words = ["6fa459ea-ee8a-4ca4-894e-db77e160355e", *(str(path) for path, _ in pictures)]
    kill.run(SUBMIT, *words, point=point)
    assert TrainingRun.objects.count() == (1 if point == "K17" else 0)
    kill.run(SUBMIT, *words)
    run = TrainingRun.objects.get()
    assert run.images.count() == 3
    assert OutboxJob.objects.filter(args=[str(run.id)]).exists()


@pytest.mark.usefixtures("base", "maker")
def test_one_who_dies_sending_a_form_again_gets_the_same_run(pictures: list[tuple[Path, str]]) -> None:
    words = ["6fa459ea-ee8a-4ca4-894e-db77e160355e", *(str(path) for path, _ in pictures)]
    first = kill.run(SUBMIT, *words).stdout
    kill.run(SUBMIT, *words, point="K18")
    assert kill.run(SUBMIT, *words).stdout == first
    assert TrainingRun.objects.count() == 1


CANCEL = """
import sys
from hub.access import Viewer
from hub.models import User
from trainer.models import TrainingRun
from trainer.services import submitting
submitting.cancel(Viewer(User.objects.get(username="mia")), run=TrainingRun.objects.get(pk=sys.argv[1]))
"""


def test_a_cancel_that_died_before_its_flag_is_not_done_and_can_be_repeated(submit: Submit) -> None:
    run = submit()
    kill.run(CANCEL, str(run.id), point="K32")
    run.refresh_from_db()
    assert (run.state, run.cancel_requested) == ("queued", False)
    kill.run(CANCEL, str(run.id))
    run.refresh_from_db()
    assert run.state == "cancelled"


@pytest.mark.slow
@pytest.mark.parametrize("point", TRAINING_POINTS)
def test_a_worker_asked_to_stop_at_any_point_leaves_in_order_and_the_run_ends_whole(
    point: str, submit: Submit
) -> None:
    # Long enough that it cannot be done before the worker has left.
    run = submit(settings={"max_steps": 1000 if point == "K25" else 40})
    leaving = start(f"{point}!TERM")
    assert leaving.wait(PATIENCE) == 0
    run.refresh_from_db()
    # Who stops in order gives the run back, and is no death.
    assert (run.state, run.attempts_without_progress, run.lease_until) == ("queued", 0, None)
    with working():
        eventually(over(run), PATIENCE)
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("done", 2)
    assert vectors(run)


def test_a_stop_signal_saves_a_checkpoint_and_the_run_goes_on_later(submit: Submit) -> None:
    run = submit(settings={"max_steps": STEPS})
    running = start()
    eventually(past(run, 20), PATIENCE)
    stop(running)
    assert running.returncode == 0
    run.refresh_from_db()
    assert (run.state, run.attempts_without_progress, run.lease_until) == ("queued", 0, None)
    with working():
        eventually(over(run), PATIENCE)
    assert Version.objects.get(run_key=run.pk)


def test_a_stopped_broker_accepts_the_run_says_that_it_waits_and_starts_it_when_it_is_back(
    submit: Submit, valkey: Valkey
) -> None:
    valkey.stop(forget=True)
    run = submit()
    assert run.state == "queued"
    assert "starts by itself when it is back" in runs.waiting_for(run)
    valkey.start()
    with working():
        eventually(over(run), PATIENCE)
    run.refresh_from_db()
    assert run.state == "done"
