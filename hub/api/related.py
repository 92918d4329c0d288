"""`/embeddings/{owner}/{name}/related`: other words like this one, as at the foot of its page."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import EmbeddingShape, Fields
from hub.catalog import entry, resolve, whole
from hub.models import Embedding


class RelatedShape(Fields):
    """Other embeddings, six of each at most; none for one that offers nothing."""

    twins = EmbeddingShape(
        many=True, help_text="With exactly the values of its newest version, the oldest first."
    )
    related = EmbeddingShape(
        many=True,
        help_text="For the same family, of the same kind or with common tags, the most alike first.",
    )


@documented("listRelated", "Other embeddings like this one.", gives=RelatedShape)
@endpoint("GET")
def related(request: Request, owner: str, name: str) -> HttpResponse:
    """What its page shows of others."""
    viewer = viewer_of(request)
    row = resolve.embedding(viewer, owner=owner, name=name)
    none = Embedding.objects.none()
    found = {
        "twins": entry.twins(viewer, row, row.head) if row.head else none,
        "related": entry.related(viewer, row, row.head) if row.head else none,
    }
    told = {key: _told(request._request, viewer, rows) for key, rows in found.items()}
    return json_answer(request._request, told)


def _told(request: HttpRequest, viewer: Viewer, rows: QuerySet[Embedding]) -> list[dict[str, Any]]:
    numbers = list(rows.values_list("pk", flat=True)[: entry.RELATED])
    return [
        payloads.embedding(request, one.embedding, one.versions[0]) for one in whole.shelves(viewer, numbers)
    ]
