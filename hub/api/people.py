"""Who asks, who others are, what the viewer likes, who uses a word, and which base models there are names for."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, page, sliced, taken
from hub.api.shapes import BaseModelsShape, EmbeddingsShape, Fields, WhoamiShape
from hub.catalog import bases, teams, triggers, whole
from hub.catalog import likes as liked
from hub.catalog import profile as profiles
from hub.models import Like, Role


class PersonShape(Fields):
    """What a person published, in a few words; `embeddings` is the list of it."""

    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    published = serializers.IntegerField(help_text="How many public embeddings.")
    pulls = serializers.IntegerField()
    packs = serializers.ListField(child=serializers.CharField(), help_text="`owner/name` of each.")
    embeddings = serializers.URLField()
    page = serializers.URLField()


class LikesQuery(WholeQuery):
    """Which likes."""

    name = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=193,
        help_text="An `owner/name`: nothing else, so that the list says whether you like it.",
    )


class LikedShape(Fields):
    """An embedding that you like."""

    name = serializers.CharField(help_text="`owner/name`.")
    title = serializers.CharField()
    trigger = serializers.CharField(allow_blank=True)
    url = serializers.URLField()


class LikedListShape(Fields):
    """A page of what you like and may still see, the latest first."""

    items = LikedShape(many=True)
    next = serializers.URLField(allow_null=True)


class NamesakeShape(Fields):
    """An embedding whose newest version has the trigger."""

    name = serializers.CharField(help_text="`owner/name`.")
    pulls = serializers.IntegerField()
    url = serializers.URLField()


class NamesakesShape(Fields):
    """Who uses the word, most pulled first; at most three. Two of one trigger cannot be in one folder."""

    items = NamesakeShape(many=True)
    next = serializers.URLField(allow_null=True)


@documented("whoami", "Who the token stands for, and what it may do.", gives=WhoamiShape)
@endpoint("GET")
def whoami(request: Request) -> HttpResponse:
    """The person behind the request."""
    viewer = viewer_of(request)
    token = viewer.token
    content = {
        "name": viewer.name,
        "teams": [one.team.owner.name for one in teams.memberships(viewer, least=Role.WRITER)],
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


@documented(
    "listHidden",
    "What of a name only its people see: not public, or offering nothing. Empty for others.",
    asks=WholeQuery,
    gives=EmbeddingsShape,
)
@endpoint("GET")
def hidden(request: Request, name: str) -> HttpResponse:
    """What stands on no list."""
    viewer = viewer_of(request)
    given = asked.query(WholeQuery, request.GET.dict())
    rows = profiles.hidden(viewer, owner=profiles.named(viewer, name=name))
    shown, following = taken(
        request._request, rows.select_related("owner").prefetch_related("tags"), given, field="created_at"
    )
    heads = whole.load(whole.pullable(viewer).filter(pk__in=[row.head_id for row in shown if row.head_id]))
    newest = {one.version.embedding_id: one for one in heads}
    items = [payloads.embedding(request._request, row, newest.get(row.pk)) for row in shown]
    return answered(request._request, items, following)


@documented("listLikes", "What you like.", asks=LikesQuery, gives=LikedListShape)
@endpoint("GET")
def likes(request: Request) -> HttpResponse:
    """The viewer's likes."""
    given = asked.query(LikesQuery, request.GET.dict())
    rows = liked.list_own(viewer_of(request))
    if given["name"]:
        owner, _, name = given["name"].lower().partition("/")
        rows = rows.filter(embedding__owner__name=owner, embedding__name=name)
    return page(request._request, rows, given, lambda one: _liked(request._request, one))


@documented("whoUsesTrigger", "Who uses a word already.", asks=WholeQuery, gives=NamesakesShape)
@endpoint("GET")
def trigger(request: Request, word: str) -> HttpResponse:
    """Embeddings of this trigger, in any spelling of its letters."""
    given = asked.query(WholeQuery, request.GET.dict())
    found = triggers.namesakes(viewer_of(request), trigger=word.strip()[:64])
    shown, following = sliced(request._request, found, given, name=lambda one: one.full_name)
    items = [
        {
            "name": one.full_name,
            "pulls": one.downloads,
            "url": payloads.address(request._request, "api_embedding", one.owner, one.name),
        }
        for one in shown
    ]
    return answered(request._request, items, following)


@documented("listBaseModels", "Base models by name.", asks=WholeQuery, gives=BaseModelsShape)
@endpoint("GET")
def base_models(request: Request) -> HttpResponse:
    """All base models that embeddings here can name."""
    given = asked.query(WholeQuery, request.GET.dict())
    shown, following = sliced(request._request, bases.list_bases(), given, name=lambda row: row.name)
    return answered(request._request, [payloads.base_model(row) for row in shown], following)


def _liked(request: HttpRequest, row: Like) -> dict[str, Any]:
    """LikedShape."""
    one = row.embedding
    return {
        "name": one.full_name,
        "title": one.title,
        "trigger": one.head.trigger if one.head else "",
        "url": payloads.address(request, "api_embedding", one.owner.name, one.name),
    }
