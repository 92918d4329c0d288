"""One attempt at a run: feed the engine, turn its events into rows, keep the lease, stop in time.

Everything happens in one loop that wakes at least every second, so a dead supervisor renews nothing. Which
attempt may write is decided by the fence in the row, never by this process.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from hub.errors import Full, Unavailable
from hub.killpoints import kill_point
from trainer import workspace
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.models import TrainingRun
from trainer.services import finishing, leases, limits, recording, storing
from trainer.services.leases import Claim, LeaseLost

log = logging.getLogger(__name__)
State = TrainingRun.State

TICK: Final = 1.0
FLUSH_SECONDS: Final = 1.0
CANCEL_GRACE: Final = 10.0
# From the soft stop of a run that took too long to the hard one (rule J3).
LIMIT_GRACE: Final = 60.0
# A checkpoint that the store does not take is offered again this often, and for this long (section 17).
STORE_RETRY: Final = 15.0
STORE_PATIENCE: Final = 600.0
GROWTH_PICTURES: Final = 8
DATABASE_OUT: Final = (OperationalError, InterfaceError)


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
        self.last_beat = self.last_look = self.last_flush = time.monotonic()
        self.cancel_by: float | None = None
        self.over: limits.OverLimit | None = None
        self.over_by = 0.0
        self.began = time.monotonic()
        self.points: list[list[float | None]] = []
        self.latest: dict[str, Any] = {}
        self.unsaved: dict[str, Any] | None = None
        self.unsaved_since = self.retry_at = 0.0
        self.parts: set[str] = set()

    def work(self, folder: Path) -> None:
        """Take the run as far as it goes: train unless its vectors exist, then draw the sheet, then done.

        Raises Cancelled, LeaseLost, EngineFault, EngineDied, Full and Unavailable for `worker` to judge.
        """
        self.child.start()
        if self.run.version is None:
            result = self.command(self.training(folder))
            kill_point("K27")
            self.flush()
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
            self.take(event)
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
        if self.cancel_by is not None and now > self.cancel_by:
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
            if now - self.last_flush >= FLUSH_SECONDS:
                self.flush()
            if self.unsaved is not None and now >= self.retry_at:
                self.save(self.unsaved)
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
        if self.over is not None and now > self.over_by:
            self.child.kill()
            raise self.over
        if self.over is not None or self.run.version is not None:
            return
        limits.check_memory(workspace.memory_of(self.child.pid))
        self.over = limits.over_time(self.run.seconds + now - self.began)
        if self.over is not None:
            self.over_by = now + LIMIT_GRACE
            self.child.cancel(str(self.run.id))

    def take(self, event: dict[str, Any]) -> None:
        """Turn one event into rows. A database that is out costs points of the curve, not the run."""
        handler = {
            "preparing": self.prepare,
            "started": self.start,
            "progress": self.progress,
            "checkpoint": self.save,
            "preview": self.grow,
            "rendering": self.render,
            "note": self.note,
        }.get(event["event"])
        if handler is None:
            return
        try:
            handler(event)
        except DATABASE_OUT as error:
            close_old_connections()
            log.warning("run %s: %s not recorded: %s", self.run.id, event["event"], error)

    def prepare(self, event: dict[str, Any]) -> None:
        """The engine reads its base or pictures."""
        with leases.held(self.claim) as row:
            if row.state == State.PREPARING:
                recording.enter(
                    row, State.PREPARING, stage=str(event.get("text") or event.get("stage") or "")
                )

    def start(self, event: dict[str, Any]) -> None:
        """The first step is about to be made."""
        with leases.held(self.claim) as row:
            recording.enter(row, State.TRAINING)
            recording.add_event(
                row, "started", step=event.get("step", 0), prompts=event.get("prompts", [])[:50]
            )

    def progress(self, event: dict[str, Any]) -> None:
        """Keep a point of the curve until the next flush."""
        kill_point("K21")
        self.points.append([event["step"], event.get("loss"), event.get("fixed_loss"), event.get("lr")])
        self.latest = {key: value for key, value in event.items() if key not in ("event", "id")}

    def flush(self) -> None:
        """Write the points gathered since the last flush, at most once a second."""
        now = time.monotonic()
        if not self.points and self.run.state != State.PREVIEWING:
            return
        points, self.points = self.points, []
        with leases.held(self.claim) as row:
            recording.add_progress(
                row, points=points, latest=self.latest or row.progress, seconds=now - self.last_flush
            )
        self.last_flush = now

    def save(self, event: dict[str, Any]) -> None:
        """Put a checkpoint into the store and its row beside it; a store that is out is asked again later."""
        try:
            kill_point("K22")
            blob, parts = storing.checkpoint(event, known=self.parts)
        except (Unavailable, Full) as error:
            self.postpone(event, error)
            return
        except FileNotFoundError:
            log.warning("run %s: step %s is gone already, a later one follows", self.run.id, event["step"])
            return
        self.unsaved = None
        kill_point("K23")
        with leases.held(self.claim) as row:
            recording.add_checkpoint(row, step=event["step"], blob=blob, parts=parts)
            kill_point("K24")
            recording.drop_old_checkpoints(row)
        # Held by a row, so they cannot be collected before the next checkpoint names them again.
        self.parts = parts

    def postpone(self, event: dict[str, Any], error: Unavailable | Full) -> None:
        """Remember a checkpoint for later; raises the error when the store has been out for too long."""
        now = time.monotonic()
        if self.unsaved is None:
            self.unsaved_since = now
        if now - self.unsaved_since > STORE_PATIENCE:
            raise error
        self.unsaved, self.retry_at = event, now + STORE_RETRY
        log.warning("run %s: the store did not take step %s: %s", self.run.id, event["step"], error.message)

    def grow(self, event: dict[str, Any]) -> None:
        """Keep the small pictures of a step; they are worth no trouble when the store is out."""
        try:
            pictures = storing.pictures(event)
        except (Unavailable, Full) as error:
            log.warning("run %s: small pictures not kept: %s", self.run.id, error.message)
            return
        with leases.held(self.claim) as row:
            recording.add_growth(row, step=event["step"], pictures=pictures)

    def render(self, event: dict[str, Any]) -> None:
        """The sheet is being drawn."""
        with leases.held(self.claim) as row:
            done = {**row.progress, "pictures_done": event.get("done"), "pictures": event.get("total")}
            recording.add_progress(row, points=[], latest=done, seconds=time.monotonic() - self.last_flush)
        self.last_flush = time.monotonic()

    def note(self, event: dict[str, Any]) -> None:
        """Something the maker should know."""
        with leases.held(self.claim) as row:
            recording.add_event(row, "note", step=event.get("step"), text=str(event.get("text", ""))[:400])
