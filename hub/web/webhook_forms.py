"""The form of a webhook."""

from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.models import Embedding, Owner, Webhook
from hub.services.webhooks.events import EVENTS
from hub.services.webhooks.targets import MAX_URL

_USUAL = ["version.published", "run.done", "run.failed"]


def _tile(name: str, why: str) -> SafeString:
    """What happens, and the event's name below, which may break at its dot."""
    thing, _, what = name.partition(".")
    return format_html("{}<small><code>{}.<wbr>{}</code></small>", why, thing, what)


class WebhookForm(forms.Form):
    """Where to, of what, and of which embedding."""

    url = forms.CharField(
        label="Address",
        max_length=MAX_URL,
        widget=forms.URLInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "https://"}
        ),
        help_text="Where the hub sends a POST.",
    )
    events = forms.MultipleChoiceField(
        choices=[(name, _tile(name, why)) for name, why in EVENTS.items()],
        widget=forms.CheckboxSelectMultiple,
        initial=_USUAL,
        label="Tell it when",
        error_messages={"required": "Choose at least one event."},
    )
    embedding = forms.ModelChoiceField(
        queryset=Embedding.objects.none(), required=False, label="About", empty_label="all my embeddings"
    )

    def __init__(self, *args: Any, owner: Owner, webhook: Webhook | None = None, **kwargs: Any) -> None:
        if webhook is not None:
            kwargs["initial"] = {
                "url": webhook.url,
                "events": webhook.events,
                "embedding": webhook.embedding_id,
            }
        super().__init__(*args, **kwargs)
        own = Embedding.objects.alive().filter(owner=owner).select_related("owner").order_by("name")
        self.fields["embedding"].queryset = own  # type: ignore[attr-defined]  # a ModelChoiceField has one
