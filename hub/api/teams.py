"""`/teams`: one's own teams, one team, and the people in it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.access import Viewer, role_on
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, sliced
from hub.api.team_shapes import (
    NewTeamForm,
    ReasonQuery,
    RoleForm,
    TeamChangesForm,
    TeammateShape,
    TeammatesShape,
    TeamNameForm,
    TeamShape,
    TeamsShape,
)
from hub.catalog import teams as reads
from hub.models import Membership, Role, Team
from hub.services.people import teammates
from hub.services.people import teams as services
from hub.wire.auth import require_fresh
from hub.wire.idempotency import once


@documented("listTeams", "The teams that you are in.", asks=WholeQuery, gives=TeamsShape)
@documented(
    "createTeam",
    "A new team with you as its admin.",
    method="POST",
    takes={"application/json": NewTeamForm},
    gives=TeamShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def teams(request: Request) -> HttpResponse:
    """The teams, or a new one."""
    viewer = viewer_of(request)
    if request.method == "POST":
        row = services.create(viewer, **asked.body(NewTeamForm, request.data))
        response = json_answer(request._request, told(request._request, viewer, row), status=201)
        response["Location"] = payloads.address(request._request, "api_team", row.owner.name)
        return response
    given = asked.query(WholeQuery, request.GET.dict())
    found = reads.list_own(viewer)
    shown, following = sliced(request._request, found, given, name=lambda one: one[0].team.owner.name)
    items = [_told(request._request, one.team, role=one.role, people=people) for one, people in shown]
    return answered(request._request, items, following)


@documented("getTeam", "One team, under its name of today or one of before.", gives=TeamShape)
@documented(
    "updateTeam",
    "Change what its page says of it.",
    method="PATCH",
    takes={"application/json": TeamChangesForm},
    gives=TeamShape,
    refuses=(412,),
)
@documented(
    "deleteTeam",
    "Delete an empty team; nobody gets its name again. Sessions only, shortly after the password was given.",
    method="DELETE",
    gives=None,
    status=204,
    refuses=(412,),
)
@endpoint("GET", "PATCH", "DELETE")
def team(request: Request, name: str) -> HttpResponse:
    """One team: read, described anew, or deleted."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    if request.method in ("PATCH", "DELETE"):
        check_unchanged(request._request, lambda: told(request._request, viewer, row))
    if request.method == "DELETE":
        if viewer.token is None:
            require_fresh(request._request)
        services.delete(viewer, team=row)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        row = services.describe(viewer, team=row, **asked.body(TeamChangesForm, request.data))
    return json_answer(request._request, told(request._request, viewer, row))


@documented(
    "renameTeam",
    "Give it another name; the old one leads to it and stays its own. Harmless to repeat. Sessions only, shortly after "
    "the password was given.",
    method="POST",
    takes={"application/json": TeamNameForm},
    gives=TeamShape,
    refuses=(412,),
)
@endpoint("POST")
@once
def rename(request: Request, name: str) -> HttpResponse:
    """The same team under another name."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    check_unchanged(request._request, lambda: told(request._request, viewer, row))
    require_fresh(request._request)
    row = services.rename(viewer, team=row, name=asked.body(TeamNameForm, request.data)["name"])
    response = json_answer(request._request, told(request._request, viewer, row))
    response["Location"] = payloads.address(request._request, "api_team", row.owner.name)
    return response


@documented("listTeammates", "The people of a team.", asks=WholeQuery, gives=TeammatesShape)
@endpoint("GET")
def members(request: Request, name: str) -> HttpResponse:
    """Its people."""
    given = asked.query(WholeQuery, request.GET.dict())
    found = reads.members(reads.get(viewer_of(request), name=name))
    shown, following = sliced(request._request, found, given, name=lambda one: one.user.username)
    return answered(request._request, [_member(request._request, one) for one in shown], following)


@documented("getTeammate", "One person of a team.", gives=TeammateShape)
@documented(
    "changeRole",
    "Give a member another role. Admins are made by sessions only, shortly after the password was given.",
    method="PATCH",
    takes={"application/json": RoleForm},
    gives=TeammateShape,
    refuses=(412,),
)
@documented(
    "removeTeammate",
    "Take a member out; under your own name, leave.",
    method="DELETE",
    asks=ReasonQuery,
    gives=None,
    status=204,
    refuses=(412,),
)
@endpoint("GET", "PATCH", "DELETE")
def member(request: Request, name: str, person: str) -> HttpResponse:
    """One person: read, given another role, or gone."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    found = reads.member(viewer, team=row, name=person)
    if request.method in ("PATCH", "DELETE"):
        check_unchanged(request._request, lambda: _member(request._request, found))
    if request.method == "DELETE":
        given = asked.query(ReasonQuery, request.GET.dict())
        teammates.remove(viewer, team=row, name=person, **given)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        changes = asked.body(RoleForm, request.data)
        fresh_for(request, changes["role"])
        found = teammates.change_role(viewer, team=row, name=person, **changes)
    return json_answer(request._request, _member(request._request, found))


def fresh_for(request: Request, role: str) -> None:
    """Admins are made by those who gave their password shortly before (rule T3); tokens make none at all."""
    if role == Role.ADMIN and viewer_of(request).token is None:
        require_fresh(request._request)


def told(request: HttpRequest, viewer: Viewer, row: Team) -> dict[str, Any]:
    """TeamShape, with the role of this viewer."""
    return _told(request, row, role=role_on(viewer, row), people=row.members.count())


def _told(request: HttpRequest, row: Team, *, role: str | None, people: int) -> dict[str, Any]:
    name = row.owner.name
    return {
        "name": name,
        "title": row.title,
        "about": row.about,
        "created": row.created_at,
        "people": people,
        "role": role,
        "members": payloads.address(request, "api_team_members", name),
        "embeddings": payloads.address(request, "api_embeddings") + f"?owner={name}",
        "page": payloads.address(request, "profile", name),
        "url": payloads.address(request, "api_team", name),
    }


def _member(request: HttpRequest, row: Membership) -> dict[str, Any]:
    """TeammateShape."""
    name = row.user.username
    return {
        "name": name,
        "role": row.role,
        "since": row.created_at,
        "url": payloads.address(request, "api_teammate", row.team.owner.name, name),
    }
