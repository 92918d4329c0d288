"""Having a hub learn a word: pictures up, a run started, its events followed, its draft published.

The hub's own training pages are asked, with the token. A form that is refused comes back as a page; what it says beside
its fields is taken out of it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from hub.client.errors import ClientError, Exit, local, untrusted
from hub.client.names import printable
from hub.client.pushing import multipart
from hub.client.remote import field
from hub.client.transport import Call, Transport

PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
PAUSE: Final = 2.0
# Words of the hub for the end of a run.
DONE: Final = "done"


@dataclass(frozen=True)
class State:
    """How a run stands: its state, a sentence about it, the step it is at, the newest loss."""

    state: str
    label: str
    says: str
    step: int
    steps: int
    loss: float | None
    left: int | None
    is_over: bool


def pictures_of(paths: list[str]) -> list[Path]:
    """The pictures that files and folders on the command line mean, in order. ClientError when there are none."""
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES and one.is_file())
        else:
            found.append(path)
    if not found:
        message = f"There are no pictures ({', '.join(sorted(PICTURES))}) in {', '.join(paths)}."
        raise local("no_pictures", message)
    return found


def add_picture(transport: Transport, path: Path) -> tuple[str, list[str]]:
    """Send a picture for the next run; its id, and what the hub remarks about it."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None
    kind, body = multipart({}, {"picture": (path.name, data)})
    headers = {"Content-Type": kind, "Accept": "application/json"}
    # The same picture twice is one picture to the hub, so this may be made again.
    record = transport.json(Call("POST", transport.url("train/pictures"), headers, body))
    remarks = field(record, "warnings")
    return str(field(record, "id")), [printable(one) for one in remarks] if isinstance(remarks, list) else []


def submit(transport: Transport, fields: Mapping[str, str], pictures: list[str], *, key: UUID) -> str:
    """Start a run; its id. The same key again is the same run."""
    pairs = [*fields.items(), ("key", str(key)), ("consent", "on"), *(("picture", one) for one in pictures)]
    response = _form(transport, "train", pairs)
    found = urlsplit(response).path.rstrip("/").rpartition("/")[2]
    return check_run(found)


def check_run(text: str) -> str:
    """The id of a run. ClientError for anything else."""
    try:
        return str(UUID(text))
    except ValueError:
        raise untrusted(f"{text[:60]!a} is no id of a run.") from None


def follow(
    transport: Transport, run: str, *, sleep: Callable[[float], object] = time.sleep
) -> Iterator[State]:
    """The run as it changes, to its end."""
    last: Any = None
    while True:
        record = transport.get(f"runs/{run}/events", {"after": str(last)} if last is not None else None)
        points = field(record, "points")
        last = field(record, "last") if points else last
        state = _state(record, points if isinstance(points, list) else [])
        yield state
        if state.is_over:
            return
        sleep(PAUSE)


def publish(transport: Transport, run: str, *, notes: str) -> str:
    """Publish the draft of a run; the path of its page. ClientError when the hub does not."""
    location = _form(transport, f"runs/{run}/publish", [("notes", notes)])
    path = urlsplit(location).path.strip("/")
    if path.startswith("runs/"):
        message = f"The draft was not published; {transport.url(f'runs/{run}')} says why."
        raise ClientError(Exit.REFUSED, "not_published", message)
    return path


def _form(transport: Transport, path: str, pairs: list[tuple[str, str]]) -> str:
    """Send a form; where its answer leads."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    call = Call("POST", transport.url(path), headers, urlencode(pairs).encode())
    call = replace(call, stays=True, explains=refusal_of)
    with transport.opened(call) as response:
        transport.whole(response)
        location = response.headers.get("Location")
    if not location:
        raise untrusted(f"{transport.hub} takes the form and leads nowhere.")
    return str(location)


def refusal_of(page: str) -> str:
    """What a page of the hub says beside the fields of a refused form, as one text."""
    reader = _Refusals()
    reader.feed(page)
    said = [" ".join(text.split()) for text in reader.found]
    return " ".join(dict.fromkeys(text for text in said if text))


class _Refusals(HTMLParser):
    """Collects the texts of `<ul class="errorlist">` and of what has the role alert."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_refusal = "errorlist" in (values.get("class") or "").split() or values.get("role") == "alert"
        if self._depth or is_refusal:
            self._depth += tag not in ("br", "img", "input", "hr", "meta", "link")
            self.found += [""] if is_refusal or tag == "li" else []

    def handle_endtag(self, tag: str) -> None:
        self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.found[-1] += data


def _state(record: Any, points: list[Any]) -> State:
    newest = points[-1] if points else None
    loss = newest[1] if isinstance(newest, list) and len(newest) > 1 else None
    left = field(record, "left")
    return State(
        state=str(field(record, "state")),
        label=printable(field(record, "label")),
        says=printable(record.get("says") or ""),
        step=int(record.get("step") or 0),
        steps=int(record.get("steps") or 0),
        loss=float(loss) if isinstance(loss, int | float) else None,
        left=int(left) if isinstance(left, int | float) else None,
        is_over=bool(field(record, "over")),
    )
