"""`/picture-sets`: the sets that come with the hub, by the names that `bundled_set` takes."""

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint
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
    """All that are here, by title."""

    items = PictureSetShape(many=True)


@documented("listPictureSets", "Picture sets to train from.", gives=PictureSetsShape)
@endpoint("GET")
def sets(request: Request) -> HttpResponse:
    """The sets that come with the hub."""
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
        for one in reads.list_sets()
    ]
    return json_answer(request._request, {"items": items})
