"""`/embeddings`: the list, one embedding, making it, describing it, deleting it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import following_page
from hub.api.shapes import (
    DetailsForm,
    EmbeddingsShape,
    ListQuery,
    NewEmbeddingForm,
    RenameForm,
    WholeEmbeddingShape,
)
from hub.catalog import resolve, shelves, stamps, teams, whole
from hub.models import Embedding
from hub.services.embeddings import renaming
from hub.services.versions import publishing
from hub.wire.idempotency import once
from hub.wire.remembered import remembered


@documented("listEmbeddings", "Search and list embeddings.", asks=ListQuery, gives=EmbeddingsShape)
@documented(
    "createEmbedding",
    "Make an embedding without a version.",
    method="POST",
    takes={"application/json": NewEmbeddingForm},
    gives=WholeEmbeddingShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def embeddings(request: Request) -> HttpResponse:
    """The list, or a new entry in it."""
    return _create(request) if request.method == "POST" else _list(request)


@documented("getEmbedding", "One embedding.", gives=WholeEmbeddingShape)
@documented(
    "updateEmbedding",
    "Change what its owner says of it.",
    method="PATCH",
    takes={"application/json": DetailsForm},
    gives=WholeEmbeddingShape,
    refuses=(410, 412),
)
@documented(
    "deleteEmbedding",
    "Delete it with all versions.",
    method="DELETE",
    gives=None,
    status=204,
    refuses=(410, 412),
)
@remembered(stamps.of_name)
@endpoint("GET", "PATCH", "DELETE")
def embedding(request: Request, owner: str, name: str) -> HttpResponse:
    """One embedding: read, described anew, or deleted."""
    viewer = viewer_of(request)
    if request.method in ("GET", "HEAD"):
        return json_answer(request._request, _whole(request._request, viewer, owner, name))
    row = resolve.own(viewer, owner=owner, name=name, act="edit_card")
    check_unchanged(request._request, lambda: _whole(request._request, viewer, owner, name))
    if request.method == "DELETE":
        publishing.delete_embedding(viewer, embedding=row)
        return HttpResponse(status=204)
    changes = asked.body(DetailsForm, request.data)
    publishing.update_details(viewer, embedding=row, **changes)
    return json_answer(request._request, _told(request._request, viewer, row.pk))


@documented(
    "renameEmbedding",
    "Give it another name; the old one leads to it and stays yours. Harmless to repeat.",
    method="POST",
    takes={"application/json": RenameForm},
    gives=WholeEmbeddingShape,
    refuses=(410, 412),
)
@endpoint("POST")
@once
def rename(request: Request, owner: str, name: str) -> HttpResponse:
    """The same embedding under another name."""
    viewer = viewer_of(request)
    row = resolve.own(viewer, owner=owner, name=name, act="rename")
    check_unchanged(request._request, lambda: _whole(request._request, viewer, owner, name))
    row = renaming.rename(viewer, embedding=row, name=asked.body(RenameForm, request.data)["name"])
    response = json_answer(request._request, _told(request._request, viewer, row.pk))
    response["Location"] = payloads.address(request._request, "api_embedding", row.owner.name, row.name)
    return response


def _list(request: Request) -> HttpResponse:
    given = asked.query(ListQuery, request.GET.dict())
    question = shelves.Question(
        query=given["q"],
        owner=given["owner"],
        tag=given["tag"],
        kind=given.get("kind", ""),
        family=given.get("family", ""),
        licence=given.get("licence", ""),
        trained_here=given["trained_here"],
        sort="newest" if given["sort"] == "best" else given["sort"],
        by_fit=given["sort"] == "best",
        cursor=given["cursor"],
        limit=given["limit"],
    )
    found = shelves.list_shelves(viewer_of(request), question=question)
    items = [payloads.embedding(request._request, one.embedding, one.versions[0]) for one in found.items]
    following = following_page(request._request, found.next) if found.next else None
    response = json_answer(request._request, {"items": items, "next": following})
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return response


def _create(request: Request) -> HttpResponse:
    viewer = viewer_of(request)
    fields = asked.body(NewEmbeddingForm, request.data)
    fields["title"] = fields["title"] or fields["name"]
    fields["owner"] = teams.owner(viewer, name=fields["owner"], act="create_embedding")
    row = publishing.create_embedding(viewer, **fields)
    response = json_answer(request._request, _told(request._request, viewer, row.pk), status=201)
    response["Location"] = payloads.address(request._request, "api_embedding", row.owner.name, row.name)
    return response


def _whole(request: HttpRequest, viewer: Viewer, owner: str, name: str) -> dict[str, Any]:
    return _told(request, viewer, resolve.embedding(viewer, owner=owner, name=name).pk)


def _told(request: HttpRequest, viewer: Viewer, number: int) -> dict[str, Any]:
    """WholeEmbeddingShape of an embedding that this viewer may see, or has just made."""
    row = Embedding.objects.select_related("owner", "head").prefetch_related("tags").get(pk=number)
    rows = whole.pullable(viewer).filter(embedding=row).order_by("-number")
    numbers = list(rows.values_list("number", flat=True))
    newest = whole.load(rows.filter(pk=row.head_id)) if row.head_id else []
    found = payloads.embedding(request, row, newest[0] if newest else None)
    return {**found, "card": row.card, "versions": numbers}
