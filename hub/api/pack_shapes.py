"""Shapes of packs and likes."""

from rest_framework import serializers

from hub.api.pages import PageQuery
from hub.api.shapes import Fields
from hub.models import Collection, Version


class PackHeadShape(Fields):
    """A pack in a list."""

    name = serializers.CharField(help_text="`owner/name`.")
    owner = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    visibility = serializers.ChoiceField(Collection.Visibility.choices)
    created = serializers.DateTimeField()
    updated = serializers.DateTimeField()
    page = serializers.URLField()
    url = serializers.URLField()
    lock = serializers.URLField()


class PackItemShape(PackHeadShape):
    """A pack of a list, with how many members the caller may pull."""

    count = serializers.IntegerField()


class PackMemberShape(Fields):
    """A pinned version."""

    id = serializers.IntegerField(help_text="Names the member in addresses and in `order`.")
    name = serializers.CharField()
    version = serializers.IntegerField()
    commit = serializers.CharField()
    trigger = serializers.CharField()
    family = serializers.CharField()
    state = serializers.ChoiceField(Version.State.choices)
    note = serializers.CharField(allow_blank=True)
    newer = serializers.IntegerField(allow_null=True, help_text="A newer version that could be pinned.")
    sha256 = serializers.CharField()


class PackShape(PackHeadShape):
    """A pack. `hidden` counts members that its owner cannot see any more; it is 0 for everybody else."""

    revision = serializers.CharField()
    hidden = serializers.IntegerField()
    members = PackMemberShape(many=True)


class LockShape(Fields):
    """A lock file; to the byte the same for the same pack."""

    lock_version = serializers.IntegerField()
    hub = serializers.CharField()
    pack = serializers.CharField(allow_null=True)
    created_from = serializers.CharField(allow_null=True, help_text="The revision of the pack.")
    members = serializers.ListField(child=serializers.DictField())


class PacksShape(Fields):
    """A page of the list; `next` leads to the following one, null at the end."""

    items = PackItemShape(many=True)
    next = serializers.URLField(allow_null=True)
    page = serializers.IntegerField(help_text="The page that was asked for by number; with a cursor 1.")
    pages = serializers.IntegerField()


class PacksQuery(PageQuery):
    """Which packs; in place of `cursor` a page can be named by its number."""

    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=100, help_text="Part of title or name."
    )
    owner = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=60,
        help_text="With it your private ones too.",
    )
    holds = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=193,
        help_text="`owner/name` of an embedding in it.",
    )
    page = serializers.IntegerField(required=False, default=1, min_value=1, max_value=1_000)


class NewPackForm(Fields):
    """An empty pack under the caller's name, or that of a team."""

    name = serializers.CharField(max_length=96)
    owner = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=96,
        help_text="A team that you may write for; without it your own name.",
    )
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    description = serializers.CharField(required=False, default="", allow_blank=True, max_length=8_192)
    visibility = serializers.ChoiceField(Collection.Visibility.choices, required=False, default="public")


class PackChangesForm(Fields):
    """What is sent is changed. `order` lists ids of members; those left out keep theirs at the end."""

    name = serializers.CharField(required=False, max_length=96)
    title = serializers.CharField(required=False, max_length=120)
    description = serializers.CharField(required=False, allow_blank=True, max_length=8_192)
    visibility = serializers.ChoiceField(Collection.Visibility.choices, required=False)
    order = serializers.ListField(child=serializers.IntegerField(min_value=1), required=False, max_length=200)


class NewMemberForm(Fields):
    """A version to pin; without a number the newest that is offered."""

    name = serializers.CharField(max_length=193, help_text="`owner/name` of the embedding.")
    version = serializers.IntegerField(required=False, min_value=1, max_value=999_999_999)
    note = serializers.CharField(required=False, default="", allow_blank=True, max_length=280)


class MemberChangesForm(Fields):
    """What is sent is changed. A version of null is the newest that is offered."""

    version = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=999_999_999)
    note = serializers.CharField(required=False, allow_blank=True, max_length=280)


class LikesShape(Fields):
    """How many like it, and whether the caller does."""

    likes = serializers.IntegerField()
    is_liked = serializers.BooleanField()
