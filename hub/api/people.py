"""Who asks, who others are, what the viewer likes, who uses a word, and which base models there are names for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import BaseModelsShape, Fields, WhoamiShape
from hub.catalog import bases, triggers
from hub.catalog import likes as liked
from hub.catalog import profile as profiles
from hub.catalog.shapes import Card


class PersonShape(Fields):
    """What a person published, in a few words; `embeddings` is the list of it."""

    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    published = serializers.IntegerField(help_text="How many public embeddings.")
    pulls = serializers.IntegerField()
    packs = serializers.ListField(child=serializers.CharField(), help_text="`owner/name` of each.")
    embeddings = serializers.URLField()
    page = serializers.URLField()


class LikedShape(Fields):
    """An embedding that you like."""

    name = serializers.CharField(help_text="`owner/name`.")
    title = serializers.CharField()
    trigger = serializers.CharField(allow_blank=True)
    url = serializers.URLField()


class LikedListShape(Fields):
    """What you like and may still see, the latest first; at most 200."""

    items = LikedShape(many=True)


class NamesakeShape(Fields):
    """An embedding whose newest version has the trigger."""

    name = serializers.CharField(help_text="`owner/name`.")
    pulls = serializers.IntegerField()
    url = serializers.URLField()


class NamesakesShape(Fields):
    """Who uses the word, most pulled first; at most three. Two of one trigger cannot be in one folder."""

    items = NamesakeShape(many=True)


@documented("whoami", "Who the token stands for, and what it may do.", gives=WhoamiShape)
@endpoint("GET")
def whoami(request: Request) -> HttpResponse:
    """The person behind the request."""
    viewer = viewer_of(request)
    token = viewer.token
    content = {
        "name": viewer.name,
        "scopes": sorted(token.scopes) if token else None,
        "expires": token.expires_at if token else None,
    }
    return json_answer(request._request, content)


@documented("getPerson", "A person, and how to list what they published.", gives=PersonShape)
@endpoint("GET")
def person(request: Request, name: str) -> HttpResponse:
    """A person's page in a few words."""
    found = profiles.get(viewer_of(request), name=name)
    content = {
        "name": found.owner.name,
        "about": found.about,
        "published": len(found.cards),
        "pulls": found.downloads,
        "packs": [one.collection.full_name for one in found.packs],
        "embeddings": payloads.address(request._request, "api_embeddings") + f"?owner={found.owner.name}",
        "page": payloads.address(request._request, "profile", found.owner.name),
    }
    return json_answer(request._request, content)


@documented("listLikes", "What you like.", gives=LikedListShape)
@endpoint("GET")
def likes(request: Request) -> HttpResponse:
    """The viewer's likes."""
    items = [_liked(request._request, one) for one in liked.list_liked(viewer_of(request))]
    return json_answer(request._request, {"items": items})


@documented("whoUsesTrigger", "Who uses a word already.", gives=NamesakesShape)
@endpoint("GET")
def trigger(request: Request, word: str) -> HttpResponse:
    """Embeddings of this trigger, in any spelling of its letters."""
    items = [
        {
            "name": one.full_name,
            "pulls": one.downloads,
            "url": payloads.address(request._request, "api_embedding", one.owner, one.name),
        }
        for one in triggers.namesakes(viewer_of(request), trigger=word.strip()[:64])
    ]
    return json_answer(request._request, {"items": items})


@documented("listBaseModels", "Base models by name.", gives=BaseModelsShape)
@endpoint("GET")
def base_models(request: Request) -> HttpResponse:
    """All base models that embeddings here can name."""
    return json_answer(request._request, {"items": [payloads.base_model(row) for row in bases.list_bases()]})


def _liked(request: HttpRequest, one: Card) -> dict[str, Any]:
    """LikedShape."""
    return {
        "name": one.full_name,
        "title": one.title,
        "trigger": one.trigger,
        "url": payloads.address(request, "api_embedding", one.owner, one.name),
    }
