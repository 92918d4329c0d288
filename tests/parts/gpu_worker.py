"""A gpu worker on the suite's database and broker, every way to kill it, and what its runs have left."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hub import blobs
from hub.models import Version
from tests import kill
from tests.environment import DATA_DIR
from tests.parts import process
from tests.parts.family import children
from trainer.models import TrainingRun

ROOT = Path(__file__).parents[2]
Worker = subprocess.Popen[bytes]
Strike = Callable[[Worker], Worker]
_PROGRAM = "from hub.jobs import runner; runner.SWEEP_SECONDS = 0.3; runner.run('gpu')"


def start(point: str = "") -> Worker:
    """A gpu worker in a process group of its own; with `point` it dies there. Settings: from the environment."""
    program = [sys.executable, "-c", kill.SETUP + _PROGRAM]
    variables = {"DJANGO_SETTINGS_MODULE": "hub.settings", "HUB_KILL_POINT": point}
    return process.start(program, log=DATA_DIR / "gpu.log", folder=ROOT, environment=variables)


def stop(worker: Worker) -> None:
    """Stop it in order, as a service manager does."""
    process.stop(worker, signal.SIGTERM, seconds=40)


@contextmanager
def working() -> Iterator[Worker]:
    """A gpu worker, stopped in order in the end."""
    worker = start()
    try:
        yield worker
    finally:
        stop(worker)


def kill_engine(worker: Worker) -> Worker:
    """kill -9 of its engine alone."""
    for engine in children(worker.pid):
        os.kill(engine, signal.SIGKILL)
    return worker


def kill_worker(worker: Worker) -> Worker:
    """kill -9 of the worker; the one that takes its place."""
    worker.kill()
    worker.wait()
    return start()


def kill_tree(worker: Worker) -> Worker:
    """kill -9 of worker and engine at once; the worker that takes its place."""
    engines = children(worker.pid)
    worker.kill()
    for engine in engines:
        os.kill(engine, signal.SIGKILL)
    worker.wait()
    return start()


def over(run: TrainingRun) -> Callable[[], bool]:
    """The run has ended, well or not."""
    return lambda: TrainingRun.objects.filter(pk=run.pk, state__in=["done", "failed", "cancelled"]).exists()


def past(run: TrainingRun, step: int) -> Callable[[], bool]:
    """A checkpoint of that step or a later one is stored."""
    return lambda: run.checkpoints.filter(step__gte=step).exists()


def vectors(run: TrainingRun) -> bytes:
    """The bytes of the one version that the run has left."""
    return blobs.read(str(Version.objects.get(run_key=run.pk).tensors_id))
