"""Teams: names that several people publish under, each with a role."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from hub.models.people import Owner, User

INVITATION_DAYS: Final = 14


class Role(models.TextChoices):
    """What a member may do, from least to most: see, publish, decide."""

    READER = "reader", "reader"
    WRITER = "writer", "writer"
    ADMIN = "admin", "admin"

    @property
    def rank(self) -> int:
        """Its place, from 1 for the least."""
        return list(Role).index(self) + 1


class Team(models.Model):
    """A name that several people publish under. Its key is the owner's, so that a role is found by the name alone.

    A deleted team leaves its owner, retired: nobody gets the name again.
    """

    owner = models.OneToOneField(Owner, primary_key=True, on_delete=models.PROTECT, related_name="team")
    title = models.CharField(max_length=120)
    about = models.CharField(max_length=280, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.owner.name


class Membership(models.Model):
    """One person in one team. A team always has an admin."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


def in_two_weeks() -> datetime:
    """When an invitation that is sent now ends."""
    return timezone.now() + timedelta(days=INVITATION_DAYS)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Named questions about invitations."""

    def pending(self) -> "InvitationQuerySet":
        """Those that can still be accepted."""
        return self.filter(expires_at__gt=timezone.now(), user__is_active=True)


class Invitation(models.Model):
    """A person is asked into a team, and has not answered. The row is gone once it is answered or withdrawn.

    It dies with the membership of whoever sent it.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role.choices)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=in_two_weeks)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="invited_once")]

    def __str__(self) -> str:
        return f"{self.user} asked into {self.team}"


class FormerTeamName(models.Model):
    """A name that a team had before: it leads to the team, and no other owner gets it."""

    name = models.CharField(max_length=96, unique=True)
    look_alike = models.CharField(max_length=96, db_index=True)
    owner = models.ForeignKey(Owner, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.name
