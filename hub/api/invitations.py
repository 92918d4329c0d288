"""`/invitations`: what one was asked into; and `/teams/…/invitations`: whom a team has asked."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.access import require
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import PageQuery, page
from hub.api.team_shapes import InvitationShape, InvitationsShape, NewInvitationForm, TeamShape
from hub.api.teams import fresh_for
from hub.api.teams import told as team_told
from hub.catalog import teams as reads
from hub.models import Invitation
from hub.services.people import teammates
from hub.wire.idempotency import once


@documented("listInvitations", "What you were asked into.", asks=PageQuery, gives=InvitationsShape)
@endpoint("GET")
def invitations(request: Request) -> HttpResponse:
    """The viewer's own invitations."""
    given = asked.query(PageQuery, request.GET.dict())
    rows = reads.invitations(viewer_of(request))
    return page(request._request, rows, given, lambda row: _told(request._request, row))


@documented("getInvitation", "One invitation, to whom it is for and who may send it.", gives=InvitationShape)
@documented(
    "endInvitation",
    "Decline it, or take it back.",
    method="DELETE",
    gives=None,
    status=204,
    refuses=(412,),
)
@endpoint("GET", "DELETE")
def invitation(request: Request, number: int) -> HttpResponse:
    """One invitation: read, declined, or taken back."""
    viewer = viewer_of(request)
    row = reads.invitation(viewer, number=number)
    if request.method == "DELETE":
        check_unchanged(request._request, lambda: _told(request._request, row))
        is_own = viewer.user is not None and row.user_id == viewer.user.pk
        (teammates.decline if is_own else teammates.withdraw)(viewer, invitation=row)
        return HttpResponse(status=204)
    return json_answer(request._request, _told(request._request, row))


@documented("acceptInvitation", "Enter the team.", method="POST", gives=TeamShape, refuses=(412,))
@endpoint("POST")
@once
def accept(request: Request, number: int) -> HttpResponse:
    """A new member, told of the team."""
    viewer = viewer_of(request)
    row = reads.invitation(viewer, number=number)
    check_unchanged(request._request, lambda: _told(request._request, row))
    membership = teammates.accept(viewer, invitation=row)
    return json_answer(request._request, team_told(request._request, viewer, membership.team))


@documented("listTeamInvitations", "Whom a team has asked.", asks=PageQuery, gives=InvitationsShape)
@documented(
    "invite",
    "Ask a person into a team; again for another role. Admins are asked by sessions only, shortly after the password "
    "was given.",
    method="POST",
    takes={"application/json": NewInvitationForm},
    gives=InvitationShape,
    status=201,
)
@endpoint("GET", "POST")
@once
def of_team(request: Request, name: str) -> HttpResponse:
    """A team's invitations, or a new one."""
    viewer = viewer_of(request)
    team = reads.get(viewer, name=name)
    if request.method == "POST":
        given = asked.body(NewInvitationForm, request.data)
        fresh_for(request, given["role"])
        row = teammates.invite(viewer, team=team, **given)
        content = _told(request._request, row)
        response = json_answer(request._request, content, status=201)
        response["Location"] = content["url"]
        return response
    require(viewer, "see_invitations", team)
    given = asked.query(PageQuery, request.GET.dict())
    return page(request._request, reads.asked(team), given, lambda row: _told(request._request, row))


def _told(request: HttpRequest, row: Invitation) -> dict[str, Any]:
    """InvitationShape."""
    return {
        "id": row.pk,
        "team": row.team.owner.name,
        "person": row.user.username,
        "role": row.role,
        "invited_by": row.invited_by.username,
        "created": row.created_at,
        "expires": row.expires_at,
        "url": payloads.address(request, "api_invitation", row.pk),
    }
