"""Workers and makers that die by order, in processes that cost a fork: for tests that let them die often.

A fork server loads the hub once. What is done in a child uses the database, store and broker of the suite.
"""

import importlib
import multiprocessing
import uuid
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import django

# In the fork server, once, so that no child has to.
django.setup()
for _name in ("hub.killpoints", "trainer.worker", "trainer.services.submitting", "django.core.mail"):
    importlib.import_module(_name)

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.parts.dying"])


def begin(act: Callable[..., None], *arguments: Any, point: str = "", engine: str = "") -> BaseProcess:
    """Do something in a process of its own, which may have the order to die at a point."""
    process = _context.Process(target=_child, args=(act, arguments, point, engine))
    process.start()
    return process


def end(process: BaseProcess, seconds: float = 120) -> int:
    """Wait until it has ended; its exit status, negative for a signal."""
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise AssertionError(f"it had not ended after {seconds:g} s")
    return process.exitcode


def deliver(run_id: str, times: int) -> None:
    """Be a gpu worker that gets the same message so many times."""
    from trainer import worker

    for _ in range(times):
        worker.run_training.fn(run_id)


def submit(username: str, key: str, name: str, pictures: list[str]) -> None:
    """Be a maker who sends a form."""
    from hub.access import Viewer
    from hub.models import User
    from trainer.services import submission, submitting

    form = submission.Submission(
        name=name,
        trigger=name,
        kind="style",
        base_model="tiny",
        licence="cc0-1.0",
        consent=True,
        settings={"max_steps": 20},
        pictures=[(Path(path), Path(path).name) for path in pictures],
        key=uuid.UUID(key),
    )
    submitting.submit(Viewer(User.objects.get(username=username)), form=form)


def cancel(username: str, run_id: str) -> None:
    """Be a maker who stops a run."""
    from hub.access import Viewer
    from hub.models import User
    from trainer.models import TrainingRun
    from trainer.services import submitting

    submitting.cancel(Viewer(User.objects.get(username=username)), run=TrainingRun.objects.get(pk=run_id))


def _child(act: Callable[..., None], arguments: tuple[Any, ...], point: str, engine: str) -> None:
    from django.conf import settings

    from hub import killpoints
    from trainer import worker
    from trainer.child import EngineChild

    settings.HUB.update(HUB_LEASE_SECONDS=8, HUB_RUN_MAX_PER_DAY=100_000, HUB_RUN_MAX_WAITING=100_000)
    if engine:
        worker._child = EngineChild(engine)
    killpoints.arm(point)
    act(*arguments)
    worker._child.kill()
