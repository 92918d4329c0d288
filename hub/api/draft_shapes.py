"""Shapes of drafts, and of the pictures of drafts and versions."""

from rest_framework import serializers

from hub.api.shapes import Fields, PictureShape, Upload
from hub.formats import FAMILIES
from hub.models import Preview, Version


class ShownPictureShape(PictureShape):
    """A picture of a version: a cell of its sheet, the whole sheet, or the publisher's own."""

    id = serializers.IntegerField(help_text="Names the picture in addresses and in `order`.")
    role = serializers.ChoiceField(
        Preview.Role.choices, help_text="`upload` is the publisher's own; the hub drew the others."
    )
    block = serializers.CharField(
        allow_blank=True, help_text="The sheet's block, A to G, or H for the maker's own prompts."
    )
    row = serializers.IntegerField()
    column = serializers.IntegerField()
    is_control = serializers.BooleanField(help_text="Drawn without the word.")


class PicturesShape(Fields):
    """A page of all pictures: the sheet's, then the publisher's own in their order."""

    items = ShownPictureShape(many=True)
    next = serializers.URLField(allow_null=True)


class NewPictureForm(Fields):
    """A picture made with the word; prompt and seed are read from it where it tells them."""

    file = Upload()


class PictureOrderForm(Fields):
    """Ids of the publisher's own pictures; those left out keep their order at the end."""

    order = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=100)


class DraftShape(Fields):
    """What waits to be published, seen by its owner alone. All of it may still change."""

    id = serializers.IntegerField()
    embedding = serializers.CharField(help_text="`owner/name`.")
    state = serializers.ChoiceField(Version.State.choices)
    trigger = serializers.CharField()
    family = serializers.ChoiceField(sorted(FAMILIES))
    base_model = serializers.CharField(allow_null=True)
    vectors_per_token = serializers.IntegerField()
    encoders = serializers.ListField(child=serializers.DictField())
    licence = serializers.CharField(allow_blank=True)
    notes = serializers.CharField(allow_blank=True)
    label = serializers.CharField(allow_blank=True)
    initializer = serializers.CharField(allow_blank=True)
    warnings = serializers.ListField(child=serializers.JSONField())
    created = serializers.DateTimeField()
    is_trained_here = serializers.BooleanField()
    tensor_digest = serializers.CharField()
    sheet_state = serializers.ChoiceField(Version.SheetState.choices)
    sheet_message = serializers.CharField(allow_blank=True)
    insights = serializers.DictField(help_text="Measures of the sheet, and the words nearest to each vector.")
    pictures = ShownPictureShape(many=True)
    page = serializers.URLField()
    url = serializers.URLField()


class DraftsShape(Fields):
    """A page of your own drafts, newest first."""

    items = DraftShape(many=True)
    next = serializers.URLField(allow_null=True)


class DraftForm(Fields):
    """What is sent is changed. A base model of null is one that nobody knows."""

    trigger = serializers.CharField(required=False, max_length=64)
    licence = serializers.CharField(required=False, max_length=64)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    label = serializers.CharField(required=False, allow_blank=True, max_length=40)
    base_model = serializers.CharField(required=False, allow_null=True, max_length=96)


class LastWordForm(Fields):
    """A last word before it freezes; what is left out is as the draft has it."""

    trigger = serializers.CharField(required=False, max_length=64)
    licence = serializers.CharField(required=False, max_length=64)
    notes = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    label = serializers.CharField(required=False, allow_blank=True, max_length=40)
