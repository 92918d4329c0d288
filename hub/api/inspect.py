"""`/inspect`: what a file is, as the page of that name says it, for programs; `/convert`: it in another layout."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from hub.api import asked
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import ConvertForm, InspectForm, InspectionShape
from hub.formats.inspection import row
from hub.services.versions import converting, inspecting
from hub.wire import files as wire_files
from hub.wire import uploads


@documented(
    "inspect",
    "What any file is.",
    method="POST",
    takes={"multipart/form-data": InspectForm},
    gives=InspectionShape,
    is_question=True,
)
@endpoint("POST", bucket="inspect", is_question=True)
def inspect(request: Request) -> HttpResponse:
    """The facts of the file in the form field `file`. A refused file is an answer too: `verdict` is `refuse`."""
    spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.file_ceiling())
    found = inspecting.what_is(viewer_of(request), path=spooled.path, filename=spooled.filename)
    return JsonResponse(_told(found, spooled))


@documented(
    "convert",
    "A file of your own in another layout; nothing of it is kept.",
    method="POST",
    takes={"multipart/form-data": ConvertForm},
    gives=None,
    file=True,
    is_question=True,
)
@endpoint("POST", bucket="inspect", is_question=True)
def convert(request: Request) -> HttpResponse:
    """The file in the form field `file`, with its `half` where it lies in two, as `layout` has it."""
    layout = asked.body(ConvertForm, asked.sent_form(request))["layout"]
    spooled = uploads.spool(request.FILES.get("file"))
    half = uploads.spool(request.FILES["half"], field="half") if "half" in request.FILES else None
    made = converting.upload_in(
        viewer_of(request),
        path=spooled.path,
        filename=spooled.filename,
        layout=layout,
        half=(half.path, half.filename) if half else None,
    )
    return wire_files.send_made(made)


def _told(found: inspecting.Inspection, spooled: uploads.Spooled) -> dict[str, Any]:
    """The record of `manage.py inspect`, and what a hub knows beside it."""
    facts = row(dict(found.facts)) if found.kind == "embedding" else row({})
    if found.kind != "embedding":
        refused = {"verdict": "refuse", "rule": found.rule or None, "message": found.message}
        facts |= {**refused, "encoders": [], "warnings": [], "digests": {"sha256": spooled.sha256}}
    return {
        "file": spooled.filename,
        "kind": found.kind,
        **facts,
        "code": found.code or None,
        "vectors": found.facts.get("vectors"),
        "token": found.facts.get("token"),
        "question": found.facts.get("question"),
        "metadata": dict(found.metadata),
        "statistics": [asdict(encoder) for encoder in found.encoders],
        "vocabulary_of": found.base_title or None,
        "loads": {one.tool: {"verdict": one.verdict, "note": one.note} for one in found.loads},
        "known": [asdict(one) for one in found.known],
        "alike": [asdict(one) for one in found.alike],
        "generation": _generation(found),
    }


def _generation(found: inspecting.Inspection) -> dict[str, Any] | None:
    """How a picture was made, and what the embeddings that it names are here."""
    if found.generation is None:
        return None
    said = asdict(found.generation)
    said["references"] = [asdict(one) for one in found.references]
    return said
