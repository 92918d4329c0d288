"""The wizard's form: words and numbers as people type them, turned into a Submission's fields."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html

from hub.models import BaseModel
from hub.models.registry import Kind, Visibility
from hub.web.forms import KINDS, LICENCES, VISIBILITIES
from hub.web.team_forms import OwnerField
from trainer import expert, runs
from trainer.options import MAX_SEED, RANGES
from trainer.presets import preset_settings
from trainer.runs import pace
from trainer.sets import PictureSet

QUALITIES = {
    "quick": ("Quick", "a first look at whether the pictures work"),
    "standard": ("Standard", "right for most words"),
    "thorough": ("Thorough", "for a fine style or a hard object"),
}
SUGGESTED = {
    Kind.STYLE: "flat style",
    Kind.OBJECT: "toy",
    Kind.SUBJECT: "person",
    Kind.NEGATIVE: "bad quality",
}
SCHEDULES = {"cosine": "falls along a cosine", "linear": "falls in a line", "constant": "stays the same"}
# What people may write instead of an option's name.
STEPS_OF_RATE = "0.005:100, 0.001:500"
# Form fields that are recipe settings of the same name; empty means what the preset says.
SETTINGS = (
    "vectors_per_token",
    "lr",
    "lr_schedule",
    "batch",
    "max_steps",
    "seed",
    "flip",
    "early_stop",
    "crop",
    "caption_drop",
    "tag_shuffle",
    "tag_drop",
    *expert.FIELDS,
)

# Fields below the fold, which opens when one of them is wrong.
FOLDED = (
    "trigger",
    "title",
    "start_from",
    "visibility",
    "vectors_per_token",
    "max_steps",
    "lr",
    "lr_schedule",
    "batch",
    "seed",
    "flip",
    "early_stop",
    "crop",
    "caption_drop",
    "tag_shuffle",
    "tag_drop",
    "may_shrink",
    *expert.FIELDS,
)


def _steps(preset: str, family: str) -> int:
    return int(preset_settings(preset, family, Kind.STYLE)["max_steps"])


def _with_time(title: str, times: dict[str, float]) -> str:
    """A base by its title, with the time that a run of standard quality takes here."""
    if "standard" not in times:
        return f"{title} (how long it takes here was not measured)"
    return f"{title} (standard quality: about {runs.in_words(times['standard'])} here)"


def _yes_or_no(unset: str) -> forms.Select:
    return forms.Select(choices=[("unknown", unset), ("true", "yes"), ("false", "no")])


class TrainForm(expert.SettingFields):
    """Name, kind, initializer, quality; the rest is folded and may stay empty."""

    name = forms.CharField(
        max_length=63,
        help_text="Small letters, digits and hyphens. It is the address and the word you type in a prompt.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    kind = forms.ChoiceField(label="What is it?", choices=KINDS, widget=forms.RadioSelect)
    initializer = forms.CharField(
        label="Start from",
        required=False,
        max_length=120,
        help_text="A word or two that the base model knows and that comes close. Learning starts there.",
    )
    preset = forms.ChoiceField(label="Quality", widget=forms.RadioSelect, initial="standard")
    base_model = forms.ChoiceField(label="Base model")
    licence = forms.ChoiceField(choices=LICENCES, initial="cc-by-4.0")
    consent = forms.BooleanField(
        label="I may use these pictures, and every person in them agreed.", required=False
    )

    owner = OwnerField()
    trigger = forms.CharField(
        label="Trigger word", required=False, max_length=63, help_text="Empty: the name is the word."
    )
    start_from = forms.CharField(
        label="Go on from another word",
        required=False,
        max_length=160,
        help_text="owner/name or owner/name@v2, of the same family: learning starts at its vectors, as many as it has.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    title = forms.CharField(
        required=False, max_length=120, help_text="Shown above the pictures. Empty: the name."
    )
    visibility = forms.ChoiceField(
        choices=VISIBILITIES, initial=Visibility.PUBLIC.value, required=False, widget=forms.RadioSelect
    )
    vectors_per_token = forms.IntegerField(
        label="Vectors",
        required=False,
        min_value=1,
        max_value=16,
        help_text="How many places of a prompt the word takes. More holds more and obeys less.",
    )
    max_steps = forms.IntegerField(label="Most steps", required=False, min_value=1)
    lr = forms.FloatField(
        label="Rate",
        required=False,
        min_value=0,
        max_value=RANGES["lr"][1],
        help_text="How far a step moves the vectors: for AdamW up to 0.1.",
    )
    lr_schedule = forms.CharField(
        label="Rate over time",
        required=False,
        max_length=400,
        widget=forms.TextInput(attrs={"list": "schedules", "placeholder": "cosine", "autocomplete": "off"}),
        help_text=f"cosine, linear, constant, or each rate with its last step: {STEPS_OF_RATE}.",
    )
    batch = forms.IntegerField(label="Pictures per step", required=False, min_value=1, max_value=16)
    seed = forms.IntegerField(required=False, min_value=0, max_value=MAX_SEED, help_text="Empty: a new one.")
    flip = forms.NullBooleanField(
        label="Mirror pictures",
        help_text="Half of the time. Not for lettering, logos or faces.",
        widget=_yes_or_no("as the kind says"),
    )
    early_stop = forms.NullBooleanField(
        label="Stop when learned",
        widget=_yes_or_no("as the quality says"),
    )
    crop = forms.ChoiceField(
        label="Shape",
        required=False,
        choices=[
            ("", "square, cut as said at each picture"),
            ("buckets", "each picture keeps its shape, about"),
        ],
        help_text="Bases that learned from small squares only, such as the bundled one, train squares anyway.",
    )

    caption_drop = forms.FloatField(
        label="Leave the whole prompt out",
        required=False,
        min_value=0,
        max_value=0.3,
        help_text="In this share of the steps, 0 to 0.3.",
    )
    tag_drop = forms.FloatField(
        label="Leave tags of a caption out",
        required=False,
        min_value=0,
        max_value=0.5,
        help_text="Each with this chance, 0 to 0.5. Tags are parts between commas.",
    )
    tag_shuffle = forms.NullBooleanField(
        label="Shuffle the tags of a caption",
        widget=_yes_or_no("as the quality says"),
    )
    may_shrink = forms.BooleanField(
        label="If memory runs out, try once more with fewer pictures at a time", required=False, initial=True
    )
    # The page has them as files and as tiles; the field is where their refusals go.
    pictures = forms.Field(required=False)
    bundled_set = forms.CharField(required=False, widget=forms.HiddenInput)
    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bases = list(BaseModel.objects.filter(is_installed=True).order_by("title"))
        known = pace.paces([base.pk for base in bases])
        times = {base.pk: pace.expected(base, known.get(base.pk)) for base in bases}
        self._offer("base_model", [(base.name, _with_time(base.title, times[base.pk])) for base in bases])
        family = bases[0].family if bases else "tiny"
        if len({base.family for base in bases}) == 1:
            self.show_defaults(family)
            steps = {name: _steps(name, family) for name in QUALITIES}
            self.fields["max_steps"].widget.attrs["data-steps"] = json.dumps(steps)
        # With several bases their own list says the times: the tiles do not know which one will be chosen.
        only = times[bases[0].pk] if len(bases) == 1 else {}
        self.only_base = bases[0].title if bases else ""
        qualities = [
            (
                name,
                format_html(
                    "{}<small>up to {} steps{}; {}</small>",
                    title,
                    _steps(name, family),
                    f", about {runs.in_words(only[name])} here" if name in only else "",
                    why,
                ),
            )
            for name, (title, why) in QUALITIES.items()
        ]
        self._offer("preset", qualities)

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def recipe_settings(self) -> dict[str, Any]:
        """The recipe fields that were filled in."""
        values = {name: self.cleaned_data.get(name) for name in SETTINGS}
        return {name: value for name, value in values.items() if value not in (None, "", [])}

    def word(self) -> str:
        """The trigger: its own field, or else the name."""
        return str(self.cleaned_data.get("trigger") or self.cleaned_data.get("name") or "")


def initial_of_set(chosen: PictureSet, *, name: str) -> dict[str, Any]:
    """What the form starts with for a bundled set."""
    return {
        "name": name,
        "title": chosen.title,
        "kind": chosen.kind,
        "initializer": chosen.initializer,
        "licence": chosen.licence.lower(),
        "consent": True,
        "bundled_set": chosen.name,
    }


class GoOnForm(forms.Form):
    """Where to go on from, and how far."""

    step = forms.TypedChoiceField(label="Go on from", coerce=int)
    max_steps = forms.IntegerField(label="Up to step", min_value=1)
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, steps: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["step"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(step, f"step {step}") for step in steps]
