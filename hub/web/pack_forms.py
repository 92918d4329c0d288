"""Forms of packs."""

from django import forms
from django.utils.html import format_html

from hub.access import Viewer
from hub.errors import HubError
from hub.models import Collection
from hub.services import texts
from hub.services.embeddings import names
from hub.web.team_forms import OwnerField

TILE = "{}<small>{}</small>"
_NAME = {"autocapitalize": "off", "autocomplete": "off", "spellcheck": "false"}


class PackForm(forms.Form):
    """What a pack is, and who may see it."""

    title = forms.CharField(max_length=texts.TITLE_MAX, help_text="As people say it; free text.")
    name = forms.CharField(
        max_length=96,
        widget=forms.TextInput(attrs=_NAME),
        help_text="Its address under your name: small letters, digits, dots, dashes and underscores.",
    )
    description = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="In Markdown: what the words have in common, and how they go together.",
    )
    visibility = forms.ChoiceField(
        choices=[
            (
                "public",
                format_html(TILE, "public", "listed; words that others may not see are left out for them"),
            ),
            ("private", format_html(TILE, "private", "for you alone, or for the team that it is of")),
        ],
        widget=forms.RadioSelect,
        initial="public",
        label="Who may see it",
    )

    def clean_name(self) -> str:
        """A legal name; whether it is free the service says."""
        name = str(self.cleaned_data["name"]).strip().lower()
        try:
            names.check_name(name)
        except HubError as error:
            raise forms.ValidationError(error.message, code=error.code) from None
        return name


class NewPackForm(PackForm):
    """A pack that is not there yet."""

    owner = OwnerField()


class MemberForm(forms.Form):
    """A version that goes into a pack."""

    pack = forms.ChoiceField(widget=forms.RadioSelect)
    note = forms.CharField(
        max_length=texts.SUMMARY_MAX,
        required=False,
        help_text="Why it is in the pack; shown beside it.",
    )


def titled(pack: Collection, viewer: Viewer) -> str:
    """A pack as it is chosen from a list: one of a team says so."""
    is_own = viewer.user is not None and pack.owner_id == viewer.user.owner_id
    return pack.title if is_own else f"{pack.title} ({pack.owner.name})"


def details_of(pack: Collection) -> dict[str, str]:
    """The pack as a form begins with it."""
    return {name: getattr(pack, name) for name in ("title", "name", "description", "visibility")}
