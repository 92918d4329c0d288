"""One attempt at a run: feed the engine, have its events recorded, keep the lease, stop in time.

Everything happens in one loop that wakes at least every second, so a dead supervisor renews nothing. Which
attempt may write is decided by the fence in the row, never by this process.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import close_old_connections

from hub.killpoints import kill_point
from trainer import workspace
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.models import TrainingRun
from trainer.recorder import DATABASE_OUT, Recorder
from trainer.services import finishing, leases, limits
from trainer.services.leases import Claim, LeaseLost

log = logging.getLogger(__name__)

TICK: Final = 1.0
CANCEL_GRACE: Final = 10.0
# From the soft stop of a run that took too long to the hard one (rule J3).
LIMIT_GRACE: Final = 60.0
GROWTH_PICTURES: Final = 8


class Cancelled(Exception):
    """The owner stopped the run and the engine has obeyed, or was made to."""


class EngineFault(Exception):
    """The engine says that it cannot go on."""

    def __init__(self, event: dict[str, Any]) -> None:
        super().__init__(event.get("message", ""))
        self.event = event


class Attempt:
    """A claimed run in the hands of this worker."""

    def __init__(self, child: EngineChild, claim: Claim) -> None:
        self.child = child
        self.claim = claim
        self.run = TrainingRun.objects.select_related(
            "base_model", "created_by", "version", "embedding__owner"
        ).get(pk=claim.run_id)
        self.lease_seconds = float(settings.HUB["HUB_LEASE_SECONDS"])
        self.recorder = Recorder(claim, self.run)
        self.last_beat = self.last_look = time.monotonic()
        self.cancel_by: float | None = None
        self.over: limits.OverLimit | None = None
        self.over_by = 0.0
        self.began = time.monotonic()

    def work(self, folder: Path) -> None:
        """Take the run as far as it goes: train unless its vectors exist, then draw the sheet, then done.

        Raises Cancelled, LeaseLost, EngineFault, EngineDied, Full and Unavailable for `worker` to judge.
        """
        self.child.start()
        if self.run.version is None:
            result = self.command(self.training(folder))
            kill_point("K27")
            self.recorder.flush()
            finishing.keep_result(self.claim, self.run, result)
            self.run.refresh_from_db()
        sheet = self.command(self.drawing(folder))
        finishing.keep_sheet(self.claim, self.run, sheet)

    def training(self, folder: Path) -> dict[str, Any]:
        """The `train` command: on from the newest good checkpoint, if there is one."""
        resume = workspace.write_checkpoint(self.run, folder)
        return {
            "do": "train",
            "id": str(self.run.id),
            "base": self.run.base_model.folder,
            "recipe": self.run.recipe,
            "images": workspace.write_pictures(self.run, folder),
            "workdir": str(folder),
            "resume": str(resume) if resume else None,
            "start": workspace.write_start(self.run, folder),
            "preview_every": max(self.run.max_steps // GROWTH_PICTURES, 1),
            "board": workspace.board_folder(self.run),
        }

    def drawing(self, folder: Path) -> dict[str, Any]:
        """The `sheet` command for the run's draft."""
        assert self.run.version is not None
        return {
            "do": "sheet",
            "id": str(self.run.id),
            "base": self.run.base_model.folder,
            "embedding": str(workspace.write_embedding(self.run.version, folder)),
            "kind": self.run.recipe["kind"],
            "trigger": self.run.trigger,
            "initializer": self.run.recipe["initializer"] or None,
            "workdir": str(folder),
            "growth": workspace.write_snapshots(self.run, folder),
            "prompts": self.run.recipe.get("preview_prompts"),
            "images": workspace.write_pictures(self.run, folder),
            "metrics": str(workspace.metrics_folder()),
            "cache": str(workspace.cache_folder()),
        }

    def command(self, command: dict[str, Any]) -> dict[str, Any]:
        """Have the engine do it; the event that ends it. Raises as `work` says."""
        self.keep_alive()
        self.child.send(command)
        kill_point("K20")
        for event in self.listen():
            self.recorder.take(event)
            if event["event"] in ("result", "sheet"):
                return event
            if event["event"] == "stopped":
                if self.over is not None and self.cancel_by is None:
                    raise self.over
                # Unless its owner stopped the run, the engine was told to end by somebody else.
                raise EngineDied(0, self.child.log) if self.cancel_by is None else Cancelled
            if event["event"] == "failed":
                raise EngineFault(event)
        raise EngineDied(-1, self.child.log)

    def listen(self) -> Iterator[dict[str, Any]]:
        """Events of this run; at least once a second lease and owner's wish are seen to."""
        while True:
            try:
                for event in self.child.events(timeout=TICK):
                    self.keep_alive()
                    if event.get("id") in (None, str(self.run.id)):
                        yield event
            except EngineSilent:
                self.keep_alive()

    def keep_alive(self) -> None:
        """Renew the lease, look for a cancel, flush points, retry a checkpoint. LeaseLost, Cancelled."""
        now = time.monotonic()
        if self.cancel_by is not None and (now > self.cancel_by or self.child.is_deaf):
            self.child.kill()
            raise Cancelled
        self.hold_to_limits(now)
        try:
            if now - self.last_beat >= self.lease_seconds / 4:
                kill_point("K25")
                leases.beat(self.claim)
                self.last_beat = now
            if now - self.last_look >= TICK:
                self.last_look = now
                self.look()
            self.recorder.catch_up(now)
        except DATABASE_OUT as error:
            close_old_connections()
            log.warning("run %s: the database does not answer: %s", self.run.id, error)
            if now - self.last_beat > self.lease_seconds * 3 / 4:
                raise LeaseLost(str(self.run.id)) from None

    def look(self) -> None:
        """Pass the owner's wish to stop on to the engine, once."""
        if leases.is_cancelled(self.claim) and self.cancel_by is None:
            self.cancel_by = time.monotonic() + CANCEL_GRACE
            kill_point("K33")
            self.child.cancel(str(self.run.id))

    def hold_to_limits(self, now: float) -> None:
        """Have an engine save and stop when the run took too long; end one that does not, or grows too big (J3)."""
        if self.over is not None and (now > self.over_by or self.child.is_deaf):
            self.child.kill()
            raise self.over
        if self.over is not None or self.run.version is not None:
            return
        limits.check_memory(workspace.memory_of(self.child.pid))
        self.over = limits.over_time(self.run.seconds + now - self.began)
        if self.over is not None:
            self.over_by = now + LIMIT_GRACE
            self.child.cancel(str(self.run.id))
