"""`/flags` for everybody, `/moderation` for moderators by session: the queue, settling, rulings and lifting them."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.moderation_payloads import flag as queued
from hub.api.moderation_payloads import own_flag as own
from hub.api.moderation_payloads import ruling as told
from hub.api.moderation_shapes import (
    FlagForm,
    FlagShape,
    FlagsShape,
    LiftForm,
    MadeRulingsShape,
    QueuedFlagShape,
    QueueQuery,
    QueueShape,
    RulingForm,
    RulingShape,
    RulingsQuery,
    RulingsShape,
    SettleForm,
)
from hub.api.pages import PageQuery, page
from hub.catalog import moderation as reads
from hub.catalog import packs, profile, resolve
from hub.errors import NotFound, Unacceptable
from hub.models import Embedding, Preview, Version
from hub.services.moderation import flags as raising
from hub.services.moderation import rulings as deciding
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once


@documented("listFlags", "The flags that you raised.", asks=PageQuery, gives=FlagsShape)
@documented(
    "raiseFlag",
    "Tell the moderators of an embedding or a version; your open flag on it is replaced.",
    method="POST",
    takes={"application/json": FlagForm},
    gives=FlagShape,
    status=201,
    refuses=(410,),
)
@endpoint("GET", "POST")
@once
def flags(request: Request) -> HttpResponse:
    """One's own flags, or a new one."""
    viewer = viewer_of(request)
    if request.method == "POST":
        fields = asked.body(FlagForm, request.data)
        flag = raising.raise_flag(viewer, **_flagged(request, fields), **fields)
        return json_answer(request._request, own(flag), status=201)
    given = asked.query(PageQuery, request.GET.dict())
    return page(request._request, reads.own_flags(viewer), given, own)


@documented("withdrawFlag", "Take your open flag back.", method="DELETE", gives=None, status=204)
@endpoint("DELETE")
def own_flag(request: Request, number: int) -> HttpResponse:
    """The end of a flag that nobody has looked at yet."""
    viewer = viewer_of(request)
    row = reads.own_flags(viewer).filter(pk=number).first()
    if row is None:
        raise NotFound("You have no flag of this number.")
    raising.withdraw(viewer, flag=row)
    return HttpResponse(status=204)


@documented("listQueue", "Flags for moderators.", asks=QueueQuery, gives=QueueShape)
@endpoint("GET")
def queue(request: Request) -> HttpResponse:
    """What waits for moderators, and what did."""
    given = asked.query(QueueQuery, request.GET.dict())
    rows = reads.queue(viewer_of(request), which=given["state"])
    return page(request._request, rows, given, partial(queued, request._request))


@documented("getFlag", "One flag.", gives=QueuedFlagShape)
@endpoint("GET")
def flag(request: Request, number: int) -> HttpResponse:
    """One flag of the queue."""
    row = reads.flag(viewer_of(request), number=number)
    return json_answer(request._request, queued(request._request, row))


@documented(
    "settleFlag",
    "Say what became of it; one that is settled stays as it is.",
    method="POST",
    takes={"application/json": SettleForm},
    gives=QueuedFlagShape,
)
@endpoint("POST")
@once
def settle(request: Request, number: int) -> HttpResponse:
    """The end of a flag."""
    viewer = viewer_of(request)
    row = reads.flag(viewer, number=number)
    deciding.settle(viewer, flag=row, **asked.body(SettleForm, request.data))
    return json_answer(request._request, queued(request._request, reads.flag(viewer, number=number)))


@documented("listRulings", "All rulings.", asks=RulingsQuery, gives=RulingsShape)
@documented(
    "makeRuling",
    "Hold for a look or take down; harmless to repeat. Taking down asks for the password again.",
    method="POST",
    takes={"application/json": RulingForm},
    gives=MadeRulingsShape,
    status=201,
    refuses=(410,),
)
@endpoint("GET", "POST")
@once
def rulings(request: Request) -> HttpResponse:
    """The rulings, or new ones."""
    viewer = viewer_of(request)
    if request.method == "POST":
        reads.rulings(viewer)
        fields = asked.body(RulingForm, request.data)
        if fields["kind"] in deciding.GRAVE:
            require_fresh(request._request)
        embedding, version = _meant(request, fields)
        made = deciding.rule(viewer, embedding=embedding, version=version, **fields)
        shown = reads.rulings(viewer).filter(pk__in=[one.pk for one in made]).order_by("version__number")
        items = [told(request._request, one) for one in shown]
        return json_answer(request._request, {"items": items}, status=201)
    given = asked.query(RulingsQuery, request.GET.dict())
    rows = reads.rulings(viewer, kind=given.get("kind", ""), by=given["by"])
    return page(request._request, rows, given, partial(told, request._request), field="made_at")


@documented("getRuling", "One ruling.", gives=RulingShape)
@endpoint("GET")
def ruling(request: Request, number: int) -> HttpResponse:
    """One ruling."""
    row = reads.ruling(viewer_of(request), number=number)
    return json_answer(request._request, told(request._request, row))


@documented(
    "liftRuling",
    "Take it back: the version is again what it was; harmless to repeat.",
    method="POST",
    takes={"application/json": LiftForm},
    gives=RulingShape,
)
@endpoint("POST")
@once
def lift(request: Request, number: int) -> HttpResponse:
    """The end of a ruling."""
    viewer = viewer_of(request)
    row = reads.ruling(viewer, number=number)
    deciding.lift(viewer, ruling=row, **asked.body(LiftForm, request.data))
    return json_answer(request._request, told(request._request, reads.ruling(viewer, number=number)))


def _meant(request: Request, fields: dict[str, Any]) -> tuple[Embedding, Version | None]:
    """What `name` and `version` name, taken out of the fields. NotFound where there is no such thing."""
    viewer = viewer_of(request)
    owner, _, name = fields.pop("name").partition("/")
    number = fields.pop("version")
    if number is None:
        return resolve.embedding(viewer, owner=owner, name=name), None
    found = resolve.own_version(viewer, owner=owner, name=name, number=number, act="flag")
    return found.embedding, found


def _flagged(request: Request, fields: dict[str, Any]) -> dict[str, Any]:
    """What a flag is about: an owner by a name alone, an embedding, or else a pack. NotFound."""
    viewer = viewer_of(request)
    owner, slash, name = fields["name"].partition("/")
    number = fields["version"]
    picture = fields.pop("picture")
    if not slash and number is None:
        del fields["name"], fields["version"]
        return {"owner": profile.named(viewer, name=owner), "picture": _picture(None, picture)}
    try:
        embedding, version = _meant(request, fields)
    except NotFound as error:
        if error.code != "repo_not_found" or number is not None:
            raise
        return {"pack": packs.get(viewer, owner=owner, name=name), "picture": _picture(None, picture)}
    return {"embedding": embedding, "version": version, "picture": _picture(version, picture)}


def _picture(version: Version | None, number: int | None) -> Preview | None:
    """The picture that a flag is about. Unacceptable where the version has none of that number."""
    if number is None:
        return None
    found = version.previews.filter(pk=number).first() if version else None
    if found is None:
        raise Unacceptable("field_invalid", "That version has no such picture.", field="picture")
    return found
