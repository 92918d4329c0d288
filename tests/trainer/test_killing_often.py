"""Each point of submit, train and cancel, many times and further on each time; then two workers, ten messages each.

GLOSSA_TEST_REPEATS is how often. What happens to a whole worker with its broker is in test_killing.
"""

import os
import signal
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models.functions import Now

from hub import blobs
from hub.access import Viewer
from hub.jobs import relay
from hub.models import OutboxJob, Version
from hub.services.upkeep import fsck
from tests.parts import dying
from tests.parts.worker import eventually
from trainer.models import RUNNING, TrainingImage, TrainingRun
from trainer.services import leases, submitting

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
Submit = Callable[..., TrainingRun]
REPEATS = int(os.environ.get("GLOSSA_TEST_REPEATS", "20"))
STEPS = 40
CHECKPOINT = 10
DELIVERIES = 10
# How often a run of so many steps comes by, where that is more than once.
TIMES = {"K21": 40, "K22": 4, "K23": 4, "K24": 4}
TRAINING = ["K19", "K20", "K21", "K22", "K23", "K24", "K25", "K27", "K28", "K29", "K30", "K31"]


@pytest.fixture(autouse=True)
def _many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limits on how many runs one person has, and a broker that nobody listens to."""
    monkeypatch.setitem(settings.HUB, "HUB_RUN_MAX_PER_DAY", 100_000)
    monkeypatch.setitem(settings.HUB, "HUB_RUN_MAX_WAITING", 100_000)
    monkeypatch.setitem(settings.HUB, "HUB_RUN_GPU_HOURS", 100_000)
    monkeypatch.setattr(relay, "send_now", lambda job: None)


@pytest.fixture
def expected(submit: Submit, engine_python: str) -> bytes:
    """The vectors of a run that nothing happened to."""
    run = submit(name="never-broken", trigger="moss-glow", settings={"max_steps": STEPS})
    recover(run, engine_python)
    return left_by(run)


def left_by(run: TrainingRun) -> bytes:
    """The bytes of the one version that the run has left."""
    version = Version.objects.get(embedding=run.embedding)
    assert version.run_key == run.pk
    return blobs.read(str(version.tensors_id))


def give_back_lost() -> None:
    """Let the lease of whoever died have ended, and the sweeps of two workers have seen it."""
    TrainingRun.objects.filter(state__in=RUNNING).update(lease_until=Now() - timedelta(seconds=1))
    leases.requeue_lost_runs()
    leases.requeue_lost_runs()


def recover(run: TrainingRun, engine: str) -> None:
    """Two live workers get the message ten times each."""
    workers = [dying.begin(dying.deliver, str(run.id), DELIVERIES, engine=engine) for _ in range(2)]
    assert [dying.end(one) for one in workers] == [0, 0]
    run.refresh_from_db()


def no_findings() -> bool:
    return not list(fsck.findings(read_data=True))


def last_step(run: TrainingRun) -> int:
    """The last step of which the row knows."""
    run.refresh_from_db()
    return max(run.step, 0)


def gone_on_at(run: TrainingRun) -> int:
    """The step at which the last attempt began; of a run whose vectors were there already, its last."""
    started = run.events.filter(kind="started").order_by("-sequence").first()
    return int(started.data["step"]) if started else 0


@pytest.mark.parametrize("point", TRAINING)
def test_a_run_killed_at_a_point_is_resumed_once_and_ends_equal(
    point: str, submit: Submit, engine_python: str, expected: bytes
) -> None:
    for turn in range(REPEATS):
        at = 1 + turn * TIMES.get(point, 1) // REPEATS
        steps = 400 if point == "K25" else STEPS
        run = submit(name=f"moss-{point.lower()}-{turn}", trigger="moss-glow", settings={"max_steps": steps})
        dead = dying.begin(dying.deliver, str(run.id), 1, point=f"{point}@{at}", engine=engine_python)
        assert dying.end(dead) == -signal.SIGKILL, (point, at)
        known, had = last_step(run), Version.objects.filter(run_key=run.pk).exists()
        give_back_lost()
        recover(run, engine_python)
        assert (run.state, run.attempts, run.step) == ("done", 2, steps), (point, at, run.message)
        assert had or known - gone_on_at(run) <= CHECKPOINT, (point, at)
        assert steps != STEPS or left_by(run) == expected, (point, at)
    assert no_findings()


def test_a_worker_killed_after_it_lost_its_lease_leaves_the_run_to_the_other(
    submit: Submit, engine_python: str
) -> None:
    for turn in range(REPEATS):
        run = submit(name=f"moss-k26-{turn}", settings={"max_steps": 300})
        dead = dying.begin(dying.deliver, str(run.id), 1, point="K26", engine=engine_python)
        eventually(lambda run=run: run.checkpoints.exists(), 180)
        TrainingRun.objects.filter(pk=run.pk).update(fence=50)
        assert dying.end(dead) == -signal.SIGKILL
        give_back_lost()
        recover(run, engine_python)
        assert (run.state, run.attempts) == ("done", 2)
        assert left_by(run)
    assert no_findings()


@pytest.mark.parametrize("point", ["K14", "K15", "K16", "K17"])
@pytest.mark.usefixtures("base")
def test_a_form_whose_sending_died_is_sent_again_and_is_one_run(
    point: str, maker: Viewer, pictures: list[tuple[Path, str]]
) -> None:
    paths = [str(path) for path, _ in pictures]
    for turn in range(REPEATS):
        form = ("mia", str(uuid.uuid4()), f"moss-{point.lower()}-{turn}", paths)
        at = 1 + turn % 3 if point == "K14" else 1
        dead = dying.begin(dying.submit, *form, point=f"{point}@{at}")
        assert dying.end(dead) == -signal.SIGKILL
        found = TrainingRun.objects.filter(submission_key=form[1])
        assert found.count() == (1 if point == "K17" else 0)
        assert dying.end(dying.begin(dying.submit, *form)) == 0
        assert found.get().images.count() == 3
        assert OutboxJob.objects.filter(args=[str(found.get().id)]).count() == 1
    assert not TrainingImage.objects.filter(run=None).exists()
    assert no_findings()


@pytest.mark.usefixtures("base", "maker")
def test_a_form_sent_twice_at_once_and_once_more_by_one_who_dies_is_one_run(
    pictures: list[tuple[Path, str]],
) -> None:
    paths = [str(path) for path, _ in pictures]
    for turn in range(REPEATS):
        form = ("mia", str(uuid.uuid4()), f"moss-k18-{turn}", paths)
        both = [dying.begin(dying.submit, *form) for _ in range(2)]
        assert [dying.end(one) for one in both] == [0, 0]
        assert dying.end(dying.begin(dying.submit, *form, point="K18")) == -signal.SIGKILL
        assert TrainingRun.objects.filter(submission_key=form[1]).count() == 1
    assert no_findings()


@pytest.mark.parametrize("point", ["K32", "K33", "K34"])
def test_a_cancel_that_was_cut_off_is_done_in_the_end(
    point: str, submit: Submit, engine_python: str, maker: Viewer
) -> None:
    for turn in range(REPEATS):
        run = submit(name=f"moss-{point.lower()}-{turn}", settings={"max_steps": 5000})
        order = "" if point == "K32" else point
        worker = dying.begin(dying.deliver, str(run.id), 1, point=order, engine=engine_python)
        eventually(lambda run=run: run.checkpoints.exists(), 180)
        if point == "K32":
            dead = dying.begin(dying.cancel, "mia", str(run.id), point=point)
            assert dying.end(dead) == -signal.SIGKILL
            assert not TrainingRun.objects.get(pk=run.pk).cancel_requested
        submitting.cancel(maker, run=run)
        assert dying.end(worker, 180) == (0 if point == "K32" else -signal.SIGKILL)
        give_back_lost()
        recover(run, engine_python)
        assert run.state == "cancelled"
        assert not Version.objects.filter(run_key=run.pk).exists()
    assert no_findings()


@pytest.mark.parametrize("point", TRAINING)
def test_a_disk_that_is_full_at_a_point_costs_an_attempt_and_nothing_else(
    point: str, submit: Submit, engine_python: str, expected: bytes
) -> None:
    for at in range(1, TIMES.get(point, 1) + 1, 3):
        steps = 400 if point == "K25" else STEPS
        run = submit(name=f"moss-{point.lower()}-{at}", trigger="moss-glow", settings={"max_steps": steps})
        order = f"{point}@{at}!ENOSPC"
        dying.end(dying.begin(dying.deliver, str(run.id), 1, point=order, engine=engine_python))
        give_back_lost()
        recover(run, engine_python)
        assert (run.state, run.step) == ("done", steps), (point, at, run.message)
        assert steps != STEPS or left_by(run) == expected, (point, at)
    assert no_findings()
