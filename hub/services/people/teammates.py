"""The people of a team: invited, taken in, given another role, gone. Nobody gives more than they have (rule Z3)."""

from typing import Final

from django.db import transaction

from hub import jobs
from hub.access import Viewer, require, role_on
from hub.errors import Conflict, Forbidden, NotFound, Unacceptable
from hub.models import Invitation, Membership, Role, Team, User
from hub.models.team import in_two_weeks
from hub.services import audit, texts
from hub.services.people import mailing, teams

MOST_INVITATIONS: Final = 50


def invite(viewer: Viewer, *, team: Team, name: str, role: str, reason: str = "") -> Invitation:
    """Ask a person into the team; asking again changes the role and begins the two weeks anew.

    Unacceptable with the field for nobody of that name or no such role, Conflict `already_member` or
    `too_many_invitations`; Forbidden for a role above the viewer's own. Administrators of the hub give a reason.
    """
    given, why = _allowed(viewer, team, role), _reason(viewer, team, reason)
    assert viewer.user is not None
    user = User.objects.filter(username=name.strip().lower(), is_active=True).first()
    if user is None:
        raise Unacceptable("field_invalid", "There is no person of this name on this hub.", field="name")
    with transaction.atomic():
        row = teams.locked(team)
        if row.members.filter(user=user).exists():
            raise Conflict("already_member", f"{user.username} is in this team already.", field="name")
        row.invitations.exclude(pk__in=row.invitations.pending().values("pk")).delete()
        if row.invitations.exclude(user=user).count() >= MOST_INVITATIONS:
            raise Conflict(
                "too_many_invitations", f"{MOST_INVITATIONS} people are invited already; withdraw one first."
            )
        invitation, is_new = Invitation.objects.update_or_create(
            team=row,
            user=user,
            defaults={"role": given, "invited_by": viewer.user, "expires_at": in_two_weeks()},
        )
        audit.record(viewer, "invite", row, person=user.username, role=given, reason=why)
        # Asking again and again sends no more mails.
        if is_new and mailing.can_mail(user):
            jobs.enqueue("mail_invitation", invitation.pk)
    return invitation


def withdraw(viewer: Viewer, *, invitation: Invitation, reason: str = "") -> None:
    """Take an invitation back; harmless to repeat."""
    require(viewer, "manage_members", invitation.team)
    why = _reason(viewer, invitation.team, reason)
    with transaction.atomic():
        gone, _ = Invitation.objects.filter(pk=invitation.pk).delete()
        if gone:
            person = invitation.user.username
            audit.record(viewer, "withdraw_invitation", invitation.team, person=person, reason=why)


def accept(viewer: Viewer, *, invitation: Invitation) -> Membership:
    """Enter the team that one was asked into. NotFound for an invitation that is not the viewer's or has ended."""
    require(viewer, "answer_invitation", viewer.user)
    with transaction.atomic():
        team = teams.locked(invitation.team)
        row = Invitation.objects.pending().filter(pk=invitation.pk, user=viewer.user, team=team).first()
        if row is None:
            raise NotFound("This invitation has ended. Ask an admin of the team for another one.")
        row.delete()
        membership, _ = Membership.objects.get_or_create(
            team=team, user=row.user, defaults={"role": row.role}
        )
        audit.record(viewer, "join_team", team, role=row.role, invited_by=row.invited_by.username)
    return membership


def decline(viewer: Viewer, *, invitation: Invitation) -> None:
    """Say no; harmless to repeat. NotFound for somebody else's."""
    require(viewer, "answer_invitation", viewer.user)
    if viewer.user is None or invitation.user_id != viewer.user.pk:
        raise NotFound("You have no such invitation.")
    with transaction.atomic():
        gone, _ = Invitation.objects.filter(pk=invitation.pk).delete()
        if gone:
            audit.record(viewer, "decline_invitation", invitation.team)


