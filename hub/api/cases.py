"""`/moderation/cases` and `/moderation/appeals`: what waits at the desk as a whole, for moderators by session."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from hub.api import asked, moderation_payloads
from hub.api.answers import json_answer
from hub.api.case_shapes import (
    CaseRulingForm,
    CasesQuery,
    CasesShape,
    DismissedShape,
    DismissForm,
    WholeCaseShape,
)
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.moderation_shapes import AnswerForm, MadeRulingsShape, QueueQuery, RulingShape, RulingsShape
from hub.api.pages import answered, following_page, page
from hub.catalog import cases as reads
from hub.catalog import cursors, moderation
from hub.catalog.case_shapes import Case
from hub.errors import Unacceptable
from hub.models import Preview, Ruling, Version
from hub.services.moderation import appeals as answering
from hub.services.moderation import looking, rulings
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once


@documented(
    "listCases", "What flags are about, the longest waiting first.", asks=CasesQuery, gives=CasesShape
)
@endpoint("GET")
def cases(request: Request) -> HttpResponse:
    """The queue by what it is about."""
    given = asked.query(CasesQuery, request.GET.dict())
    after, limit = given["cursor"] or "0", given["limit"]
    if not (after.isascii() and after.isdecimal()) or len(after) > 18:
        raise cursors.foreign()
    found = reads.walk(
        viewer_of(request), which=given["state"], kind=given.get("about", ""),
        reason=given.get("reason", ""),
        after=int(after), limit=limit + 1,
    )  # fmt: skip
    shown = found[:limit]
    more = len(found) > len(shown)
    items = [moderation_payloads.line(request._request, one) for one in shown]
    following = following_page(request._request, str(shown[-1].first)) if more else None
    return answered(request._request, items, following)


@documented("getCase", "One case; a look at what is private is written down.", gives=WholeCaseShape)
@endpoint("GET")
def case(request: Request, about: str, number: int) -> HttpResponse:
    """All that moderators know of a thing."""
    viewer = viewer_of(request)
    found = reads.get(viewer, kind=about, number=number)
    looking.note(viewer, thing=found.thing)
    return json_answer(request._request, moderation_payloads.case(request._request, found))


@documented(
    "ruleOnCase",
    "Decide, which settles its open flags; harmless to repeat. Taking down and freezing ask for the password again.",
    method="POST",
    takes={"application/json": CaseRulingForm},
    gives=MadeRulingsShape,
    status=201,
)
@endpoint("POST")
@once
def rule(request: Request, about: str, number: int) -> HttpResponse:
    """A ruling on what a case is about."""
    viewer = viewer_of(request)
    found = reads.get(viewer, kind=about, number=number)
    fields = asked.body(CaseRulingForm, request.data)
    if fields["kind"] in rulings.GRAVE:
        require_fresh(request._request)
    made = rulings.decide(viewer, thing=found.thing, **_meant(found, fields))
    shown = moderation.rulings(viewer).filter(pk__in=[one.pk for one in made]).order_by("version__number")
    items = [moderation_payloads.ruling(request._request, one) for one in shown]
    return json_answer(request._request, {"items": items}, status=201)


@documented(
    "dismissCase",
    "There is nothing to do: its open flags are settled so, and what rule M2 held is given back.",
    method="POST",
    takes={"application/json": DismissForm},
    gives=DismissedShape,
)
@endpoint("POST")
@once
def dismiss(request: Request, about: str, number: int) -> HttpResponse:
    """The end of a case without a ruling."""
    viewer = viewer_of(request)
    thing = reads.find(viewer, kind=about, number=number)
    settled = rulings.dismiss(viewer, thing=thing, **asked.body(DismissForm, request.data))
    return json_answer(request._request, {"settled": settled})


@documented("listAppeals", "Rulings that owners have answered.", asks=QueueQuery, gives=RulingsShape)
@endpoint("GET")
def appeals(request: Request) -> HttpResponse:
    """What waits for another moderator, and what did, the newest appeal first."""
    given = asked.query(QueueQuery, request.GET.dict())
    rows = moderation.appealed(viewer_of(request), which=given["state"])
    return page(
        request._request, rows, given, lambda row: moderation_payloads.ruling(request._request, row),
        field="appeal__made_at",
    )  # fmt: skip


@documented(
    "answerAppeal",
    "Uphold the ruling, or overturn and so lift it; an answer is final. Whoever made the ruling leaves it to another.",
    method="POST",
    takes={"application/json": AnswerForm},
    gives=RulingShape,
)
@endpoint("POST")
@once
def answer(request: Request, number: int) -> HttpResponse:
    """The end of an appeal."""
    viewer = viewer_of(request)
    row = reads.appeal(viewer, ruling=number)
    fields = asked.body(AnswerForm, request.data)
    answering.answer(viewer, appeal=row, outcome=fields["outcome"], text=fields["answer"])
    told = moderation_payloads.ruling(request._request, moderation.ruling(viewer, number=number))
    return json_answer(request._request, told)


def _meant(found: Case, fields: dict[str, Any]) -> dict[str, Any]:
    """What the service is asked: version and picture as rows of the case. Unacceptable for those of none."""
    given = {name: fields[name] for name in ("kind", "reason", "category")}
    if fields["version"] is not None:
        given["version"] = _version(found, fields)
    if fields["picture"] is not None:
        given["picture"] = _picture(found, fields)
    return given


def _version(found: Case, fields: dict[str, Any]) -> Version:
    match = [one for one in found.versions if one.number == fields["version"]]
    if not match or fields["kind"] not in dict(Ruling.OF_VERSIONS):
        raise Unacceptable("field_invalid", "There is no such version to decide this about.", field="version")
    return match[0]


def _picture(found: Case, fields: dict[str, Any]) -> Preview:
    pictures = [one for version in found.versions for one in version.previews.all()]
    match = [one for one in pictures if one.pk == fields["picture"]]
    if not match or fields["kind"] != Ruling.Kind.REMOVE_PICTURE:
        raise Unacceptable("field_invalid", "There is no such picture to decide this about.", field="picture")
    return match[0]
