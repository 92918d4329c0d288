"""Reads of teams: one by name with its people, a viewer's own, the names that a viewer may write under."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from hub.access import Viewer, acts_on, allows, can, has_scope_for, require, role_on, under
from hub.errors import Forbidden, NotFound
from hub.models import FormerTeamName, Invitation, Membership, Owner, Role, Team


@dataclass(frozen=True)
class TeamPage:
    """A team with its people, admins first; `invitations` are for those who may send them. `role` is the
    viewer's own, `may` holds the acts."""

    team: Team
    members: tuple[Membership, ...]
    invitations: tuple[Invitation, ...]
    role: Role | None
    may: frozenset[str]


def get(viewer: Viewer, *, name: str) -> Team:
    """The team of that name, of today or of before, ignoring case. NotFound when there is none."""
    if not allows(viewer, "see_public"):
        raise NotFound("There is no team of this name.")
    former = FormerTeamName.objects.filter(name=name.lower()).values("owner")
    found = (
        Team.objects.select_related("owner").filter(Q(owner__name=name.lower()) | Q(owner__in=former)).first()
    )
    if found is None:
        raise NotFound("There is no team of this name.")
    return found


def whole(viewer: Viewer, *, team: Team) -> TeamPage:
    """The team as this viewer sees it; as many queries for many people as for one."""
    may = acts_on(viewer, team)
    return TeamPage(
        team=team,
        members=members(team),
        invitations=tuple(asked(team)) if "see_invitations" in may else (),
        role=role_on(viewer, team),
        may=may,
    )


def members(team: Team) -> tuple[Membership, ...]:
    """The people of a team, admins first, then by name."""
    rows = Membership.objects.filter(team=team, user__is_active=True).select_related("user", "team__owner")
    return tuple(sorted(rows, key=lambda row: (-Role(row.role).rank, row.user.username)))


def member(viewer: Viewer, *, team: Team, name: str) -> Membership:
    """One person of a team. NotFound for anybody else."""
    rows = Membership.objects.filter(team=team).select_related("user", "team__owner")
    found = rows.filter(user__username=name.lower()).first()
    if found is None:
        raise NotFound("There is nobody of this name in this team.")
    return found


def asked(team: Team) -> QuerySet[Invitation]:
    """The invitations of a team that wait for an answer."""
    rows = Invitation.objects.pending().filter(team=team)
    return rows.select_related("user", "invited_by", "team__owner")


def list_own(viewer: Viewer) -> list[tuple[Membership, int]]:
    """The viewer's memberships by the name of the team, each with how many people it has. Refused as by `require`."""
    require(viewer, "see_teams", viewer.user)
    rows = Membership.objects.filter(user=viewer.user).select_related("team__owner")
    counted = rows.annotate(people=Count("team__members")).order_by("team__owner__name")
    return [(row, row.people) for row in counted]


def invitations(viewer: Viewer) -> QuerySet[Invitation]:
    """What the viewer was asked into and has not answered, the oldest first."""
    if viewer.user is None or not has_scope_for(viewer, "answer_invitation"):
        return Invitation.objects.none()
    rows = Invitation.objects.pending().filter(user=viewer.user)
    return rows.select_related("team__owner", "invited_by", "user")


def invitation(viewer: Viewer, *, number: int) -> Invitation:
    """An invitation that the viewer may answer or take back. NotFound for any other."""
    rows = Invitation.objects.pending().select_related("team__owner", "invited_by", "user")
    row = rows.filter(pk=number).first()
    is_own = row is not None and viewer.user is not None and row.user_id == viewer.user.pk
    if row is None or not (is_own or can(viewer, "see_invitations", row.team)):
        raise NotFound("There is no such invitation; it may have ended.")
    return row


def owners(viewer: Viewer, *, act: str) -> list[Owner]:
    """The names under which the viewer may do this, their own first."""
    if viewer.user is None or not has_scope_for(viewer, act):
        return []
    rows = Owner.objects.filter(_named_by(viewer, act), retired_at=None).order_by("name")
    return sorted(rows, key=lambda row: row.pk != viewer.user.owner_id if viewer.user else False)


def memberships(viewer: Viewer, *, least: Role = Role.READER) -> list[Membership]:
    """The viewer's teams by name, those where they have at least this role, whatever their token may do there."""
    enough = [role for role in Role if role.rank >= least.rank]
    rows = Membership.objects.filter(user=viewer.user, role__in=enough)
    return list(rows.select_related("team__owner").order_by("team__owner__name"))


def owner(viewer: Viewer, *, name: str, act: str) -> Owner:
    """The name under which the viewer wants to do this; their own where they give none.

    Forbidden for one where their role does not allow it, whether or not anybody has it.
    """
    if viewer.user is None:
        require(viewer, act, None)
        raise Forbidden("forbidden", "Sign in first.")
    wanted = name.strip().lower()
    if wanted in ("", viewer.user.owner.name):
        return viewer.user.owner
    found = Owner.objects.filter(_named_by(viewer, act), name=wanted, retired_at=None).first()
    if found is None:
        raise Forbidden("forbidden", f"You cannot make anything under the name {wanted[:96]}.", field="owner")
    return found


def _named_by(viewer: Viewer, act: str) -> Q:
    assert viewer.user is not None
    return Q(pk=viewer.user.owner_id) | Q(team__in=Team.objects.filter(under(viewer, act)))
