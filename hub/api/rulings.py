"""`/rulings`: decisions about one's own things, by session, and the one answer to each."""

from functools import partial

from django.http import HttpResponse
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.moderation_payloads import own_ruling as told
from hub.api.moderation_shapes import AppealForm, OwnRulingShape, OwnRulingsShape
from hub.api.pages import PageQuery, page
from hub.catalog import moderation as reads
from hub.services.moderation import appeals
from hub.wire.idempotency import once


@documented("listOwnRulings", "Rulings on your own things.", asks=PageQuery, gives=OwnRulingsShape)
@endpoint("GET")
def rulings(request: Request) -> HttpResponse:
    """What was decided about the viewer's things and those of their teams."""
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.own_rulings(viewer_of(request))
    return page(request._request, rows, given, partial(told, request._request), field="made_at")


@documented("getOwnRuling", "One of them.", gives=OwnRulingShape)
@endpoint("GET")
def ruling(request: Request, number: int) -> HttpResponse:
    """One ruling."""
    row = reads.own_ruling(viewer_of(request), number=number)
    return json_answer(request._request, told(request._request, row))


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
    row = reads.own_ruling(viewer, number=number)
    return json_answer(request._request, told(request._request, row), status=201)
