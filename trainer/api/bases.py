"""`/base-models/{name}`: an installed base model with its digests, and how fast runs on it are here."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import Fields
from hub.formats import FAMILIES
from trainer.runs import bases


class SourceShape(Fields):
    """The single file that the base was made from."""

    file = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()


class InstalledBaseShape(Fields):
    """An installed base model. `seconds` are the most that a run of each quality takes; empty: not measured here."""

    name = serializers.CharField()
    title = serializers.CharField()
    family = serializers.ChoiceField(sorted(FAMILIES))
    resolution = serializers.IntegerField()
    prediction_type = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(help_text="Over all parts.")
    parts = serializers.DictField(child=serializers.CharField(), help_text="SHA-256 by path.")
    source = SourceShape(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    licence = serializers.CharField(allow_blank=True)
    author = serializers.CharField(allow_blank=True)
    card = serializers.CharField(allow_blank=True, help_text="Markdown.")
    embeddings = serializers.IntegerField(help_text="How many that the viewer may see fit it.")
    seconds = serializers.DictField(child=serializers.FloatField())
    is_whole = serializers.BooleanField(help_text="Whether `seconds` has pictures and sheet in it.")
    probe = serializers.ListField(
        child=serializers.DictField(), allow_null=True, help_text="What was measured, by resolution."
    )
    page = serializers.URLField()


@documented("getBaseModel", "An installed base model.", gives=InstalledBaseShape)
@endpoint("GET")
def base_model(request: Request, name: str) -> HttpResponse:
    """One base model, by the name it has here."""
    found = bases.get_installed(viewer_of(request), name=name)
    return json_answer(request._request, told(request, found))


def told(request: Request, one: bases.Installed) -> dict[str, Any]:
    """InstalledBaseShape."""
    row, source = one.row, one.source
    return {
        "name": row.name,
        "title": row.title,
        "family": row.family,
        "resolution": row.resolution,
        "prediction_type": row.prediction_type,
        "digest": row.digest,
        "parts": one.parts,
        "source": {"file": source.file, "size": source.size, "sha256": source.sha256} if source else None,
        "size": one.size or None,
        "licence": one.licence,
        "author": one.author,
        "card": one.card_text,
        "embeddings": one.total,
        "seconds": one.times,
        "is_whole": one.is_whole,
        "probe": one.probe.resolutions if one.probe else None,
        "page": payloads.address(request._request, "base_model", row.name),
    }
