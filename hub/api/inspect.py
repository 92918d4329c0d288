"""`POST /api/hub/v1/inspect`: what a file is, as the page `/inspect` says it, for programs."""

from dataclasses import asdict
from typing import Any

from django.http import HttpResponse, JsonResponse
from rest_framework.request import Request

from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import InspectForm, InspectionShape
from hub.formats.inspection import row
from hub.services import inspecting
from hub.wire import uploads


@documented(
    "inspect",
    "What any file is.",
    method="POST",
    takes={"multipart/form-data": InspectForm},
    gives=InspectionShape,
)
@endpoint("POST", bucket="inspect", is_question=True)
def inspect(request: Request) -> HttpResponse:
    """The facts of the file in the form field `file`. A refused file is an answer too: `verdict` is `refuse`."""
    spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.file_ceiling())
    found = inspecting.what_is(viewer_of(request), path=spooled.path, filename=spooled.filename)
    return JsonResponse(_told(found, spooled))


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
