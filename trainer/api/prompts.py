"""`/training-prompts`: what a word would be taught with, before anything is started."""

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint
from hub.api.shapes import Fields
from hub.models.registry import Kind
from trainer import runs
from trainer.options import LINES, MAX_TEXT, RANGES
from trainer.prompts import NAME

MOST_CAPTIONS = 100


class PromptsForm(Fields):
    """The settings that prompts are made of, each as in a run; what is left out is as usual for the kind."""

    kind = serializers.ChoiceField(Kind.choices, required=False, default=Kind.STYLE.value)
    base_model = serializers.CharField(required=False, default="", allow_blank=True, max_length=96)
    trigger = serializers.CharField(required=False, default="", allow_blank=True, max_length=63)
    templates = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TEXT),
        required=False,
        default=list,
        max_length=LINES["templates"],
    )
    captions = serializers.ListField(
        child=serializers.CharField(max_length=MAX_TEXT, allow_blank=True),
        required=False,
        default=list,
        max_length=MOST_CAPTIONS,
        help_text="What else is in the pictures, a text for each.",
    )
    vectors_per_token = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=int(RANGES["vectors_per_token"][0]),
        max_value=int(RANGES["vectors_per_token"][1]),
    )


class PromptShape(Fields):
    """A prompt, how many of the 75 places it takes at least, and whether the word is in it and its end is cut."""

    text = serializers.CharField()
    places = serializers.IntegerField()
    teaches = serializers.BooleanField()
    is_long = serializers.BooleanField()


class PromptsShape(Fields):
    """Every prompt once."""

    items = PromptShape(many=True)


@documented(
    "listTrainingPrompts",
    "The prompts that a word would be taught with.",
    method="POST",
    takes={"application/json": PromptsForm},
    gives=PromptsShape,
    is_question=True,
)
@endpoint("POST")
def prompts(request: Request) -> HttpResponse:
    """What the wizard shows of its form as it stands."""
    given = asked.body(PromptsForm, request.data)
    found = runs.prompts(
        given["base_model"],
        given["kind"],
        lines=given["templates"],
        captions=given["captions"],
        vectors=given["vectors_per_token"],
    )
    word = given["trigger"] or NAME
    items = [
        {"text": one.with_word(word), "places": one.places, "teaches": one.teaches, "is_long": one.is_long}
        for one in found
    ]
    return json_answer(request._request, {"items": items})
