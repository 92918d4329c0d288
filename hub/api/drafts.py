"""`/drafts` and `/embeddings/{owner}/{name}/drafts`: seen, made from a file, described, published, thrown away."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.api import asked, payloads, versions
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.draft_shapes import DraftForm, DraftShape, DraftsShape, LastWordForm
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import PageQuery, page
from hub.api.shapes import NewVersionForm, VersionShape
from hub.catalog import drafts as reads
from hub.catalog import resolve
from hub.models import Version
from hub.services.embeddings import bases
from hub.services.versions import drafting, publishing
from hub.wire.idempotency import once


@documented("listDrafts", "All your drafts.", asks=PageQuery, gives=DraftsShape)
@endpoint("GET")
def all_drafts(request: Request) -> HttpResponse:
    """The drafts of all embeddings."""
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.list_own(viewer_of(request)).prefetch_related("previews")
    return page(request._request, rows, given, lambda row: told(request._request, row))


@documented("listDraftsOf", "Your drafts of one embedding.", asks=PageQuery, gives=DraftsShape)
@documented(
    "createDraft",
    "Keep a file as a draft, to be looked at before it is published.",
    method="POST",
    takes={"multipart/form-data": NewVersionForm},
    gives=DraftShape,
    status=201,
    refuses=(410,),
)
@endpoint("GET", "POST")
@once
def drafts(request: Request, owner: str, name: str) -> HttpResponse:
    """The drafts of an embedding, or a new one."""
    viewer = viewer_of(request)
    if request.method == "POST":
        row = resolve.own(viewer, owner=owner, name=name, act="publish_version")
        made = drafting.add_file(viewer, embedding=row, **asked.file_and_fields(NewVersionForm, request))
        content = told(request._request, made)
        response = json_answer(request._request, content, status=201)
        response["Location"] = content["url"]
        return response
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.of_embedding(viewer, owner=owner, name=name).prefetch_related("previews")
    return page(request._request, rows, given, lambda one: told(request._request, one))


@documented("getDraft", "One of your drafts.", gives=DraftShape)
@documented(
    "updateDraft",
    "Change what is said of it.",
    method="PATCH",
    takes={"application/json": DraftForm},
    gives=DraftShape,
    refuses=(410, 412),
)
@documented("discardDraft", "Throw it away.", method="DELETE", gives=None, status=204, refuses=(410, 412))
@endpoint("GET", "PATCH", "DELETE")
def draft(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """One draft: read, described anew, or thrown away."""
    viewer = viewer_of(request)
    if request.method in ("GET", "HEAD"):
        row = reads.own(viewer, owner=owner, name=name, number=number, act="see_draft")
        return json_answer(request._request, told(request._request, row))
    row = reads.own(viewer, owner=owner, name=name, number=number, act="publish_version")
    check_unchanged(request._request, lambda: told(request._request, row))
    if request.method == "DELETE":
        publishing.discard_draft(viewer, version=row)
        return HttpResponse(status=204)
    changes = asked.body(DraftForm, request.data)
    if changes.get("base_model"):
        changes["base_model"] = bases.claimed(changes["base_model"])
    row = drafting.describe(viewer, version=row, **changes)
    return json_answer(request._request, told(request._request, row))


@documented(
    "publishDraft",
    "Freeze it as the next version; harmless to repeat.",
    method="POST",
    takes={"application/json": LastWordForm},
    gives=VersionShape,
    status=201,
    repeats=True,
    refuses=(410, 412),
)
@endpoint("POST")
@once
def publish(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """The version that a draft becomes, or has become."""
    viewer = viewer_of(request)
    words = asked.body(LastWordForm, request.data)
    made = reads.published(viewer, owner=owner, name=name, number=number)
    is_new = made is None
    if made is None:
        row = reads.own(viewer, owner=owner, name=name, number=number, act="publish_version")
        check_unchanged(request._request, lambda: told(request._request, row))
        made = publishing.publish(viewer, version=row, **words)
    return versions.published(request, made, is_new=is_new)


def told(request: HttpRequest, row: Version) -> dict[str, Any]:
    """DraftShape."""
    place = (row.embedding.owner.name, row.embedding.name, row.pk)
    return {
        "id": row.pk,
        "embedding": row.embedding.full_name,
        "state": row.state,
        "trigger": row.trigger,
        "family": row.family,
        "base_model": row.base_model.name if row.base_model else None,
        "vectors_per_token": row.vectors,
        "encoders": row.encoders,
        "licence": row.licence,
        "notes": row.notes,
        "label": row.label,
        "initializer": row.initializer,
        "warnings": row.warnings,
        "created": row.created_at,
        "is_trained_here": row.run_key is not None,
        "tensor_digest": row.tensor_digest,
        "sheet_state": row.sheet_state,
        "sheet_message": row.sheet_message,
        "insights": row.insights,
        "pictures": payloads.shown_pictures(request, row),
        "page": payloads.address(request, "draft", *place),
        "url": payloads.address(request, "api_draft", *place),
    }
