"""Shapes of runs in the native API."""

from typing import Any

from django.utils.datastructures import MultiValueDict
from rest_framework import serializers

from hub.api.shapes import Fields, Upload
from hub.models.registry import Kind, Visibility
from trainer.models import TrainingRun
from trainer.presets import PRESETS


class RunShape(Fields):
    """A training run. `seconds_left` and `starts_in_seconds` are estimates, null where there is none."""

    id = serializers.UUIDField()
    embedding = serializers.CharField(help_text="`owner/name`.")
    state = serializers.ChoiceField(TrainingRun.State.choices)
    is_over = serializers.BooleanField()
    stage = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True, help_text="Why it failed, and what to do.")
    fault = serializers.CharField(allow_blank=True, help_text="`recipe`, `machine`, or empty.")
    base_model = serializers.CharField()
    trigger = serializers.CharField()
    kind = serializers.ChoiceField(Kind.choices)
    step = serializers.IntegerField()
    max_steps = serializers.IntegerField()
    place_in_line = serializers.IntegerField(allow_null=True)
    starts_in_seconds = serializers.IntegerField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)
    kept_steps = serializers.ListField(
        child=serializers.IntegerField(), help_text="Steps it can be gone on from."
    )
    recipe = serializers.DictField()
    warnings = serializers.ListField(child=serializers.JSONField())
    created = serializers.DateTimeField()
    version = serializers.IntegerField(allow_null=True, help_text="The number it was published under.")
    draft = serializers.URLField(allow_null=True, help_text="The draft that waits to be published.")
    has_draft = serializers.BooleanField(help_text="Whether a draft waits to be published.")
    tells_by_mail = serializers.BooleanField(help_text="Whether a mail is sent when it ends.")
    page = serializers.URLField()
    url = serializers.URLField()
    events = serializers.URLField()


class RunsShape(Fields):
    """A page of the viewer's own runs, newest first."""

    items = RunShape(many=True)
    next = serializers.URLField(allow_null=True)


class Pictures(serializers.ListField):
    """Files of one name in a form, however many."""

    child = Upload()

    def get_value(self, dictionary: Any) -> Any:
        """All values of the field."""
        if isinstance(dictionary, MultiValueDict):
            return dictionary.getlist(self.field_name)
        return super().get_value(dictionary)  # a body of JSON, which holds no files


class JsonInForm(serializers.JSONField):
    """JSON as a text in a form, or as it is in a body that is JSON itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, default=dict, binary=True, **options)

    def to_internal_value(self, data: Any) -> Any:
        """The value."""
        return data if isinstance(data, dict | list) else super().to_internal_value(data)


class TextsByName(JsonInForm):
    """An object of texts by the names of files, as JSON."""

    def to_internal_value(self, data: Any) -> Any:
        """The object."""
        value = super().to_internal_value(data)
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise serializers.ValidationError('Send an object of texts, as in {"one.png": "on a beach"}.')
        return value


class BoxesByName(JsonInForm):
    """An object of four numbers each by the names of files, as JSON."""

    def to_internal_value(self, data: Any) -> Any:
        """The object."""
        value = super().to_internal_value(data)
        if not isinstance(value, dict) or not all(_is_box(box) for box in value.values()):
            raise serializers.ValidationError('Send an object, as in {"one.png": [0.1, 0, 0.6, 0.5]}.')
        return value


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(type(one) in (int, float) for one in value)


class NewRunForm(Fields):
    """What to learn: pictures, or the name of a bundled set, and the word. `settings` are those of the recipe."""

    name = serializers.CharField(
        max_length=63, help_text="The new embedding's address under the name of its owner."
    )
    owner = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=96,
        help_text="A team that you may write for; without it your own name.",
    )
    kind = serializers.ChoiceField(Kind.choices)
    base_model = serializers.CharField(max_length=96)
    licence = serializers.CharField(max_length=64)
    consent = serializers.BooleanField(
        help_text="You may use these pictures, and every person in them agreed."
    )
    trigger = serializers.CharField(required=False, default="", allow_blank=True, max_length=63)
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    initializer = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    start_from = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=160,
        help_text="`owner/name` or `owner/name@v2`: a word of the same family whose vectors learning starts at.",
    )
    preset = serializers.ChoiceField(PRESETS, required=False, default="standard")
    visibility = serializers.ChoiceField(Visibility.choices, required=False, default="public")
    bundled_set = serializers.CharField(required=False, default="", allow_blank=True, max_length=64)
    settings = JsonInForm(help_text="An object, as JSON.")
    pictures = Pictures(required=False)
    picture_ids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        max_length=200,
        help_text="Pictures that wait, in place of files.",
    )
    captions = TextsByName(
        help_text="What else is in a picture, by the name of its file: an object of texts, as JSON."
    )
    ends = TextsByName(
        help_text="Which end of an oblong picture is kept, `start` or `end`, by the name of its file."
    )
    boxes = BoxesByName(
        help_text="Which part of a picture is kept in sight: left, top, right, bottom as shares of its sides."
    )

    masks = Pictures(
        required=False, help_text="What counts in a picture, as files: `moss.mask.png` goes with `moss.png`."
    )

    def validate_settings(self, value: Any) -> Any:
        """An object by the names of the recipe."""
        if not isinstance(value, dict):
            raise serializers.ValidationError('Send an object, as in {"max_steps": 800}.')
        return value


class GoOnForm(Fields):
    """From which kept step, and up to which."""

    step = serializers.IntegerField(min_value=0)
    max_steps = serializers.IntegerField(required=False, min_value=1, max_value=1_000_000)


class PublishForm(Fields):
    """What is new in this version."""

    notes = serializers.CharField(required=False, default="", allow_blank=True, max_length=5_000)


class EventShape(Fields):
    """One thing that happened; other members are its facts."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    event = serializers.CharField()


class EventsShape(Fields):
    """What happened after `after`. Ask again with `last` until the run `is_over` and nothing new comes."""

    items = EventShape(many=True)
    last = serializers.IntegerField()
    is_over = serializers.BooleanField()


class EventsQuery(Fields):
    """From where on, and in which form."""

    after = serializers.IntegerField(required=False, default=0, min_value=0, max_value=2**31)
    form = serializers.ChoiceField(
        ("json", "lines", "stream"),
        required=False,
        default="json",
        help_text="`lines`: JSON lines; `stream`: server-sent events, which end now and then: go on by Last-Event-ID.",
    )
