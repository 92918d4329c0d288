"""`…/transfer`: another owner for an embedding or a pack; for sessions alone."""

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import Fields
from hub.api.team_shapes import TransferForm
from hub.catalog import packs, resolve, teams
from hub.services.embeddings import transferring
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once

_TOLD = "Sessions only, shortly after the password was given."


class MovedShape(Fields):
    """Where it is now."""

    name = serializers.CharField(help_text="`owner/name`.")
    url = serializers.URLField()


@documented(
    "transferEmbedding",
    f"Give it to another owner; its old address leads there. {_TOLD}",
    method="POST",
    takes={"application/json": TransferForm},
    gives=MovedShape,
    refuses=(410,),
)
@endpoint("POST")
@once
def embedding(request: Request, owner: str, name: str) -> HttpResponse:
    """The same embedding under another owner."""
    viewer = viewer_of(request)
    require_fresh(request._request)
    row = resolve.embedding(viewer, owner=owner, name=name)
    to = teams.owner(viewer, name=asked.body(TransferForm, request.data)["owner"], act="create_embedding")
    moved = transferring.transfer_embedding(viewer, embedding=row, to=to)
    return _moved(request, "api_embedding", moved.owner.name, moved.name)


@documented(
    "transferPack",
    f"Give it to another owner; its old address leads there. {_TOLD}",
    method="POST",
    takes={"application/json": TransferForm},
    gives=MovedShape,
)
@endpoint("POST")
@once
def pack(request: Request, owner: str, name: str) -> HttpResponse:
    """The same pack under another owner."""
    viewer = viewer_of(request)
    require_fresh(request._request)
    row = packs.get(viewer, owner=owner, name=name)
    to = teams.owner(viewer, name=asked.body(TransferForm, request.data)["owner"], act="create_pack")
    moved = transferring.transfer_pack(viewer, pack=row, to=to)
    return _moved(request, "api_pack", moved.owner.name, moved.name)


def _moved(request: Request, route: str, owner: str, name: str) -> HttpResponse:
    url = payloads.address(request._request, route, owner, name)
    response = json_answer(request._request, {"name": f"{owner}/{name}", "url": url})
    response["Location"] = url
    return response
