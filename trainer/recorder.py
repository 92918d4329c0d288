"""What the engine says of a run becomes rows: stages, points of the curve, checkpoints, small pictures, notes.

Every write goes through the claim of one attempt, so an attempt that lost its run writes nothing.
"""

import logging
import time
from typing import Any, Final

from django.db import InterfaceError, OperationalError, close_old_connections

from hub.errors import Full, Unavailable
from hub.killpoints import kill_point
from trainer.models import TrainingRun
from trainer.services import leases, recording, storing
from trainer.services.leases import Claim

log = logging.getLogger(__name__)
State = TrainingRun.State

FLUSH_SECONDS: Final = 1.0
# A checkpoint that the store does not take is offered again this often, and for this long (section 17).
STORE_RETRY: Final = 15.0
STORE_PATIENCE: Final = 600.0
DATABASE_OUT: Final = (OperationalError, InterfaceError)


class Recorder:
    """Takes the events of one attempt. LeaseLost from any of its writes."""

    def __init__(self, claim: Claim, run: TrainingRun) -> None:
        self.claim = claim
        self.run = run
        self.last_flush = time.monotonic()
        self.points: list[list[float | None]] = []
        self.latest: dict[str, Any] = {}
        self.unsaved: dict[str, Any] | None = None
        self.unsaved_since = self.retry_at = 0.0
        self.parts: set[str] = set()

    def catch_up(self, now: float) -> None:
        """What is due by now: points that wait, a checkpoint that the store did not take."""
        if now - self.last_flush >= FLUSH_SECONDS:
            self.flush()
        if self.unsaved is not None and now >= self.retry_at:
            self.save(self.unsaved)

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
