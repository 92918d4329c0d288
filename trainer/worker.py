"""Actors of the queue `gpu`. A message only wakes the worker; what there is to do, the rows say."""

import atexit
import logging
import os
import socket
from functools import partial
from pathlib import Path
from typing import Any

import dramatiq
from django.conf import settings
from dramatiq.middleware import Shutdown

from hub.errors import Full, HubError, Unacceptable, Unavailable
from hub.jobs import ticker
from hub.killpoints import kill_point
from hub.models import BaseModel, Version
from hub.services.versions import freezing, previews
from trainer import workspace
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.models import TrainingRun
from trainer.recorder import Recorder
from trainer.services import finishing, leases, pictures, telling
from trainer.services.leases import Claim, LeaseLost
from trainer.services.limits import OverLimit
from trainer.supervisor import Attempt, Cancelled, EngineFault

log = logging.getLogger(__name__)
SWEEP_SECONDS = 5.0
PURGE_SECONDS = 3600.0
MAIL_SECONDS = 30.0
SHEET_SILENCE = 600.0
SAID_BY_SHEET = ("encoders", "intact", "base_digest", "measures")
STOP_SECONDS = 30.0

# One engine per worker process: it keeps its base model loaded between runs.
_child = EngineChild(settings.HUB["HUB_ENGINE_PYTHON"] or EngineChild().python)
atexit.register(partial(_child.stop, 2.0))


def worker_name() -> str:
    """This process, for people who read the run's row."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dramatiq.actor(
    actor_name="run_training",
    queue_name="gpu",
    max_retries=0,
    time_limit=float("inf"),
    notify_shutdown=True,
)
def run_training(run_id: str) -> None:
    """Do the runs whose turn it is until none is left. Ten deliveries of one message do no more than one.

    The run named only woke this worker: whose turn it is, is for `runs.line` to say.
    """
    log.info("woken for run %s", run_id)
    while (claim := leases.claim_next(worker_name())) is not None:
        attempt(claim)


def attempt(claim: Claim) -> None:
    """Work on a claimed run and leave its row in a state that says what happened. Raises Shutdown alone."""
    try:
        kill_point("K19")
        with workspace.work_folder(f"{claim.run_id}-{claim.fence}") as folder:
            _work(claim, folder)
    except Shutdown:
        _give_back(claim)
        raise


def _work(claim: Claim, folder: Path) -> None:
    try:
        Attempt(_child, claim).work(folder)
    except Shutdown:
        _save_last(claim)
        raise
    except LeaseLost:
        log.warning("run %s: the lease is lost, the engine is stopped", claim.run_id)
        kill_point("K26")
        _child.kill()
    except Exception as error:  # noqa: BLE001  whatever it was, the row must say what comes next
        try:
            judge(claim, error)
        except LeaseLost:
            _child.kill()


def judge(claim: Claim, error: Exception) -> None:
    """Decide what an error means for the run: over, paused, or tried again. Raises LeaseLost."""
    match error:
        case Cancelled():
            finishing.end_cancelled(claim)
        case EngineFault() if error.event.get("fault") == "recipe":
            _fail(claim, "recipe", error.event["code"], error.event["message"])
        case OverLimit() if error.code == "time_limit":
            _fail(claim, "recipe", error.code, error.message)
        case OverLimit():
            _out_of_memory(claim, error.message)
        case EngineFault() if error.event.get("code") == "out_of_memory":
            _out_of_memory(claim, str(error.event["message"]))
        case EngineFault():
            log.error("run %s: engine: %s", claim.run_id, error.event)
            _again(claim, str(error.event.get("message")))
        case EngineDied():
            log.error("run %s: the engine died (%s): %s", claim.run_id, error.code, error.log[-2000:])
            _child.kill()
            _again(claim, "The engine died.")
        case Full() | Unavailable():
            _child.kill()
            leases.pause(claim, message=f"{error.message} The run goes on by itself when that is over.")
        case Unacceptable():
            _fail(claim, "machine", error.code, f"The result was refused: {error.message}")
        case _:
            log.error("run %s: unexpected", claim.run_id, exc_info=error)
            _child.kill()
            _again(claim, "The worker met an error.")


def _again(claim: Claim, message: str) -> None:
    """Give the run back; the row counts how often that happened without a new checkpoint."""
    leases.release(claim, message=message)


def _out_of_memory(claim: Claim, message: str) -> None:
    """Once more with half the pictures at a time, if the maker allowed that; else the end, with advice (rule J6)."""
    _child.kill()
    if not finishing.shrink(claim):
        advice = "Use fewer pictures per step, a smaller side, or fewer vectors, and start again."
        _fail(claim, "recipe", "out_of_memory", f"{message} {advice}")


def _fail(claim: Claim, fault: str, code: str, message: str) -> None:
    run = TrainingRun.objects.get(pk=claim.run_id)
    if run.version_id is None:
        finishing.fail(claim, fault=fault, code=code, message=message)
    else:
        finishing.end_without_sheet(claim, run, message=message)


def _save_last(claim: Claim) -> None:
    """The worker is told to stop: let the engine save what it has, and keep that checkpoint."""
    try:
        if _child.working and not _child.is_deaf:
            _child.cancel(str(claim.run_id))
            _take_last_words(claim)
    except (LeaseLost, EngineDied, HubError) as error:
        log.warning("run %s: left without saving: %s", claim.run_id, error)
    finally:
        _child.kill()


def _give_back(claim: Claim) -> None:
    """The worker is told to stop: the run is the next one's."""
    try:
        leases.release(claim, message="The worker was restarted; the run goes on.", blameless=True)
    except (LeaseLost, HubError) as error:
        log.warning("run %s: not given back: %s", claim.run_id, error)


