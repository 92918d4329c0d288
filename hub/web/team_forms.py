"""Forms of teams."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html

from hub.access import Viewer
from hub.catalog import teams
from hub.errors import HubError
from hub.models import Owner, Role
from hub.services import texts
from hub.services.embeddings import names

TILE = "{}<small>{}</small>"
_OFF = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
ROLES = [
    (Role.READER.value, format_html(TILE, "reader", "sees and pulls the team's private things")),
    (Role.WRITER.value, format_html(TILE, "writer", "publishes, trains and edits besides")),
    (Role.ADMIN.value, format_html(TILE, "admin", "deletes, opens and closes, and decides who is in")),
]


class AboutForm(forms.Form):
    """What the team's page says."""

    title = forms.CharField(max_length=texts.TITLE_MAX, help_text="As people say it; free text.")
    about = forms.CharField(
        required=False,
        max_length=texts.SUMMARY_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown on the team's page.",
    )


class NameForm(forms.Form):
    """A name of a team, new or another one."""

    name = forms.CharField(
        max_length=96,
        widget=forms.TextInput(attrs=_OFF),
        help_text="The first part of every address: small letters, digits, and . _ - inside. Nobody else ever gets it.",
    )

    def clean_name(self) -> str:
        """A legal name; whether it is free the service says."""
        name = str(self.cleaned_data["name"]).strip().lower()
        try:
            names.check_name(name)
        except HubError as error:
            raise forms.ValidationError(error.message, code=error.code) from None
        return name


class RenameForm(NameForm):
    """Another name of a team."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "New name"


class NewTeamForm(NameForm, AboutForm):
    """A new team."""

    field_order = ("name", "title", "about")


class InviteForm(forms.Form):
    """Whom to ask, and as what."""

    person = forms.CharField(
        max_length=96, widget=forms.TextInput(attrs=_OFF), help_text="The person's name on this hub."
    )
    role = forms.ChoiceField(
        choices=ROLES, widget=forms.RadioSelect, initial=Role.WRITER.value, label="Comes in as"
    )
    reason = forms.CharField(
        required=False,
        max_length=texts.SUMMARY_MAX,
        help_text="You are not in this team and act as the hub's administrator: say why. It is written down.",
    )

    def __init__(self, *args: Any, wants_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not wants_reason:
            del self.fields["reason"]


class OwnerField(forms.ChoiceField):
    """The name that something is to stand under."""

    def __init__(
        self,
        *,
        label: str = "Under",
        help_text: str = "Your own name, or that of a team that you write for.",
        required: bool = False,
    ) -> None:
        super().__init__(label=label, help_text=help_text, required=required)

    def offer(self, owners: Iterable[Owner]) -> None:
        """These are the names to choose from."""
        self.choices = [(one.name, one.name) for one in owners]


class TransferForm(forms.Form):
    """Who gets it, and its name typed, so that nothing is given away by a slip."""

    owner = OwnerField(label="To", help_text="One of the names that you may publish under.", required=True)
    name = forms.CharField(max_length=96, widget=forms.TextInput(attrs=_OFF))

    def __init__(self, *args: Any, name: str, owners: list[Owner], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted = name
        _owner_field(self).offer(owners)
        self.fields["name"].label = format_html("Type <code>{}</code> to confirm", name)

    def clean_name(self) -> str:
        """The very name. ValidationError for anything else."""
        typed = str(self.cleaned_data["name"]).strip()
        if typed != self.wanted:
            raise forms.ValidationError(f"That is not {self.wanted}.", code="name_mismatch")
        return typed


def offer_owners(form: forms.Form, viewer: Viewer, act: str) -> None:
    """Let the form ask under which name, where the viewer has more than one; else take the question out."""
    owners = teams.owners(viewer, act=act)
    if len(owners) > 1:
        _owner_field(form).offer(owners)
    else:
        del form.fields["owner"]


def _owner_field(form: forms.Form) -> OwnerField:
    field = form.fields["owner"]
    assert isinstance(field, OwnerField)
    return field
