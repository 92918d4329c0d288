"""The forms of the pages. They parse and explain; what is allowed, the services decide."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.urls import reverse_lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.catalog.licences import LICENCES
from hub.errors import HubError
from hub.formats import BASE_MODELS, FormatError, check_trigger
from hub.models import Owner
from hub.models.registry import Kind, Visibility
from hub.services.embeddings import names
from hub.web.team_forms import OwnerField


def _tile(title: str, why: str) -> SafeString:
    return format_html("{}<small>{}</small>", title, why)


KINDS = [
    (Kind.STYLE.value, _tile("style", "a way of drawing or a look")),
    (Kind.OBJECT.value, _tile("object", "a thing")),
    (Kind.SUBJECT.value, _tile("subject", "a person or character; a LoRA holds likeness better")),
    (Kind.NEGATIVE.value, _tile("negative", "meant for the negative prompt")),
]
VISIBILITIES = [
    (Visibility.PUBLIC.value, _tile("public", "listed and searchable")),
    (Visibility.UNLISTED.value, _tile("unlisted", "by its address, in no list")),
    (Visibility.PRIVATE.value, _tile("private", "for you alone, or for the team that it is of")),
]
# The answer to "which base model?" of somebody who does not know.
BASE_UNKNOWN = "unknown"
_OFF = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}

# Asks the hub, a moment after the last key, whether others use the word.
_TRIGGER = {
    **_OFF,
    "hx-get": reverse_lazy("publish_trigger"),
    "hx-trigger": "input changed delay:500ms",
    "hx-target": "#trigger-hint",
    "hx-swap": "innerHTML",
    "hx-select": "unset",
    "hx-disabled-elt": "unset",
    "hx-sync": "this:replace",
}


def refuse(form: forms.BaseForm, error: HubError) -> None:
    """Put a service's refusal beside the field it is about, or on top of the form."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, forms.ValidationError(error.message, code=error.code))


def _checked(value: str, check: Callable[[str], None]) -> str:
    """The value, if the service's own check takes it; its refusal beside the field, together with all others."""
    try:
        check(value)
    except (HubError, FormatError) as error:
        raise forms.ValidationError(error.message, code=error.code) from None
    return value


class DetailsForm(forms.Form):
    """What the owner may change at any time."""

    title = forms.CharField(max_length=120, help_text="As people say it; free text.")
    summary = forms.CharField(
        max_length=280,
        required=False,
        label="Definition",
        help_text="One or two sentences, shown on the cards.",
    )
    tags = forms.CharField(
        max_length=400, required=False, help_text="Words people filter by, with commas between them."
    )
    card = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        label="Description",
        max_length=50_000,
        help_text="In Markdown: what it is good at, what not, how to use it.",
    )
    visibility = forms.ChoiceField(
        choices=VISIBILITIES,
        widget=forms.RadioSelect,
        initial=Visibility.PUBLIC.value,
        label="Who may see it",
    )

    def clean_tags(self) -> list[str]:
        """The tags as a list, small letters, each once."""
        words = (word.strip().lower() for word in self.cleaned_data["tags"].split(","))
        return list(dict.fromkeys(word for word in words if word))


class VersionForm(forms.Form):
    """What goes with a file."""

    file = forms.FileField(
        label="Embedding file",
        widget=forms.FileInput(attrs={"accept": ".safetensors,.pt,.bin,.pth,.ckpt,.pti,.png,.webp"}),
        error_messages={"required": "Choose a file first.", "empty": "This file is empty."},
    )
    half = forms.FileField(
        label="The other file of an SDXL pair",
        required=False,
        error_messages={"empty": "This file is empty."},
    )
    trigger = forms.CharField(
        max_length=64,
        widget=forms.TextInput(attrs=_TRIGGER),
        help_text="The word typed in a prompt, and the name of the file that people download.",
    )
    base_model = forms.ChoiceField(
        label="Base model",
        required=False,
        choices=[
            ("", "Choose one"),
            *((base.id, base.title) for base in BASE_MODELS.values()),
            (BASE_UNKNOWN, "I do not know"),
        ],
    )
    licence = forms.ChoiceField(choices=list(LICENCES.items()), initial="cc-by-4.0")
    notes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=5_000,
        label="Notes on this version",
        help_text="What is new in it.",
    )
    label = forms.CharField(
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs=_OFF),
        help_text="A name for this version beside its number, such as “soft”.",
    )

    def clean_trigger(self) -> str:
        """A legal trigger."""
        return _checked(self.cleaned_data["trigger"], check_trigger)


