"""Forms of gates."""

from typing import Any

from django import forms
from django.utils.html import format_html

from hub.models import Embedding
from hub.models.registry import Gate

_TILE = "{}<small>{}</small>"
_OFF = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class GateForm(forms.Form):
    """Who may have the files, and what they agree to; part of the form of the details."""

    gate = forms.ChoiceField(
        choices=[
            (Gate.OFF.value, format_html(_TILE, "everybody", "whoever sees it has its files")),
            (Gate.AUTO.value, format_html(_TILE, "whoever agrees", "signed-in people who agree, at once")),
            (Gate.MANUAL.value, format_html(_TILE, "whoever is let in", "people ask, and you answer each")),
        ],
        widget=forms.RadioSelect,
        label="Who may have its files",
        help_text="Page, pictures and description stay for everybody who may see it.",
    )
    terms = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=8_000,
        label="Terms",
        help_text="In Markdown: what people agree to. They share their name and mail address with you besides.",
    )


class GrantForm(forms.Form):
    """Who is let in without having asked."""

    person = forms.CharField(
        max_length=96,
        label="Name on this hub",
        widget=forms.TextInput(attrs=_OFF),
        help_text="They need not ask; nothing of theirs is shared with you.",
    )


def gate_of(embedding: Embedding) -> dict[str, Any]:
    """First values of a GateForm."""
    return {"gate": embedding.gate, "terms": embedding.gate_terms}
