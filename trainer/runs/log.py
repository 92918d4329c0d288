"""What happened in a run, in order: for the page, for a file, for a program that listens."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trainer.models import TrainingRun

KINDS = ("state", "started", "note", "growth", "points")


@dataclass(frozen=True)
class Event:
    """One thing that happened: its number in the run, when, which of KINDS, and its facts."""

    sequence: int
    at: datetime
    kind: str
    data: dict[str, Any]

    def line(self) -> str:
        """The event as one line of JSON, without the end of the line."""
        facts = {"sequence": self.sequence, "at": self.at.isoformat(), "event": self.kind, **self.data}
        return json.dumps(facts, ensure_ascii=False)


def list_events(run: TrainingRun, *, after: int = 0, kinds: Collection[str] = KINDS) -> list[Event]:
    """Events of these kinds with a greater sequence number than `after`, in order."""
    return list(_events(run, after, kinds))


def event_lines(run: TrainingRun, *, after: int = 0, kinds: Collection[str] = KINDS) -> Iterator[str]:
    """The same as JSON lines, each with its line end, read from the database as they are asked for.

    To follow a run, ask again with the last `sequence` until the run `is_over` and nothing new comes.
    """
    for event in _events(run, after, kinds):
        yield event.line() + "\n"


def say(event: Event) -> str:
    """The event as a sentence; empty for one that only programs need."""
    data = event.data
    match event.kind:
        case "state":
            said = TrainingRun.State(data["state"]).label.capitalize()
            again = f" again, attempt {data['attempt']}" if data.get("attempt", 1) > 1 else ""
            return f"{said}{again}. {data.get('message') or ''}".strip()
        case "started":
            step = data.get("step", 0)
            return f"The first step after step {step:,} begins." if step else "The first step begins."
        case "note":
            return str(data.get("text", ""))
        case _:
            return ""


def _events(run: TrainingRun, after: int, kinds: Collection[str]) -> Iterator[Event]:
    found = run.events.filter(sequence__gt=after, kind__in=list(kinds)).order_by("sequence")
    for row in found.values_list("sequence", "created_at", "kind", "data").iterator():
        yield Event(*row)
