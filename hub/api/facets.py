"""`/embeddings/facets`: what a list can be narrowed down by, with counts, as beside the list of the page."""

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import Fields, FilterQuery
from hub.catalog import browse


class FacetShape(Fields):
    """One value to filter by, and how many embeddings are left then."""

    value = serializers.CharField(help_text="What the filter of the list takes.")
    label = serializers.CharField()
    count = serializers.IntegerField()


class FacetsShape(Fields):
    """How many there are, and by which values they can be narrowed down, most first.

    Each facet counts what the other filters leave. Of many embeddings it may be half a minute old.
    """

    total = serializers.IntegerField(help_text="At most 10,000.")
    is_capped = serializers.BooleanField(help_text="Whether there are more than that.")
    family = FacetShape(many=True)
    kind = FacetShape(many=True)
    licence = FacetShape(many=True)
    tag = FacetShape(many=True)
    trained_here = FacetShape(many=True)


@documented(
    "countEmbeddings",
    "What a list can be narrowed down by, with counts.",
    asks=FilterQuery,
    gives=FacetsShape,
)
@endpoint("GET")
def facets(request: Request) -> HttpResponse:
    """The facets of the page of search."""
    given = asked.query(FilterQuery, request.GET.dict())
    found = browse.list_embeddings(
        viewer_of(request),
        query=given["q"],
        family=given.get("family"),
        kind=given.get("kind"),
        tag=given["tag"],
        licence=given.get("licence"),
        trained_here=given["trained_here"] or None,
        owner=given["owner"] or None,
        page_size=1,
    )
    told = {
        name: [{"value": one.value, "label": one.label, "count": one.count} for one in values]
        for name, values in found.facets.items()
    }
    return json_answer(request._request, {"total": found.total, "is_capped": found.total_capped, **told})
