"""The forms of reports, appeals, and the moderators' desk."""

from typing import Any, Final

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.catalog.case_shapes import Case
from hub.models import Appeal, Flag, Preview, Ruling, Version
from hub.services import texts
from hub.services.moderation import appeals, flags

Reason = Flag.Reason
_WHY: Final = {
    Reason.ILLEGAL: "breaks the law where it is shown",
    Reason.LIKENESS: "shows a real person who did not say yes",
    Reason.COPYRIGHT: "made from work that was not free to use",
    Reason.DECEPTIVE: "a false name, or a word that is not what it says",
    Reason.HARMFUL: "breaks a tool, or hides something",
    Reason.MISLABELLED: "base model, licence or kind are not true",
    Reason.SPAM: "advertising, or the same thing many times",
    Reason.OTHER: "say what in your own words",
}
_DOES: Final = {
    Ruling.Kind.QUARANTINE: "hidden from others until it is given back; its owner sees why",
    Ruling.Kind.TAKE_DOWN: "gone for everybody, with a tombstone that says so",
    Ruling.Kind.REMOVE_PICTURE: "this one picture goes; the word stays",
    Ruling.Kind.CLEAR: "what the profile says is emptied",
    Ruling.Kind.FREEZE: "nobody signs in; tokens, private things and training stop",
}
_OF: Final = {
    "embedding": (Ruling.Kind.QUARANTINE, Ruling.Kind.TAKE_DOWN, Ruling.Kind.REMOVE_PICTURE),
    "pack": (Ruling.Kind.QUARANTINE,),
    "owner": (Ruling.Kind.CLEAR, Ruling.Kind.FREEZE),
}


def _tile(title: str, why: str) -> SafeString:
    return format_html("{}<small>{}</small>", title[:1].upper() + title[1:], why)


class ReportForm(forms.Form):
    """What is wrong, in one word and in many."""

    reason = forms.ChoiceField(
        label="What is wrong?",
        choices=[(reason.value, _tile(reason.label, _WHY[reason])) for reason in Reason],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is wrong."},
    )
    text = forms.CharField(
        label="What a moderator should know",
        required=False,
        max_length=flags.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="Where the original is, what you saw. Needed for “something else”.",
    )


class RulingForm(forms.Form):
    """What is decided about a case, and what its owner and everybody else read of it."""

    kind = forms.ChoiceField(label="Decision", widget=forms.RadioSelect)
    version = forms.ChoiceField(label="About", required=False)
    picture = forms.ChoiceField(label="Which picture", required=False)
    category = forms.ChoiceField(
        label="Why, for everybody",
        choices=Reason.choices,
        help_text="Stands where something was taken down.",
    )
    reason = forms.CharField(
        label="Reason, for the owner",
        max_length=texts.SUMMARY_MAX,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What is wrong, and what would put it right. Only the owner and moderators read it.",
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        self.versions = {str(version.pk): version for version in case.versions}
        self.pictures = {
            str(picture.pk): (version, picture)
            for version in case.versions
            for picture in version.previews.all()
            if picture.role == Preview.Role.UPLOAD
        }
        usual = next((flag for flag in case.open_flags if flag.reason), None)
        initial = {"category": usual.reason if usual else Reason.OTHER.value}
        chosen = next((flag.picture_id for flag in case.open_flags if flag.picture_id), None)
        named = {flag.version_id for flag in case.open_flags}
        version = str(named.pop()) if len(named) == 1 and None not in named else ""
        kwargs["initial"] = {**initial, "picture": chosen, "version": version}
        super().__init__(*args, **kwargs)
        kinds = [kind for kind in _OF[case.kind] if kind != Ruling.Kind.REMOVE_PICTURE or self.pictures]
        self.fields["kind"].choices = [(kind.value, _tile(kind.label, _DOES[kind])) for kind in kinds]  # type: ignore[attr-defined]  # a ChoiceField has them
        self._offer(
            "version",
            [("", "all that is offered"), *((pk, _named(one)) for pk, one in self.versions.items())],
        )
        self._offer(
            "picture",
            [(pk, f"{version.name}: {one.alt[:60]}") for pk, (version, one) in self.pictures.items()],
        )

    def given(self) -> dict[str, Any]:
        """What the service is asked, for a form that is right."""
        found = {name: self.cleaned_data[name] for name in ("kind", "category", "reason")}
        if found["kind"] == Ruling.Kind.REMOVE_PICTURE:
            return {**found, "picture": self.pictures[self.cleaned_data["picture"]][1]}
        if self.cleaned_data.get("version"):
            return {**found, "version": self.versions[self.cleaned_data["version"]]}
        return found

    def clean(self) -> dict[str, Any]:
        """A picture is named where one is to go."""
        found: dict[str, Any] = super().clean() or {}
        if found.get("kind") == Ruling.Kind.REMOVE_PICTURE and not found.get("picture"):
            self.add_error("picture", "Choose the picture.")
        return found

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Leave the field out where there is nothing to choose from."""
        if len(choices) < (2 if name == "version" else 1):
            del self.fields[name]
        else:
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # a ChoiceField has them


class NoteForm(forms.Form):
    """Why nothing is done, or why something is taken back."""

    note = forms.CharField(
        label="Note",
        required=False,
        max_length=texts.SUMMARY_MAX,
        help_text="For other moderators.",
    )


class AppealForm(forms.Form):
    """The owner's one message."""

    text = forms.CharField(
        label="Why the ruling is wrong",
        max_length=appeals.TEXT_MAX,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One message; a moderator who did not make the ruling reads it.",
    )


class AnswerForm(forms.Form):
    """What comes of an appeal."""

    outcome = forms.ChoiceField(
        label="What comes of it",
        choices=[
            (
                Appeal.Outcome.UPHELD.value,
                _tile(Appeal.Outcome.UPHELD.label, "nothing changes; the answer is final"),
            ),
            (
                Appeal.Outcome.OVERTURNED.value,
                _tile(Appeal.Outcome.OVERTURNED.label, "it is again what it was before"),
            ),
        ],
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label="Answer to the owner", max_length=texts.SUMMARY_MAX, widget=forms.Textarea(attrs={"rows": 3})
    )


def _named(version: Version) -> str:
    return f"{version.name}, {version.get_state_display()}"