def change_role(viewer: Viewer, *, team: Team, name: str, role: str, reason: str = "") -> Membership:
    """Give a member another role, from their next request on. NotFound for nobody of that name in the team.

    Forbidden for one's own role and for one above it, Conflict `last_admin` where none would be left.
    """
    given, why = _allowed(viewer, team, role), _reason(viewer, team, reason)
    with transaction.atomic():
        row = teams.locked(team)
        membership = _member(row, name)
        before = membership.role
        if viewer.user is not None and membership.user_id == viewer.user.pk:
            raise Forbidden("forbidden", "Nobody changes their own role; ask another admin of the team.")
        if before == given:
            return membership
        if given != Role.ADMIN:
            _check_not_last_admin(membership)
            _end_invitations_of(membership)
        membership.role = given
        membership.save(update_fields=["role"])
        audit.record(viewer, "change_role", row, person=name, before=before, role=given, reason=why)
    return membership


def remove(viewer: Viewer, *, team: Team, name: str, reason: str = "") -> None:
    """Take a member out; all that the membership gave ends with it (rule Z4). One's own name: leave.

    NotFound for nobody of that name in the team, Conflict `last_admin` where none would be left.
    """
    if viewer.user is not None and viewer.user.username == name.strip().lower():
        leave(viewer, team=team)
        return
    require(viewer, "manage_members", team)
    why = _reason(viewer, team, reason)
    with transaction.atomic():
        membership = _member(teams.locked(team), name)
        _check_not_last_admin(membership)
        _end(membership)
        audit.record(viewer, "remove_member", team, person=name, role=membership.role, reason=why)


def leave(viewer: Viewer, *, team: Team) -> None:
    """Leave a team. Conflict `last_admin` for its only admin, who makes another one first or deletes it."""
    require(viewer, "leave_team", team)
    assert viewer.user is not None
    with transaction.atomic():
        membership = _member(teams.locked(team), viewer.user.username)
        _check_not_last_admin(membership)
        _end(membership)
        audit.record(viewer, "leave_team", team, role=membership.role)


def _end(membership: Membership) -> None:
    """The row is all that gave rights: tokens, runs and signed links are held to it each time they are used."""
    _end_invitations_of(membership)
    membership.delete()


def _end_invitations_of(membership: Membership) -> None:
    """Who is no admin any more has nobody waiting to come in."""
    Invitation.objects.filter(team=membership.team_id, invited_by=membership.user_id).delete()


def _member(team: Team, name: str) -> Membership:
    rows = Membership.objects.select_related("user", "team__owner").filter(team=team)
    found = rows.filter(user__username=name.strip().lower()).first()
    if found is None:
        raise NotFound("There is nobody of this name in this team.")
    return found


def _check_not_last_admin(membership: Membership) -> None:
    admins = Membership.objects.filter(team=membership.team_id, role=Role.ADMIN, user__is_active=True)
    if membership.role == Role.ADMIN and not admins.exclude(pk=membership.pk).exists():
        raise Conflict(
            "last_admin",
            "A team has an admin at all times. Make another member an admin first, or delete the team.",
        )


def _allowed(viewer: Viewer, team: Team, role: str) -> Role:
    """The role that the viewer may give in this team. Unacceptable for none, Forbidden for one above their own."""
    require(viewer, "manage_members", team)
    if role not in Role.values:
        raise Unacceptable("field_invalid", f"One of {', '.join(Role.values)}.", field="role")
    given, own = Role(role), role_on(viewer, team)
    if given is Role.ADMIN:
        require(viewer, "make_admin", team)
    if own is not None and given.rank > own.rank and not viewer.is_administrator:
        raise Forbidden("forbidden", "Nobody gives a role above their own.")
    return given


def _reason(viewer: Viewer, team: Team, reason: str) -> str:
    """Why; asked of the hub's administrators alone, who do this to other people's teams."""
    is_theirs = role_on(viewer, team) is Role.ADMIN
    return texts.line(reason, field="reason", most=texts.SUMMARY_MAX, required=not is_theirs)