def _take_last_words(claim: Claim) -> None:
    last = Recorder(claim, TrainingRun.objects.get(pk=claim.run_id))
    try:
        for event in _child.events(timeout=STOP_SECONDS):
            if event.get("id") == str(claim.run_id) and event["event"] == "checkpoint":
                last.save(event)
    except EngineSilent:
        log.warning("run %s: the engine did not save within %g s", claim.run_id, STOP_SECONDS)


@dramatiq.actor(
    actor_name="render_sheet", queue_name="gpu", max_retries=2, time_limit=float("inf"), priority=10
)
def render_sheet(version_id: int) -> None:
    """Draw the preview sheet of a published upload with the installed base model of its family."""
    version = Version.objects.select_related("embedding", "base_model").filter(pk=version_id).first()
    if version is None or version.sheet_state == Version.SheetState.DONE:
        return
    base = freezing.base_for(version)
    if base is None:
        previews.mark(version_id, Version.SheetState.NONE)
        return
    previews.mark(version_id, Version.SheetState.RENDERING)
    with workspace.work_folder(f"sheet-{version_id}") as folder:
        try:
            sheet = draw(version, base, folder)
            previews.record_sheet(
                version_id=version_id,
                images=sheet["images"],
                sheet=finishing.composite(sheet),
                insights={key: sheet[key] for key in SAID_BY_SHEET if key in sheet},
            )
        except (EngineFault, EngineDied, EngineSilent) as error:
            _child.kill()
            log.error("sheet of version %d: %s", version_id, error)
            previews.mark(
                version_id=version_id,
                state=Version.SheetState.FAILED,
                message=str(error)[:280] if isinstance(error, EngineFault) else "The engine died.",
            )


def draw(version: Version, base: BaseModel, folder: Path) -> dict[str, Any]:
    """The engine's `sheet` event for a version. Raises EngineFault, EngineDied, EngineSilent."""
    _child.start()
    name = f"version-{version.pk}"
    _child.send(
        {
            "do": "sheet",
            "id": name,
            "base": base.folder,
            "embedding": str(workspace.write_embedding(version, folder)),
            "kind": version.embedding.kind,
            "trigger": version.trigger,
            "initializer": version.initializer or None,
            "workdir": str(folder),
            "growth": workspace.growth_of(version, folder),
            "prompts": workspace.prompts_of(version),
            "images": workspace.pictures_of(version, folder),
            "metrics": str(workspace.metrics_folder()),
            "cache": str(workspace.cache_folder()),
        }
    )
    for event in _child.events(timeout=SHEET_SILENCE):
        if event.get("id") != name:
            continue
        if event["event"] == "sheet":
            return event
        if event["event"] == "failed":
            raise EngineFault(event)
    raise EngineDied(-1, _child.log)


ticker.every(SWEEP_SECONDS, leases.requeue_lost_runs)
ticker.every(PURGE_SECONDS, pictures.purge)
ticker.every(MAIL_SECONDS, telling.send_due)
