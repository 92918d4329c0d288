"""Who asks, and which base models there are names for."""

from django.http import HttpResponse
from rest_framework.request import Request

from hub.api import payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import BaseModelsShape, WhoamiShape
from hub.catalog import bases


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


@documented("listBaseModels", "Base models by name.", gives=BaseModelsShape)
@endpoint("GET")
def base_models(request: Request) -> HttpResponse:
    """All base models that embeddings here can name."""
    return json_answer(request._request, {"items": [payloads.base_model(row) for row in bases.list_bases()]})
