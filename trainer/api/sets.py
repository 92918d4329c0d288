"""`/picture-sets`: the sets that come with the hub, by the names that `bundled_set` takes."""

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.documented import documented
from hub.api.endpoint import endpoint
from hub.api.pages import WholeQuery, answered, sliced
from hub.api.shapes import Fields
from hub.models.registry import Kind
from trainer import sets as reads


class PictureSetShape(Fields):
    """A picture set, and what a run on it starts with."""

    name = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    trigger = serializers.CharField()
    initializer = serializers.CharField(allow_blank=True)
    description = serializers.CharField(allow_blank=True)
    licence = serializers.CharField()
    pictures = serializers.ListField(child=serializers.URLField())


class PictureSetsShape(Fields):
    """A page of those that are here, by title."""

    items = PictureSetShape(many=True)
    next = serializers.URLField(allow_null=True)


@documented("listPictureSets", "Picture sets to train from.", asks=WholeQuery, gives=PictureSetsShape)
@endpoint("GET")
def sets(request: Request) -> HttpResponse:
    """The sets that come with the hub."""
    given = asked.query(WholeQuery, request.GET.dict())
    shown, following = sliced(request._request, reads.list_sets(), given, name=lambda one: one.name)
    items = [
        {
            "name": one.name,
            "title": one.title,
            "kind": one.kind,
            "trigger": one.trigger,
            "initializer": one.initializer,
            "description": one.description,
            "licence": one.licence,
            "pictures": [
                payloads.address(request._request, "train_set_picture", one.name, path.name)
                for path in one.pictures
            ],
        }
        for one in shown
    ]
    return answered(request._request, items, following)
