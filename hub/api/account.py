"""`/account`: the person behind the call, and what their page says of them."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.access import Viewer
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import Fields
from hub.catalog import storage
from hub.services.people import accounts


class AccountShape(Fields):
    """A person, to themselves."""

    name = serializers.CharField(help_text="The name that you publish under.")
    about = serializers.CharField(allow_blank=True, help_text="What your page says of you.")
    joined = serializers.DateTimeField()
    stored = serializers.IntegerField(help_text="Bytes of all files and pictures under your name.")
    most_stored = serializers.IntegerField(allow_null=True, help_text="How many there may be; null: no end.")
    is_moderator = serializers.BooleanField()
    is_administrator = serializers.BooleanField()
    page = serializers.URLField()


class AccountForm(Fields):
    """What is sent is changed."""

    about = serializers.CharField(required=False, allow_blank=True, max_length=280)


@documented("getAccount", "Your account.", gives=AccountShape)
@documented(
    "updateAccount",
    "Change what your page says of you. Sessions only.",
    method="PATCH",
    takes={"application/json": AccountForm},
    gives=AccountShape,
    refuses=(412,),
)
@endpoint("GET", "PATCH")
def account(request: Request) -> HttpResponse:
    """The account: read, or its page described anew."""
    viewer = viewer_of(request)
    if request.method == "PATCH":
        changes = asked.body(AccountForm, request.data)
        check_unchanged(request._request, lambda: _told(request._request, viewer))
        if changes:
            accounts.update_profile(viewer, **changes)
    return json_answer(request._request, _told(request._request, viewer))


def _told(request: HttpRequest, viewer: Viewer) -> dict[str, Any]:
    """AccountShape, as it is stored now."""
    user = viewer.user
    assert user is not None  # the gate lets nobody else in
    user.refresh_from_db(fields=["about"])
    return {
        "name": user.username,
        "about": user.about,
        "joined": user.date_joined,
        "stored": storage.used(user.owner),
        "most_stored": storage.most(),
        "is_moderator": user.is_moderator,
        "is_administrator": user.is_staff,
        "page": payloads.address(request, "profile", user.username),
    }
