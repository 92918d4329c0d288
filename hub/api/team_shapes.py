"""Shapes of teams, their people and invitations."""

from rest_framework import serializers

from hub.api.shapes import Fields
from hub.models import Role


class TeamShape(Fields):
    """A name that several people publish under."""

    name = serializers.CharField(help_text="The owner in `owner/name`.")
    title = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()
    people = serializers.IntegerField(help_text="How many members it has.")
    role = serializers.ChoiceField(Role.choices, allow_null=True, help_text="Yours in it; null for none.")
    members = serializers.URLField()
    embeddings = serializers.URLField()
    page = serializers.URLField()
    url = serializers.URLField()


class TeamsShape(Fields):
    """A page of the teams that you are in, by name."""

    items = TeamShape(many=True)
    next = serializers.URLField(allow_null=True)


class NewTeamForm(Fields):
    """A team to be made; you are its first admin."""

    name = serializers.CharField(max_length=96)
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    about = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class TeamChangesForm(Fields):
    """What is sent is changed."""

    title = serializers.CharField(required=False, max_length=120)
    about = serializers.CharField(required=False, allow_blank=True, max_length=280)


class TeamNameForm(Fields):
    """The name that it shall have."""

    name = serializers.CharField(max_length=96)


class TransferForm(Fields):
    """Who gets it."""

    owner = serializers.CharField(
        max_length=96, help_text="Your own name, or that of a team that you write for."
    )


class TeammateShape(Fields):
    """A person in a team."""

    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
    since = serializers.DateTimeField()
    url = serializers.URLField()


class TeammatesShape(Fields):
    """A page of a team's people, admins first, then by name."""

    items = TeammateShape(many=True)
    next = serializers.URLField(allow_null=True)


class RoleForm(Fields):
    """The role to have. Administrators of the hub say why."""

    role = serializers.ChoiceField(Role.choices)
    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class ReasonQuery(Fields):
    """Why: asked of administrators of the hub alone."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class NewInvitationForm(RoleForm):
    """Whom to ask, and as what."""

    name = serializers.CharField(max_length=96, help_text="The person's name on this hub.")


class InvitationShape(Fields):
    """A person is asked into a team and has not answered."""

    id = serializers.IntegerField()
    team = serializers.CharField()
    person = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)
    invited_by = serializers.CharField()
    created = serializers.DateTimeField()
    expires = serializers.DateTimeField()
    url = serializers.URLField()


class InvitationsShape(Fields):
    """A page of invitations that wait for an answer, newest first."""

    items = InvitationShape(many=True)
    next = serializers.URLField(allow_null=True)
