"""Teams: one's own with what one was asked into, a new one, and the page where a team is run."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.access import Viewer, require
from hub.catalog import teams as reads
from hub.errors import HubError, Invalid
from hub.models import Role, Team
from hub.services.people import teammates
from hub.services.people import teams as services
from hub.web import forms, team_forms
from hub.wire.auth import viewer_of


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """The viewer's teams, and the invitations that wait for an answer."""
    viewer = viewer_of(request)
    context = {"memberships": reads.list_own(viewer), "invitations": reads.invitations(viewer)}
    return render(request, "teams/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new team."""
    form = team_forms.NewTeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = services.create(viewer_of(request), **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"The team {team.owner.name} is made. Ask people into it.")
            return redirect("team", team.owner.name)
    return render(request, "teams/new.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
def answer(request: HttpRequest, number: int) -> HttpResponse:
    """Yes or no to an invitation."""
    viewer = viewer_of(request)
    row = reads.invitation(viewer, number=number)
    if request.POST.get("answer") == "yes":
        membership = teammates.accept(viewer, invitation=row)
        messages.success(request, f"You are {membership.get_role_display()} of {row.team.owner.name} now.")
        return redirect("profile", row.team.owner.name)
    teammates.decline(viewer, invitation=row)
    messages.success(request, f"You declined to enter {row.team.owner.name}.")
    return redirect("teams")


@require_http_methods(["GET", "HEAD", "POST"])
def team(request: HttpRequest, name: str) -> HttpResponse:
    """Where a team is run: its people, whom it asked, what its page says. A POST changes the last."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    form = team_forms.AboutForm(request.POST or None, initial={"title": row.title, "about": row.about})
    if request.method == "POST" and form.is_valid():
        try:
            services.describe(viewer, team=row, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("team", row.owner.name)
    return _shown(request, row, about=form)


@require_POST
def invite(request: HttpRequest, name: str) -> HttpResponse:
    """One person more who is asked."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    require(viewer, "manage_members", row)
    form = _invite_form(viewer, row, request.POST)
    if form.is_valid():
        fields = dict(form.cleaned_data)
        _fresh_for(request, fields["role"])
        try:
            asked = teammates.invite(viewer, team=row, name=fields.pop("person"), **fields)
        except HubError as error:
            form.add_error("person" if error.field == "name" else error.field, error.message)
        else:
            messages.success(request, f"{asked.user.username} is asked in.")
            return redirect("team", row.owner.name)
    return _shown(request, row, asking=form)


@require_POST
def change(request: HttpRequest, name: str, person: str) -> HttpResponse:
    """Another role for a member, or the end of the membership."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    given: dict[str, Any] = {"team": row, "name": person, "reason": request.POST.get("reason", "")}
    do, role = request.POST.get("do"), request.POST.get("role", "")
    if do == "remove":
        return _done(request, row, lambda: teammates.remove(viewer, **given), f"{person} is out of the team.")
    if do != "role":
        raise Invalid("malformed_request", "A member gets another role, or is removed.", field="do")
    _fresh_for(request, role)
    return _done(
        request, row, lambda: teammates.change_role(viewer, role=role, **given), f"{person} is {role} now."
    )


@require_POST
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take an invitation back."""
    viewer = viewer_of(request)
    row = reads.invitation(viewer, number=number)
    reason = request.POST.get("reason", "")
    told = f"The invitation of {row.user.username} is withdrawn."
    return _done(request, row.team, lambda: teammates.withdraw(viewer, invitation=row, reason=reason), told)


@require_POST
def leave(request: HttpRequest, name: str) -> HttpResponse:
    """Leave a team."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    try:
        teammates.leave(viewer, team=row)
    except HubError as error:
        messages.error(request, error.message)
        return redirect("team", row.owner.name)
    messages.success(request, f"You left {row.owner.name}.")
    return redirect("teams")


@require_POST
@reauthentication_required
def rename(request: HttpRequest, name: str) -> HttpResponse:
    """Another name for the team."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    form = team_forms.RenameForm(request.POST)
    if form.is_valid():
        try:
            row = services.rename(viewer, team=row, name=form.cleaned_data["name"])
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"The team is called {row.owner.name} now; old addresses lead here.")
            return redirect("team", row.owner.name)
    return _shown(request, row, naming=form)


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Delete a team, once its name was typed."""
    viewer = viewer_of(request)
    row = reads.get(viewer, name=name)
    require(viewer, "delete_team", row)
    form = forms.DeleteForm(request.POST or None, name=row.owner.name)
    if request.method == "POST" and form.is_valid():
        try:
            services.delete(viewer, team=row)
        except HubError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"The team {row.owner.name} is deleted. Nobody gets its name again.")
            return redirect("teams")
    context = {"form": form, "team": row}
    return render(request, "teams/delete.html", context, status=422 if form.errors else 200)


def _fresh_for(request: HttpRequest, role: str) -> None:
    """Admins are made by those who gave their password shortly before (rule T3)."""
    if role == Role.ADMIN:
        raise_if_reauthentication_required(request, app="")


def _invite_form(viewer: Viewer, row: Team, data: Any = None) -> team_forms.InviteForm:
    return team_forms.InviteForm(data, wants_reason=reads.whole(viewer, team=row).role is not Role.ADMIN)


def _done(request: HttpRequest, row: Team, act: Callable[[], object], told: str) -> HttpResponse:
    """Do it and go back to the team; what was refused is said there."""
    try:
        act()
    except HubError as error:
        if error.kind not in ("conflict", "unacceptable", "forbidden"):
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, told)
    return redirect("team", row.owner.name)


def _shown(request: HttpRequest, row: Team, **given: Any) -> HttpResponse:
    """The page where a team is run, with what is wrong in the one form that was sent."""
    viewer = viewer_of(request)
    page = reads.whole(viewer, team=row)
    if page.role is None:
        # Nobody else has business here: the team's public page shows its people.
        require(viewer, "manage_members", row)
    fresh = {
        "about": team_forms.AboutForm(initial={"title": row.title, "about": row.about}),
        "asking": team_forms.InviteForm(wants_reason=page.role is not Role.ADMIN),
        "naming": team_forms.RenameForm(),
    }
    context = {"page": page, "team": row, "roles": Role.choices, **fresh, **given}
    wrong = any(form.errors for form in given.values())
    return render(request, "teams/team.html", context, status=422 if wrong else 200)
