"""Having a hub learn a word through its API: pictures up, a run started, its events followed, its draft published."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from hub.client import remote
from hub.client.errors import ClientError, Exit, local, untrusted, usage
from hub.client.forms import Form
from hub.client.names import printable
from hub.client.pushing import once, sent
from hub.client.remote import field
from hub.client.transport import Call, Transport

# A file of this name's end is no picture but says what counts in one.
MASK: Final = ".mask"
PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
# A hub prepares each picture before it answers.
PATIENCE: Final = 600.0
# Two calls each time: half of what a hub allows one person to make.
PAUSE: Final = 1.2
BREAKS: Final = 20
MOST_OF_A_LINE: Final = 1 << 20
# Words of the hub for how a run stands, and what a person reads.
DONE: Final = "done"
LABELS: Final = {
    "queued": "waiting", "previewing": "drawing the preview sheet", "cancelled": "stopped",
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """How a run stands. `place` in line and `starts_in` while it waits, `left` while it learns, both in seconds.

    `says` is what has just happened, a sentence to keep; empty when only numbers have moved.
    """

    state: str
    embedding: str
    step: int
    steps: int
    is_over: bool
    stage: str = ""
    message: str = ""
    place: int | None = None
    starts_in: int | None = None
    left: int | None = None
    loss: float | None = None
    version: int | None = None
    has_draft: bool = False
    says: str = ""

    @property
    def label(self) -> str:
        """The state as people say it."""
        return LABELS.get(self.state, printable(self.state))


@dataclass(frozen=True)
class Started:
    """A run that the hub has taken, and what it remarks about the pictures and settings."""

    run: str
    remarks: list[str]


def pictures_of(paths: list[str]) -> list[Path]:
    """The pictures that files and folders on the command line mean, in order. ClientError when there are none."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES and one.is_file())
        else:
            found.append(path)
    found = [path for path in found if not path.stem.endswith(MASK)]
    if not found:
        message = f"There are no pictures ({', '.join(sorted(PICTURES))}) in {', '.join(paths)}."
        raise local("no_pictures", message)
    return list(dict.fromkeys(found))


def captions_of(pictures: list[Path]) -> dict[str, str]:
    """What the text files beside pictures say, by the names of the pictures. ClientError when one cannot be read."""
    found = {}
    for path in pictures:
        beside = path.with_suffix(".txt")
        if not beside.is_file():
            continue
        try:
            found[path.name] = beside.read_text("utf-8", errors="replace").strip()
        except OSError as error:
            raise local("unreadable", f"{beside}: {error.strerror}.") from None
    return found


def boxes_of(pictures: list[Path]) -> dict[str, list[float]]:
    """The parts to learn from that the `.focus` files beside pictures say. ClientError for one that is no box."""
    found = {}
    for path in pictures:
        beside = path.with_suffix(".focus")
        if not beside.is_file():
            continue
        try:
            shares = [float(part) for part in beside.read_text("utf-8").replace(",", " ").split()]
        except (OSError, ValueError):
            shares = []
        if len(shares) != 4:
            raise local(
                "no_box", f"{beside}: write four shares of the sides, 0 to 1: left, top, right, bottom."
            )
        found[path.name] = shares
    return found


def masks_of(pictures: list[Path]) -> list[Path]:
    """The masks that lie beside pictures: NAME.mask.png beside NAME.png."""
    return [mask for path in pictures if (mask := path.with_name(f"{path.stem}{MASK}.png")).is_file()]


def settings_of(pairs: list[str]) -> dict[str, str]:
    """Settings by name, as words: the hub knows which there are and what they may be."""
    split = [pair.partition("=") for pair in pairs]
    for name, equals, _ in split:
        if not (name and equals):
            raise usage(f"--set takes SETTING=VALUE, as in --set norm=soft, and not {name!a}.")
    return {name.strip(): value.strip() for name, _, value in split}


def start(
    transport: Transport,
    fields: Mapping[str, str],
    pictures: list[Path],
    *,
    told: Callable[[Path], object] = lambda _path: None,
) -> Started:
    """Start a run from pictures and the masks beside them.

    One key goes with all attempts, so that a lost answer does not start a second run.
    """
    files = [("pictures", path) for path in pictures] + [("masks", path) for path in masks_of(pictures)]
    form = Form(fields.items(), files, told=told)
    url = transport.url(f"{remote.API}/runs")
    record = transport.json(Call("POST", url, {**form.headers, **once()}, form, patience=PATIENCE))
    remarks = field(record, "warnings")
    said = [printable(one) for one in remarks] if isinstance(remarks, list) else []
    return Started(check_run(str(field(record, "id"))), said)


