"""`/runs/{id}/events`: what happens in a run, as JSON, as JSON lines, or as server-sent events."""

import json
import time
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from trainer import runs
from trainer.api.shapes import EventsQuery, EventsShape
from trainer.models import TrainingRun

# A stream holds a thread of the site: it ends after a while, and clients of server-sent events come back by themselves.
LONGEST_SECONDS: Final = 30.0
PAUSE_SECONDS: Final = 1.0
MOST: Final = 1_000


@documented(
    "runEvents",
    "What happened in a run.",
    asks=EventsQuery,
    gives=EventsShape,
    streams={"application/x-ndjson": OpenApiTypes.STR, "text/event-stream": OpenApiTypes.OBJECT},
)
@endpoint("GET")
def events(request: Request, run_id: UUID) -> Any:
    """Events after a number, at once or as they come."""
    given = asked.query(EventsQuery, request.GET.dict())
    run = runs.get(viewer_of(request), run_id=run_id)
    if given["form"] == "stream":
        return _stream(run, _last_seen(request, given["after"]))
    if given["form"] == "lines":
        return StreamingHttpResponse(
            runs.event_lines(run, after=given["after"]), content_type="application/x-ndjson; charset=utf-8"
        )
    # Whether it is over is read first: what is written after that is asked for again.
    is_over = run.is_over
    found = runs.list_events(run, after=given["after"])[:MOST]
    items = [json.loads(one.line()) for one in found]
    last = found[-1].sequence if found else given["after"]
    content = {"items": items, "last": last, "is_over": is_over and len(found) < MOST}
    return json_answer(request._request, content)


def _last_seen(request: Request, after: int) -> int:
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else after


def _stream(run: TrainingRun, after: int) -> HttpResponse:
    response: Any = StreamingHttpResponse(_told(run, after), content_type="text/event-stream; charset=utf-8")
    response["X-Accel-Buffering"] = "no"
    return response


def _told(run: TrainingRun, after: int) -> Iterator[str]:
    """Events as they come, a beat in between, and `end` once the run is over and all is told."""
    ends = time.monotonic() + LONGEST_SECONDS
    yield "retry: 1000\n\n"
    while time.monotonic() < ends:
        run.refresh_from_db(fields=["state"])
        is_over, told = run.is_over, False
        for event in runs.list_events(run, after=after):
            after, told = event.sequence, True
            yield f"id: {event.sequence}\nevent: {event.kind}\ndata: {event.line()}\n\n"
        if is_over and not told:
            yield f'event: end\ndata: {{"state": "{run.state}"}}\n\n'
            return
        if not told:
            yield ": beat\n\n"
            time.sleep(PAUSE_SECONDS)
