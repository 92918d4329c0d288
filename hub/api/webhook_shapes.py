"""Shapes of webhooks in the native API."""

from rest_framework import serializers

from hub.api.shapes import Fields
from hub.models import Delivery
from hub.services.webhooks.events import EVENTS, PING
from hub.services.webhooks.targets import MAX_URL


class WebhookShape(Fields):
    """A webhook without its secret."""

    id = serializers.IntegerField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField(tuple(EVENTS)))
    embedding = serializers.CharField(
        allow_null=True, help_text="`owner/name` of the only one it is about; null: all of yours."
    )
    is_active = serializers.BooleanField()
    off_reason = serializers.CharField(allow_blank=True, help_text="Why the hub switched it off; else empty.")
    created = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(allow_null=True)
    deliveries = serializers.URLField()
    page = serializers.URLField()
    address = serializers.URLField(help_text="Of this webhook in the API.")


class MadeWebhookShape(WebhookShape):
    """A webhook that was just made."""

    secret = serializers.CharField(
        allow_null=True, help_text="Shown this once; null in an answer that is repeated for its key."
    )


class SecretShape(Fields):
    """A new secret."""

    secret = serializers.CharField(allow_null=True, help_text="As for a new webhook.")


class WebhooksShape(Fields):
    """A page of the caller's webhooks, newest first."""

    items = WebhookShape(many=True)
    next = serializers.URLField(allow_null=True)


class WebhookHostsShape(Fields):
    """Where the operator lets webhooks go."""

    is_on = serializers.BooleanField(help_text="Whether this hub sends webhooks at all.")
    hosts = serializers.ListField(
        child=serializers.CharField(), help_text="What an address may begin with; `*.` is any name below."
    )
    events = serializers.DictField(
        child=serializers.CharField(), help_text="What there is to be told of, and when."
    )


class NewWebhookForm(Fields):
    """Where to, of what, and of which embedding if only of one."""

    url = serializers.CharField(max_length=MAX_URL)
    events = serializers.ListField(
        child=serializers.ChoiceField(tuple(EVENTS)), min_length=1, max_length=len(EVENTS)
    )
    embedding = serializers.CharField(
        required=False, default="", allow_blank=True, allow_null=True, max_length=200
    )


class WebhookChangesForm(Fields):
    """What is to be different. `embedding` null or empty: all of yours again."""

    url = serializers.CharField(required=False, max_length=MAX_URL)
    events = serializers.ListField(
        required=False, child=serializers.ChoiceField(tuple(EVENTS)), min_length=1, max_length=len(EVENTS)
    )
    embedding = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=200)
    is_active = serializers.BooleanField(required=False)


class DeliveryShape(Fields):
    """One event for one webhook. `status` and `milliseconds` are those of the last attempt."""

    id = serializers.UUIDField(help_text="The `webhook-id` that is sent, the same at every attempt.")
    event = serializers.ChoiceField((*EVENTS, PING))
    state = serializers.ChoiceField(Delivery.State.choices)
    message = serializers.CharField(allow_blank=True, help_text="Why the last attempt failed.")
    created = serializers.DateTimeField()
    attempts = serializers.IntegerField()
    sent = serializers.DateTimeField(allow_null=True, help_text="When it was last tried.")
    next_attempt = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    milliseconds = serializers.IntegerField(allow_null=True)
    url = serializers.URLField()


class WholeDeliveryShape(DeliveryShape):
    """A delivery with what was sent."""

    body = serializers.CharField(allow_blank=True, help_text="What was sent last, to the byte; else empty.")


class DeliveriesShape(Fields):
    """A page of deliveries, newest first; they are kept for 30 days."""

    items = DeliveryShape(many=True)
    next = serializers.URLField(allow_null=True)
