"""Embeddings, which this protocol calls models: the list, and one by its number."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.access import Viewer
from hub.catalog import shelves, stamps, whole
from hub.catalog.standing import Row
from hub.civitai import addresses, ids, payloads, questions
from hub.civitai.endpoint import endpoint, viewer_of
from hub.wire.remembered import remembered


@endpoint()
def listing(request: HttpRequest) -> HttpResponse:
    """`GET /models`: search and list, in pages or by cursor."""
    viewer = viewer_of(request)
    question, paging = questions.models(request, viewer)
    found = shelves.list_shelves(viewer, question=question)
    metadata = dict(paging)
    if found.next:
        metadata |= {"nextCursor": found.next, "nextPage": addresses.page(request, cursor=found.next)}
    items = [payloads.model(request, shelf) for shelf in found.items]
    return JsonResponse({"items": items, "metadata": metadata})


def _stamp(viewer: Viewer, *, number: str) -> Row | None:
    return stamps.of_embedding(viewer, number=ids.number(number))


@endpoint()
@remembered(_stamp)
def one(request: HttpRequest, number: str) -> HttpResponse:
    """`GET /models/:id`. NotFound for what is hidden as for what never was."""
    shelf = whole.embedding(viewer_of(request), number=ids.number(number))
    return JsonResponse(payloads.model(request, shelf, with_status=True))
