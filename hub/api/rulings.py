"""`/rulings`: decisions about one's own things, by session, and the one answer to each."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import PageQuery, page
from hub.api.shapes import Fields
from hub.catalog import moderation as reads
from hub.models import Appeal, Flag, Ruling
from hub.services.moderation import appeals
from hub.wire.idempotency import once


class AppealForm(Fields):
    """Why the ruling is wrong: one message, which another moderator reads."""

    text = serializers.CharField(max_length=appeals.TEXT_MAX)


class AppealShape(Fields):
    """What you answered, and what came of it; `settled` is null while nobody has looked."""

    text = serializers.CharField()
    made = serializers.DateTimeField()
    outcome = serializers.ChoiceField(Appeal.Outcome.choices, allow_blank=True)
    answer = serializers.CharField(allow_blank=True)
    settled = serializers.DateTimeField(allow_null=True)


class OwnRulingShape(Fields):
    """A decision about something of yours. Who made it is not told."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="`owner/name`, or an owner's name.")
    version = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(Ruling.Kind.choices)
    rule = serializers.CharField(
        allow_blank=True, help_text="The hub's rule that made it; else a moderator did."
    )
    category = serializers.ChoiceField(Flag.Reason.choices)
    reason = serializers.CharField()
    made = serializers.DateTimeField()
    lifted = serializers.DateTimeField(allow_null=True)
    lifted_reason = serializers.CharField(allow_blank=True)
    appeal = AppealShape(allow_null=True)
    url = serializers.URLField()


class OwnRulingsShape(Fields):
    """A page of them, newest first."""

    items = OwnRulingShape(many=True)
    next = serializers.URLField(allow_null=True)


@documented("listOwnRulings", "Rulings on your own things.", asks=PageQuery, gives=OwnRulingsShape)
@endpoint("GET")
def rulings(request: Request) -> HttpResponse:
    """What was decided about the viewer's things and those of their teams."""
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.own_rulings(viewer_of(request))
    return page(request._request, rows, given, lambda row: _told(request._request, row), field="made_at")


@documented("getOwnRuling", "One of them.", gives=OwnRulingShape)
@endpoint("GET")
def ruling(request: Request, number: int) -> HttpResponse:
    """One ruling."""
    row = reads.own_ruling(viewer_of(request), number=number)
    return json_answer(request._request, _told(request._request, row))


@documented(
    "appeal",
    "Ask for another look, once within 30 days.",
    method="POST",
    takes={"application/json": AppealForm},
    gives=OwnRulingShape,
    status=201,
)
@endpoint("POST")
@once
def appeal(request: Request, number: int) -> HttpResponse:
    """The owner's answer to a ruling."""
    viewer = viewer_of(request)
    row = reads.own_ruling(viewer, number=number)
    appeals.appeal(viewer, ruling=row, **asked.body(AppealForm, request.data))
    told = _told(request._request, reads.own_ruling(viewer, number=number))
    return json_answer(request._request, told, status=201)


def _told(request: HttpRequest, row: Ruling) -> dict[str, Any]:
    """OwnRulingShape."""
    return {
        "id": row.pk,
        "name": row.name,
        "version": row.version.number if row.version else None,
        "kind": row.kind,
        "rule": row.rule,
        "category": row.category,
        "reason": row.reason,
        "made": row.made_at,
        "lifted": row.lifted_at,
        "lifted_reason": row.lifted_reason,
        "appeal": _appeal(getattr(row, "appeal", None)),
        "url": payloads.address(request, "api_own_ruling", row.pk),
    }


def _appeal(row: Appeal | None) -> dict[str, Any] | None:
    """AppealShape."""
    if row is None:
        return None
    return {
        "text": row.text,
        "made": row.made_at,
        "outcome": row.outcome,
        "answer": row.answer,
        "settled": row.settled_at,
    }