def check_run(text: str) -> str:
    """The id of a run. ClientError for anything else."""
    try:
        return str(UUID(text))
    except ValueError:
        raise untrusted(f"{text[:60]!a} is no id of a run.") from None


def follow(
    transport: Transport, run: str, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[State]:
    """The run as it changes, to its end: its numbers, and each thing that happened. Outlives a restart of the hub.

    Asked for again and again instead of listened to: a stream would hold one of the hub's few threads.
    """
    after, breaks, last = 0, 0, None
    while last is None or not last.is_over:
        try:
            # Whether it is over is read before the events, so that the last of them is told.
            last = _looked_at(transport, run, last)
            for number, event in _events(transport, run, after):
                after, last = number, _moved(last, event)
                if last.says:
                    yield last
            yield replace(last, says="")
            breaks = 0
        except ClientError as error:
            if error.exit_code != Exit.UNREACHABLE or last is None or breaks >= BREAKS:
                raise
            breaks += 1
            last = replace(last, is_over=False)
        if not last.is_over:
            sleep(PAUSE)


def cancel(transport: Transport, run: str) -> State:
    """Stop a run; what it has learned is kept. ClientError for one that is over."""
    return _state(transport.json(sent(transport, "POST", f"{_path(run)}/cancel", {})), None)


def publish(transport: Transport, run: str, *, notes: str) -> State:
    """Publish the draft of a run, or find that it was published. ClientError when there is none, or the hub refuses."""
    now = _looked_at(transport, run, None)
    if now.version is not None:
        return now
    record = transport.json(sent(transport, "POST", f"{_path(run)}/publish", {"notes": notes}))
    return _state(record, None)


def _path(run: str) -> str:
    return f"{remote.API}/runs/{run}"


def _looked_at(transport: Transport, run: str, before: State | None) -> State:
    """The run as the hub has it now, with what the events alone know."""
    return _state(transport.get(_path(run)), before)


def _state(record: Any, before: State | None) -> State:
    return State(
        state=str(field(record, "state")),
        embedding=printable(field(record, "embedding")),
        step=_number(field(record, "step")) or 0,
        steps=_number(field(record, "max_steps")) or 0,
        is_over=field(record, "is_over") is True,
        stage=printable(field(record, "stage")),
        message=printable(field(record, "message")),
        place=_number(field(record, "place_in_line")),
        starts_in=_number(field(record, "starts_in_seconds")),
        left=_number(field(record, "seconds_left")),
        loss=before.loss if before else None,
        version=_number(field(record, "version")),
        has_draft=field(record, "has_draft") is True,
    )


def _moved(state: State, event: Mapping[str, Any]) -> State:
    """The run after an event."""
    state = replace(state, says="")
    match event:
        case {"event": "points", "points": [*_, [_, loss, *_]]}:
            return replace(state, loss=loss if isinstance(loss, int | float) else None)
        case {"event": "note", "text": str() as text}:
            return replace(state, says=printable(text))
        case {"event": "state", "state": str() as name}:
            again = event.get("attempt")
            more = f" again, attempt {again}" if isinstance(again, int) and again > 1 else ""
            said = f"{LABELS.get(name, printable(name)).capitalize()}{more}."
            return replace(state, says=f"{said} {printable(event.get('message') or '')}".strip())
        case _:
            return state


def _events(transport: Transport, run: str, after: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The events after a number so far, each with its own."""
    url = transport.url(f"{_path(run)}/events", {"form": "lines", "after": str(after)})
    with transport.opened(Call("GET", url, {"Accept": "application/x-ndjson"})) as response:
        while line := response.readline(MOST_OF_A_LINE):
            event = _event(line)
            yield _number(field(event, "sequence")) or 0, event


def _event(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise untrusted("The events of the hub are no JSON. Is this client new enough?") from None
    return found if isinstance(found, dict) else {}


def _number(value: Any) -> int | None:
    if value is None or (
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12
    ):
        return None if value is None else int(value)
    raise untrusted("The answer of the hub has no number where one belongs.")