class PublishForm(VersionForm, DetailsForm):
    """A new embedding with its first version, in one step."""

    owner = OwnerField()
    name = forms.CharField(
        max_length=96,
        widget=forms.TextInput(attrs=_OFF),
        help_text="Its address: small letters, digits, and . _ - inside.",
    )
    kind = forms.ChoiceField(choices=KINDS, widget=forms.RadioSelect, initial=Kind.STYLE.value)

    def clean_name(self) -> str:
        """A legal name; names are kept in small letters."""
        return _checked(str(self.cleaned_data["name"]).strip().lower(), names.check_name)

    def add_name_taken(self, owner: Owner) -> None:
        """Where something else is wrong, say in the same breath that the name is taken.

        A form with nothing wrong is not asked: sent twice, it is the same publication.
        """
        if self.errors and "name" in self.cleaned_data:
            try:
                names.check_embedding_name(owner, self.cleaned_data["name"])
            except HubError as error:
                refuse(self, error)


class KindForm(VersionForm):
    """A first version of an embedding that a tool made, and that nobody has said the kind of."""

    kind = PublishForm.base_fields["kind"]


class DraftForm(forms.Form):
    """What may still be said about a draft before it is published."""

    trigger = VersionForm.base_fields["trigger"]
    licence = VersionForm.base_fields["licence"]
    notes = VersionForm.base_fields["notes"]
    label = VersionForm.base_fields["label"]


class YankForm(forms.Form):
    """Why a version should not be used any more."""

    reason = forms.CharField(
        max_length=280,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Shown to everybody who still has this version.",
    )


class DeleteForm(forms.Form):
    """The name, typed, so that nothing is deleted by a slip."""

    name = forms.CharField(max_length=96, widget=forms.TextInput(attrs=_OFF))

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = name
        self.fields["name"].label = format_html("Type <code>{}</code> to confirm", name)

    def clean_name(self) -> str:
        """The very name. ValidationError for anything else."""
        typed = str(self.cleaned_data["name"]).strip()
        if typed != self.wanted:
            raise forms.ValidationError(f"That is not {self.wanted}.", code="name_mismatch")
        return typed


class TokenForm(forms.Form):
    """A new access token."""

    SCOPES = (
        ("read", _tile("read", "pull what you may see, private things too")),
        ("publish", _tile("publish", "make embeddings and versions")),
        ("manage", _tile("manage", "change details, yank, delete")),
        ("train", _tile("train", "start and watch training runs")),
    )
    DAYS = ((7, "7 days"), (30, "30 days"), (90, "90 days"), (366, "one year"))

    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"autocomplete": "off"}), help_text="What will use it."
    )
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, widget=forms.CheckboxSelectMultiple, initial=["read"], label="It may"
    )
    days = forms.TypedChoiceField(choices=DAYS, coerce=int, initial=90, label="It works for")


class DeviceForm(forms.Form):
    """A tool's code, and what it may do."""

    code = forms.CharField(
        max_length=20, widget=forms.TextInput(attrs=_OFF), help_text="As the tool shows it."
    )
    scopes = forms.MultipleChoiceField(
        choices=TokenForm.SCOPES,
        widget=forms.CheckboxSelectMultiple,
        initial=["read", "publish"],
        required=False,
        label="It may",
    )


class AccountForm(forms.Form):
    """What a profile says."""

    about = forms.CharField(
        required=False,
        max_length=280,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown on your page.",
    )


def details_of(embedding: Any) -> dict[str, Any]:
    """First values of a DetailsForm for something that exists."""
    return {
        "title": embedding.title,
        "summary": embedding.summary,
        "card": embedding.card,
        "visibility": embedding.visibility,
        "tags": ", ".join(tag.slug for tag in embedding.tags.all()),
    }
