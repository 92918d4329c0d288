"""`/runs`: starting a run, following it, stopping it, going on from it, publishing what it learned."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.datastructures import MultiValueDict
from rest_framework.request import Request

from hub.api import asked, pages, payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.catalog import teams
from hub.errors import Conflict
from hub.models import Version
from hub.services.versions import publishing
from hub.wire import uploads
from hub.wire.idempotency import once
from trainer import runs as reads
from trainer.api.shapes import GoOnForm, NewRunForm, PublishForm, RunShape, RunsShape
from trainer.models import TrainingRun
from trainer.services import continuing, submitting
from trainer.services.submission import Submission

# What of a new run is files.
FILES = ("pictures", "masks")


@documented(
    "listRuns", "Your runs and those of your teams, newest first.", asks=pages.PageQuery, gives=RunsShape
)
@documented(
    "startRun", "Learn a word from pictures.", method="POST", takes={"multipart/form-data": NewRunForm}, gives=RunShape,
    status=201,
)  # fmt: skip
@endpoint("GET", "POST")
@once
def runs(request: Request) -> HttpResponse:
    """The runs, or a new one."""
    return _start(request) if request.method == "POST" else _list(request)


@documented("getRun", "One run.", gives=RunShape)
@endpoint("GET")
def run(request: Request, run_id: UUID) -> HttpResponse:
    """One run as it stands."""
    return json_answer(request._request, told(request._request, _found(request, run_id)))


@documented(
    "cancelRun",
    "Stop it after the step it is at; what it has learned is kept.",
    method="POST",
    gives=RunShape,
)
@endpoint("POST")
@once
def cancel(request: Request, run_id: UUID) -> HttpResponse:
    """Stop a run."""
    stopped = submitting.cancel(viewer_of(request), run=_found(request, run_id))
    return json_answer(request._request, told(request._request, _found(request, stopped.pk)))


@documented(
    "goOnFromRun",
    "A new run that goes on from a kept step.",
    method="POST",
    takes={"application/json": GoOnForm},
    gives=RunShape,
    status=201,
)
@endpoint("POST")
@once
def go_on(request: Request, run_id: UUID) -> HttpResponse:
    """Go on from a kept step of an ended run."""
    viewer, fields = viewer_of(request), asked.body(GoOnForm, request.data)
    made = continuing.go_on(viewer, run=_found(request, run_id), **fields)
    return json_answer(request._request, told(request._request, _found(request, made.pk)), status=201)


@documented(
    "publishRun",
    "Publish the draft that it left.",
    method="POST",
    takes={"application/json": PublishForm},
    gives=RunShape,
)
@endpoint("POST")
@once
def publish(request: Request, run_id: UUID) -> HttpResponse:
    """Publish what a run has learned."""
    notes = asked.body(PublishForm, request.data)["notes"]
    found = _found(request, run_id)
    if found.version is None:
        raise Conflict("state_conflict", "This run has no draft to publish.")
    publishing.publish(viewer_of(request), version=found.version, notes=notes)
    return json_answer(request._request, told(request._request, _found(request, run_id)))


def told(request: HttpRequest, row: TrainingRun) -> dict[str, Any]:
    """RunShape."""
    return _record(request, row, reads.outlooks([row])[row.pk])


def _record(request: HttpRequest, row: TrainingRun, outlook: reads.Outlook) -> dict[str, Any]:
    standing, left, version = outlook.standing, outlook.seconds_left, row.version
    return {
        "id": row.id,
        "embedding": row.embedding.full_name,
        "state": row.state,
        "is_over": row.is_over,
        "stage": row.stage,
        "message": row.message,
        "fault": row.fault,
        "base_model": row.base_model.name,
        "trigger": row.recipe["trigger"],
        "kind": row.recipe["kind"],
        "step": row.step,
        "max_steps": row.max_steps,
        "place_in_line": standing.place if standing else None,
        "starts_in_seconds": round(standing.starts_in)
        if standing and standing.starts_in is not None
        else None,
        "seconds_left": round(left) if left is not None else None,
        "kept_steps": outlook.kept_steps,
        "recipe": row.recipe,
        "warnings": row.warnings,
        "created": row.created_at,
        "version": version.number if version is not None else None,
        "draft": _draft(request, row),
        "has_draft": version is not None and version.state == Version.State.DRAFT,
        "tells_by_mail": row.tell_by_mail,
        "page": payloads.address(request, "run", row.id),
        "url": payloads.address(request, "api_run", row.id),
        "events": payloads.address(request, "api_run_events", row.id),
    }


def _draft(request: HttpRequest, row: TrainingRun) -> str | None:
    if row.version is None or row.version.state != Version.State.DRAFT:
        return None
    of = row.embedding
    return payloads.address(request, "api_draft", of.owner.name, of.name, row.version.pk)


def _list(request: Request) -> HttpResponse:
    given = asked.query(pages.PageQuery, request.GET.dict())
    rows = reads.list_runs(viewer_of(request))
    shown, following = pages.taken(request._request, rows, given, key=UUID)
    outlooks = reads.outlooks(shown)
    return pages.answered(
        request._request, [_record(request._request, one, outlooks[one.pk]) for one in shown], following
    )


def _start(request: Request) -> HttpResponse:
    given: Any = request.data
    if request.FILES:
        given = MultiValueDict(given)
        for name in FILES:
            given.setlist(name, request.FILES.getlist(name))
    fields = asked.body(NewRunForm, given)
    for name in FILES:
        spooled = [uploads.spool(file, field=name) for file in request.FILES.getlist(name)]
        fields[name] = [(one.path, one.filename) for one in spooled]
    fields["owner"] = teams.owner(viewer_of(request), name=fields["owner"], act="start_run")
    fields["trigger"] = fields["trigger"] or fields["name"]
    fields["title"] = fields["title"] or fields["name"]
    form = Submission(may_shrink=True, **fields)
    made = submitting.submit(viewer_of(request), form=form)
    content = told(request._request, _found(request, made.pk))
    response = json_answer(request._request, content, status=201)
    response["Location"] = content["url"]
    return response


def _found(request: Request, run_id: UUID) -> TrainingRun:
    return reads.get(viewer_of(request), run_id=run_id)
