"""Shapes of flags, rulings and appeals."""

from rest_framework import serializers

from hub.api.pages import PageQuery
from hub.api.shapes import Fields
from hub.catalog.moderation import OPEN
from hub.models import Appeal, Flag, Ruling, Version
from hub.services.moderation import appeals


class FlagForm(Fields):
    """What is wrong with what. Who says so is shown to nobody."""

    name = serializers.CharField(
        max_length=193, help_text="`owner/name` of an embedding or a pack, or the name of an owner."
    )
    version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=999_999_999
    )
    picture = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The `id` of one of the pictures of that version.",
    )
    reason = serializers.ChoiceField(Flag.Reason.choices)
    text = serializers.CharField(required=False, default="", allow_blank=True, max_length=2_000)


class FlagShape(Fields):
    """A flag that you raised, and what became of it."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="`owner/name`, or an owner's name.")
    version = serializers.IntegerField(allow_null=True)
    picture = serializers.IntegerField(allow_null=True)
    reason = serializers.ChoiceField(Flag.Reason.choices, allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    created = serializers.DateTimeField()
    settled = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(Flag.Outcome.choices, allow_blank=True)


class FlagsShape(Fields):
    """A page of your own flags, newest first."""

    items = FlagShape(many=True)
    next = serializers.URLField(allow_null=True)


class QueuedFlagShape(FlagShape):
    """A flag as moderators see it."""

    rule = serializers.CharField(help_text="The rule of the safety page; `M1` for people's flags.")
    detail = serializers.DictField()
    note = serializers.CharField(allow_blank=True)
    settled_by = serializers.CharField(allow_null=True)
    page = serializers.URLField(help_text="What it is about, for people.")
    url = serializers.URLField()


class QueueShape(Fields):
    """A page of the queue, newest first."""

    items = QueuedFlagShape(many=True)
    next = serializers.URLField(allow_null=True)


class QueueQuery(PageQuery):
    """Which flags."""

    state = serializers.ChoiceField(sorted(OPEN), required=False, default="open")


class RulingsQuery(PageQuery):
    """Which rulings."""

    kind = serializers.ChoiceField(Ruling.Kind.choices, required=False)
    by = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=150, help_text="The moderator's name."
    )


class SettleForm(Fields):
    """What became of a flag, and a note for other moderators."""

    outcome = serializers.ChoiceField(Flag.Outcome.choices)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class RulingForm(Fields):
    """What to hold for a look or to take down; without a version all that the embedding offers."""

    name = serializers.CharField(max_length=193, help_text="`owner/name` of the embedding.")
    version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=999_999_999
    )
    kind = serializers.ChoiceField(Ruling.OF_VERSIONS)
    reason = serializers.CharField(max_length=280, help_text="Shown to the owner.")
    category = serializers.ChoiceField(
        Flag.Reason.choices, required=False, default=Flag.Reason.OTHER.value, help_text="Shown to everybody."
    )


class LiftForm(Fields):
    """Why it is taken back, for other moderators."""

    reason = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class AppealForm(Fields):
    """Why the ruling is wrong: one message, which another moderator reads."""

    text = serializers.CharField(max_length=appeals.TEXT_MAX)


class AnswerForm(Fields):
    """What comes of an appeal, and what its owner reads of it."""

    outcome = serializers.ChoiceField(Appeal.Outcome.choices)
    answer = serializers.CharField(max_length=280)


class AppealShape(Fields):
    """What the owner answered, and what came of it; `settled` is null while nobody has looked."""

    text = serializers.CharField()
    made = serializers.DateTimeField()
    outcome = serializers.ChoiceField(Appeal.Outcome.choices, allow_blank=True)
    answer = serializers.CharField(allow_blank=True)
    settled = serializers.DateTimeField(allow_null=True)


class OwnRulingShape(Fields):
    """A decision about something of yours. Who made it is not told."""

    id = serializers.IntegerField()
    name = serializers.CharField(help_text="`owner/name`, or an owner's name.")
    version = serializers.IntegerField(allow_null=True)
    kind = serializers.ChoiceField(Ruling.Kind.choices)
    rule = serializers.CharField(
        allow_blank=True, help_text="The hub's rule that made it; else a moderator did."
    )
    category = serializers.ChoiceField(Flag.Reason.choices)
    reason = serializers.CharField()
    made = serializers.DateTimeField()
    lifted = serializers.DateTimeField(allow_null=True)
    lifted_reason = serializers.CharField(allow_blank=True)
    appeal = AppealShape(allow_null=True)
    url = serializers.URLField()


class OwnRulingsShape(Fields):
    """A page of them, newest first."""

    items = OwnRulingShape(many=True)
    next = serializers.URLField(allow_null=True)


class RulingShape(OwnRulingShape):
    """A decision, lifted or not: about a version or a picture of one, a pack or an owner."""

    state = serializers.ChoiceField(
        Version.State.choices, allow_null=True, help_text="What the version is now; null without one."
    )
    made_by = serializers.CharField(allow_null=True)
    lifted_by = serializers.CharField(allow_null=True)


class MadeRulingsShape(Fields):
    """A ruling for each version that it is about."""

    items = RulingShape(many=True)


class RulingsShape(MadeRulingsShape):
    """A page of all rulings, newest first."""

    next = serializers.URLField(allow_null=True)
