"""Shapes of gates, and of what people ask at them."""

from rest_framework import serializers

from hub.api.pages import PageQuery
from hub.api.shapes import Fields
from hub.models import AccessRequest
from hub.models.registry import Gate

STATES = AccessRequest.State.choices


class AccessRequestShape(Fields):
    """One person's request for the files of a gated embedding, and its answer."""

    person = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    message = serializers.CharField(allow_blank=True, help_text="Why they ask.")
    email = serializers.CharField(
        allow_blank=True, help_text="The mail address that they agreed to share; empty for a grant unasked."
    )
    terms = serializers.CharField(allow_blank=True, help_text="What they agreed to.")
    reason = serializers.CharField(allow_blank=True, help_text="Why they were rejected.")
    created = serializers.DateTimeField()
    decided = serializers.DateTimeField(allow_null=True)


class GateShape(Fields):
    """The gate before the files of an embedding, and where you stand at it."""

    gate = serializers.ChoiceField(Gate.choices)
    terms = serializers.CharField(allow_blank=True, help_text="What people agree to; Markdown.")
    may_have = serializers.BooleanField(help_text="Whether you may have the files, with what you sent.")
    request = AccessRequestShape(allow_null=True, help_text="What you asked; null for nothing.")
    page = serializers.URLField(help_text="The page for people, where one asks.")


class GateForm(Fields):
    """What is sent is changed. Requests and grants stay, whatever the gate."""

    gate = serializers.ChoiceField(Gate.choices, required=False)
    terms = serializers.CharField(required=False, allow_blank=True, max_length=8_000)


class AskForm(Fields):
    """Agreement to the terms, and to sharing name and mail address with the owner."""

    agree = serializers.BooleanField()
    message = serializers.CharField(required=False, default="", allow_blank=True, max_length=1_000)


class AskedAccessShape(AccessRequestShape):
    """The same for whoever answers it."""

    decided_by = serializers.CharField(allow_null=True, help_text="Null where the gate itself let them in.")
    url = serializers.URLField()


class AccessRequestsShape(Fields):
    """A page of them, newest first."""

    items = AskedAccessShape(many=True)
    next = serializers.URLField(allow_null=True)


class RequestsQuery(PageQuery):
    """Of which state, how many, and from where on."""

    state = serializers.ChoiceField(STATES, required=False)


class GrantForm(Fields):
    """Who is let in without having asked."""

    name = serializers.CharField(max_length=96)


class AnswerForm(Fields):
    """The answer. `rejected` takes a grant back as well, and is for good unless you accept after all; `pending` lets
    the request wait again."""

    state = serializers.ChoiceField(STATES)
    reason = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=280,
        help_text="Of a rejection; they read it.",
    )
