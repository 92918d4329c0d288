"""Teams themselves: made, described, renamed, deleted. `teammates` has what is done to the people in one."""

from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from hub.access import Viewer, require
from hub.errors import Conflict, NotFound
from hub.models import Collection, Embedding, FormerTeamName, Membership, Owner, Role, Team
from hub.services import audit, indexing, texts
from hub.services.embeddings import details, names
from hub.services.versions import commits

MOST_TEAMS: Final = 20


def create(viewer: Viewer, *, name: str, title: str = "", about: str = "") -> Team:
    """A team whose only member is the viewer, as its admin.

    Unacceptable for an illegal or reserved name, Conflict `name_taken`, `name_too_similar` or `too_many_teams`.
    """
    require(viewer, "create_team", viewer.user)
    assert viewer.user is not None
    name = name.strip().lower()
    names.check_owner_name(name)
    team = _described(Team(created_by=viewer.user), title=title or name, about=about)
    try:
        with transaction.atomic():
            # One at a time for each person, or two could pass the limit together.
            Owner.objects.select_for_update(no_key=True).get(pk=viewer.user.owner_id)
            if Membership.objects.filter(user=viewer.user, role=Role.ADMIN).count() >= MOST_TEAMS:
                raise Conflict(
                    "too_many_teams",
                    f"You are an admin of {MOST_TEAMS} teams, which is the most. Delete or leave one first.",
                )
            team.owner = Owner.objects.create(name=name, look_alike=names.look_alike(name))
            team.save(force_insert=True)
            Membership.objects.create(team=team, user=viewer.user, role=Role.ADMIN)
            audit.record(viewer, "create_team", name)
    except IntegrityError:
        raise Conflict("name_taken", f"The name “{name}” is taken. Choose another.", field="name") from None
    return team


def describe(viewer: Viewer, *, team: Team, title: str | None = None, about: str | None = None) -> Team:
    """Change what the team's page says of it. Unacceptable with the field."""
    require(viewer, "edit_team", team)
    with transaction.atomic():
        row = locked(team)
        _described(row, title=title, about=about).save(update_fields=["title", "about"])
        audit.record(viewer, "update_team", row)
    return row


def rename(viewer: Viewer, *, team: Team, name: str) -> Team:
    """Give the team another name; the old one leads to it for ever, and nobody else gets it. Harmless to repeat.

    Unacceptable for an illegal or reserved name, Conflict `name_taken` or `name_too_similar`.
    """
    require(viewer, "rename_team", team)
    name = name.strip().lower()
    try:
        return _rename(viewer, team, name)
    except IntegrityError:
        raise Conflict("name_taken", f"The name “{name}” is taken. Choose another.", field="name") from None


def _rename(viewer: Viewer, team: Team, name: str) -> Team:
    with transaction.atomic():
        row = locked(team)
        owner, before = row.owner, row.owner.name
        if name == before:
            return row
        names.check_owner_name(name, besides=owner)
        FormerTeamName.objects.filter(owner=owner, name=name).delete()
        FormerTeamName.objects.create(owner=owner, name=before, look_alike=owner.look_alike)
        owner.name, owner.look_alike = name, names.look_alike(name)
        owner.save(update_fields=["name", "look_alike"])
        rows = Embedding.objects.alive().filter(owner=owner).select_related("owner", "head__base_model")
        for embedding in rows.order_by("pk"):
            readdress(viewer, embedding, before=f"{before}/{embedding.name}")
        audit.record(viewer, "rename_team", name, before=before)
    return row


def readdress(viewer: Viewer, embedding: Embedding, *, before: str) -> None:
    """Let card and search say the full name that an embedding has now, in the caller's transaction."""
    readme = commits.prepare(embedding, embedding.head, details.tag_slugs(embedding))
    commits.follow_card(viewer, embedding, readme, message=f"Move from {before} to {embedding.full_name}")
    indexing.refresh(embedding)


def delete(viewer: Viewer, *, team: Team) -> None:
    """Delete a team that has nothing left under its name, which nobody gets again. Conflict `team_not_empty`."""
    require(viewer, "delete_team", team)
    with transaction.atomic():
        row = locked(team)
        names.hold(row.owner)
        left = Embedding.objects.alive().filter(owner=row.owner).count()
        left += Collection.objects.filter(owner=row.owner).count()
        if left:
            raise Conflict(
                "team_not_empty",
                f"{row.owner.name} still has {left} embedding{'' if left == 1 else 's'} or packs. Delete them, or "
                "transfer them to another owner, first.",
            )
        audit.record(viewer, "delete_team", row)
        Owner.objects.filter(pk=row.pk).update(retired_at=timezone.now())
        row.delete()


def locked(team: Team) -> Team:
    """The team's row, held to the end of the caller's transaction. NotFound when it was deleted."""
    rows = Team.objects.select_for_update(of=("self",)).select_related("owner")
    row = rows.filter(pk=team.pk).first()
    if row is None:
        raise NotFound("There is no team of this name.")
    return row


def _described(team: Team, *, title: str | None, about: str | None) -> Team:
    if title is not None:
        team.title = texts.line(title, field="title", most=texts.TITLE_MAX, required=True)
    if about is not None:
        team.about = texts.line(about, field="about", most=texts.SUMMARY_MAX)
    return team
