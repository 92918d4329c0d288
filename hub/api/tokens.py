"""`/tokens`: a person's own access tokens, for sessions alone; and a token that ends itself."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import json_answer, keep_instead
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import PageQuery, page
from hub.api.shapes import Fields
from hub.catalog import tokens as reads
from hub.models import AccessToken
from hub.services.people import tokens as services
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once


class TokenShape(Fields):
    """A token without its secret."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField(help_text="The first letters of the secret.")
    scopes = serializers.ListField(child=serializers.ChoiceField(services.SCOPES))
    created = serializers.DateTimeField()
    expires = serializers.DateTimeField(allow_null=True)
    revoked = serializers.DateTimeField(allow_null=True)
    last_used = serializers.DateField(allow_null=True)
    is_usable = serializers.BooleanField()
    url = serializers.URLField()


class MadeTokenShape(TokenShape):
    """A token that was just made."""

    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null in an answer that is repeated for its key."
    )


class TokensShape(Fields):
    """A page of the caller's tokens, newest first, ended ones too."""

    items = TokenShape(many=True)
    next = serializers.URLField(allow_null=True)


class NewTokenForm(Fields):
    """What will use it, what it may do, and for how long."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(services.SCOPES), min_length=1, max_length=4)
    days = serializers.IntegerField(
        required=False, default=services.DEFAULT_DAYS, min_value=1, max_value=services.MAX_DAYS
    )


@documented("listTokens", "Your own tokens.", asks=PageQuery, gives=TokensShape)
@documented(
    "createToken",
    "A new token; its secret is in this answer alone. Sessions only, shortly after the password was given.",
    method="POST",
    takes={"application/json": NewTokenForm},
    gives=MadeTokenShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def tokens(request: Request) -> HttpResponse:
    """The tokens, or a new one."""
    viewer = viewer_of(request)
    if request.method == "POST":
        return _create(request)
    given = asked.query(PageQuery, request.GET.dict())
    return page(request._request, reads.list_own(viewer), given, lambda row: _told(request, row))


@documented("getToken", "One of your tokens.", gives=TokenShape)
@documented("revokeToken", "End it; harmless to repeat.", method="DELETE", gives=None, status=204)
@endpoint("GET", "DELETE")
def token(request: Request, number: int) -> HttpResponse:
    """One token: read, or ended."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    if request.method == "DELETE":
        services.revoke(viewer, token=row)
        return HttpResponse(status=204)
    return json_answer(request._request, _told(request, row))


@documented("giveUpToken", "End the token that this call came with.", method="DELETE", gives=None, status=204)
@endpoint("DELETE")
def current(request: Request) -> HttpResponse:
    """The end of the very token that asks."""
    services.give_up(viewer_of(request))
    return HttpResponse(status=204)


def _create(request: Request) -> HttpResponse:
    require_fresh(request._request)
    row, secret = services.create(viewer_of(request), **asked.body(NewTokenForm, request.data))
    content = _told(request, row)
    response = json_answer(request._request, {**content, "secret": secret}, status=201)
    response["Location"] = content["url"]
    response["Cache-Control"] = "no-store"
    return keep_instead(response, {**content, "secret": None})


def _told(request: Request, row: AccessToken) -> dict[str, Any]:
    """TokenShape."""
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "scopes": row.scopes,
        "created": row.created_at,
        "expires": row.expires_at,
        "revoked": row.revoked_at,
        "last_used": row.last_used_on,
        "is_usable": row.is_usable,
        "url": payloads.address(request._request, "api_token", row.pk),
    }
