"""The real engine on the bundled base: killed three times, a run ends by itself with the rows it would have had."""

import uuid
from collections.abc import Callable

import pytest
from django.db.models import Q

from hub.models import Version
from tests import factories
from tests.parts.gpu_worker import kill_engine, kill_tree, kill_worker, over, start, stop, vectors
from tests.parts.worker import eventually
from trainer.base_folder import BUNDLED
from trainer.models import TrainingRun
from trainer.services import bases, submitting
from trainer.services.submission import Submission

pytestmark = pytest.mark.django_db(transaction=True)
# The engine saves every 50 steps or 30 seconds, and at the end.
STEPS = 160
PATIENCE = 900


@pytest.fixture(autouse=True)
def _quick_recovery(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead worker's run is taken over after four seconds."""
    monkeypatch.setenv("HUB_LEASE_SECONDS", "4")


def submit(name: str) -> TrainingRun:
    form = Submission(
        name=name,
        trigger="zebra-wave",
        kind="style",
        initializer="striped",
        base_model="tiny",
        licence="cc0-1.0",
        consent=True,
        preset="quick",
        settings={"max_steps": STEPS, "seed": 11, "batch": 1, "early_stop": False},
        bundled_set="zebra-wave",
        key=uuid.uuid4(),
    )
    return submitting.submit(factories.viewer("mia", made_by_operator=True), form=form)


def learned(run: TrainingRun) -> Callable[[], bool]:
    """The run has left its vectors, or has failed."""
    return lambda: TrainingRun.objects.filter(
        Q(version__isnull=False) | Q(state="failed"), pk=run.pk
    ).exists()


def newest(run: TrainingRun) -> int:
    """The step of the newest checkpoint."""
    return max(run.checkpoints.values_list("step", flat=True), default=0)


def test_killed_by_engine_worker_and_tree_it_ends_with_equal_rows_and_one_draft() -> None:
    bases.install(BUNDLED, copy=False, replace=True)
    whole = submit("never-broken")
    worker = start()
    killed_at: list[int] = []
    try:
        eventually(learned(whole), PATIENCE)
        submitting.cancel(factories.viewer("mia"), run=whole)
        broken = submit("often-broken")
        for strike in (kill_engine, kill_worker, kill_tree):
            last = newest(broken)
            eventually(lambda last=last: newest(broken) > last, PATIENCE)
            killed_at.append(newest(broken))
            worker = strike(worker)
        eventually(over(broken), PATIENCE)
    finally:
        stop(worker)
    broken.refresh_from_db()
    assert len(set(killed_at)) == 3
    assert (broken.state, broken.attempts) == ("done", 4), broken.message
    assert vectors(broken) == vectors(whole)
    assert Version.objects.filter(embedding=broken.embedding).count() == 1
