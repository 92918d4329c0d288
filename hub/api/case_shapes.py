"""Shapes of the moderators' cases."""

from typing import Final

from rest_framework import serializers

from hub.api.moderation_shapes import QueuedFlagShape, QueueQuery, RulingShape
from hub.api.shapes import Fields
from hub.catalog.case_shapes import KINDS
from hub.models import Flag, Preview, Ruling, Version

# What a case is about.
ABOUT: Final = [(kind, kind) for kind in KINDS]


class CasesQuery(QueueQuery):
    """Which cases."""

    about = serializers.ChoiceField(ABOUT, required=False)
    reason = serializers.ChoiceField(
        [*Flag.Reason.values, "rule"],
        required=False,
        help_text="`rule`: what the hub's own rules found.",
    )


class SaidShape(Fields):
    """A reason, and how many flags give it; flags of the hub's own rules have none but their `rule`."""

    reason = serializers.ChoiceField(Flag.Reason.choices, allow_blank=True)
    rule = serializers.CharField()
    flags = serializers.IntegerField()


class CaseShape(Fields):
    """Something that was flagged, with what the flags say; `held` is what rulings on it say now."""

    about = serializers.ChoiceField(ABOUT)
    number = serializers.IntegerField()
    name = serializers.CharField(help_text="`owner/name`, or an owner's name.")
    flags = serializers.IntegerField()
    people = serializers.IntegerField(help_text="How many people raised them.")
    oldest = serializers.DateTimeField()
    reasons = SaidShape(many=True)
    held = serializers.ListField(child=serializers.ChoiceField(Ruling.Kind.choices))
    url = serializers.URLField()


class CasesShape(Fields):
    """A page of cases, the longest waiting first."""

    items = CaseShape(many=True)
    next = serializers.URLField(allow_null=True)


class CaseFlagShape(QueuedFlagShape):
    """A flag of a case; `is_trusted` where it counts for more, because of whom it comes from."""

    is_trusted = serializers.BooleanField()


class CasePictureShape(Fields):
    """A picture, for moderators' eyes, whatever state its version is in. `upload`s can be removed one by one."""

    id = serializers.IntegerField()
    role = serializers.ChoiceField(Preview.Role.choices)
    alt = serializers.CharField(allow_blank=True)
    prompt = serializers.CharField(allow_blank=True)
    is_reported = serializers.BooleanField()
    url = serializers.URLField()


class CaseFileShape(Fields):
    """A file of a version."""

    path = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class CaseVersionShape(Fields):
    """What moderators know of a version; `source` is how its file came: name, container and digest."""

    number = serializers.IntegerField()
    state = serializers.ChoiceField(Version.State.choices)
    trigger = serializers.CharField()
    family = serializers.CharField()
    licence = serializers.CharField()
    notes = serializers.CharField(allow_blank=True)
    warnings = serializers.ListField(child=serializers.JSONField())
    published = serializers.DateTimeField()
    is_trained_here = serializers.BooleanField()
    source = serializers.DictField(child=serializers.CharField(allow_blank=True))
    files = CaseFileShape(many=True)
    pictures = CasePictureShape(many=True)


class CaseOwnerShape(Fields):
    """Whose it is; a team has no account, so that nothing of it is frozen."""

    name = serializers.CharField()
    is_team = serializers.BooleanField()
    is_frozen = serializers.BooleanField()
    is_moderator = serializers.BooleanField()
    about = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()
    published = serializers.IntegerField(help_text="How many embeddings.")
    url = serializers.URLField(help_text="The owner as a case.")


class WholeCaseShape(Fields):
    """A case with all that is known of it. Who raised a flag is told to nobody."""

    about = serializers.ChoiceField(ABOUT)
    number = serializers.IntegerField()
    name = serializers.CharField()
    title = serializers.CharField(allow_blank=True)
    text = serializers.CharField(
        allow_blank=True, help_text="Its card or description, or the profile's text."
    )
    is_private = serializers.BooleanField(
        help_text="Shown because it was reported; the look is written down."
    )
    owner = CaseOwnerShape()
    flags = CaseFlagShape(many=True, help_text="Open and settled, newest first, a hundred at most.")
    versions = CaseVersionShape(many=True)
    members = serializers.ListField(child=serializers.CharField(), help_text="Of a pack: `owner/name@v1`.")
    rulings = RulingShape(many=True)
    elsewhere = RulingShape(many=True, help_text="On other things of the same owner, the newest twenty.")
    page = serializers.URLField(help_text="The case, for people.")
    url = serializers.URLField()


class CaseRulingForm(Fields):
    """What is decided: of an embedding `quarantine` or `take_down` (of one `version`, else of all that is offered) or
    `remove_picture`, of a pack `quarantine`, of a person `clear` or `freeze`."""

    kind = serializers.ChoiceField(Ruling.Kind.choices)
    version = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=999_999_999
    )
    picture = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        max_value=2**63 - 1,
        help_text="The `id` of the picture to remove.",
    )
    reason = serializers.CharField(max_length=280, help_text="Shown to the owner.")
    category = serializers.ChoiceField(
        Flag.Reason.choices, required=False, default=Flag.Reason.OTHER.value, help_text="Shown to everybody."
    )


class DismissForm(Fields):
    """Why there is nothing to do, for other moderators."""

    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class DismissedShape(Fields):
    """How many flags are settled by it."""

    settled = serializers.IntegerField()
