"""Settings of a recipe as fields of the wizard: what each is called, and in plain words what it does.

Choices and ranges are those of `trainer.options`; a field that is left empty means what the quality says.
"""

from typing import Any

from django import forms

from hub.models.registry import Kind
from trainer import written
from trainer.options import CHOICES, LINES, RANGES
from trainer.presets import preset_settings
from trainer.recipe import Recipe

UNSET = "as the quality says"
# Those below the second fold, in the order of the page.
EXPERT = (
    "warmup",
    "weight_decay",
    "patience",
    "average",
    "norm",
    "grad_clip",
    "timesteps",
    "min_snr_gamma",
    "noise_offset",
    "resolution",
    "mask",
    "mask_outside",
    "background",
    "long_prompts",
    "context_reg",
    "clip_skip",
    "precision",
    "compile",
)
# Those of which the kind, the quality or chance says what they are when they are empty.
DEPENDING = {"vectors_per_token", "max_steps", "seed", "initializer", "trigger"}
# All fields of this module, each a setting of the same name.
FIELDS = ("optimizer", "initializer_mode", "accumulate", *LINES, *EXPERT)


def _number(name: str, label: str, help_text: str, *, whole: bool = False) -> forms.Field:
    low, high = RANGES[name]
    if whole:
        return forms.IntegerField(
            label=label, required=False, min_value=int(low), max_value=int(high), help_text=help_text
        )
    return forms.FloatField(label=label, required=False, min_value=low, max_value=high, help_text=help_text)


def _choice(name: str, label: str, help_text: str, unset: str = UNSET, **words: str) -> forms.ChoiceField:
    choices = [("", unset), *((one, words[one]) for one in CHOICES[name] if one in words)]
    return forms.ChoiceField(label=label, required=False, choices=choices, help_text=help_text)


def _text(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=64, help_text=help_text)


class SettingFields(forms.Form):
    """The fields. What does not fit together, the recipe says."""

    optimizer = _choice(
        "optimizer",
        "Who finds the rate",
        "With Prodigy leave the rate empty; it costs a little memory and no time.",
        adamw="you do, or the quality (AdamW)",
        prodigy="it is found while learning (Prodigy)",
    )
    initializer_mode = _choice(
        "initializer_mode",
        "Where learning starts",
        "Noise takes more steps. What the text encoder makes of the words is an experiment: it can be much faster, "
        "and lies far from all words, so vectors are not held at the length of words then.",
        unset="at the words of Start from",
        random="at noise",
        cross="at what the text encoder makes of those words",
    )
    accumulate = _number(
        "accumulate",
        "Batches per step",
        "A step looks at so many times the pictures per step, one batch after another: calmer, and slower.",
        whole=True,
    )
    templates = forms.CharField(
        label="Prompts of your own",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "a photo of [name]\n[name], [filewords]"}),
        help_text=f"In place of those of the kind; one a line, up to {LINES['templates']}. Each holds [name], where "
        "the word goes; [filewords] is where a picture's caption goes.",
    )
    preview_prompts = forms.CharField(
        label="Own prompts of the sheet",
        required=False,
        widget=forms.Textarea(
            attrs={"rows": LINES["preview_prompts"], "placeholder": "[name] on a mug, on a desk"}
        ),
        help_text="Drawn below the usual ones of the preview sheet, with the word and without; one a line, up to "
        f"{LINES['preview_prompts']}. Each holds [name]; in a line without it, a negative word is the negative prompt.",
    )
    warmup = _number("warmup", "Warm-up", "The share of the steps in which the rate rises, 0 to 0.5.")
    weight_decay = _number(
        "weight_decay", "Decay", "Pulls the vectors towards zero, where no words are: 0 to 0.1."
    )
    patience = _number(
        "patience", "Patience", "How many looks must find nothing new before it stops: 3 to 1000.", whole=True
    )
    average = _number(
        "average",
        "Average",
        "The mean over this share of the last steps is tried too, and taken if it is better: 0 to 0.5.",
    )
    norm = _choice(
        "norm",
        "Length of the vectors",
        "Vectors that grow much longer than those of words drown the rest of a prompt.",
        off="left alone",
        cap="held below that of the longest words",
        preserve="held at that of words",
        soft="pulled gently towards that of words",
    )
    grad_clip = _text("Largest step", "Holds back what one odd batch can do: 0.1 to 10, or off.")
    timesteps = _text(
        "Noise levels",
        "stratified, uniform, or a range of 1000 such as 100-900: low for detail, high for layout.",
    )
    min_snr_gamma = _text("Weight of little noise", "Smaller counts it less: 1 to 20, or off.")
    noise_offset = _number(
        "noise_offset", "Offset of the noise", "For very dark or very bright styles: 0 to 0.1."
    )
    resolution = _number(
        "resolution", "Side in pixels", "A multiple of 64. Less is faster and coarser.", whole=True
    )
    mask = _choice(
        "mask",
        "What hardly counts",
        "Masks are added below each picture. What is transparent in one is white and counts, unless you say otherwise.",
        unset="what masks leave out, where there are masks",
        off="nothing: all of every picture counts",
        alpha="what is transparent",
        file="what masks leave out",
    )
    mask_outside = _number("mask_outside", "How much it counts", "What hardly counts: 0 to 1.")
    background = _text(
        "Colour behind them",
        "What shows through where a picture is transparent, as #rrggbb in small letters.",
    )
    long_prompts = _choice(
        "long_prompts",
        "Prompts beyond 75 tokens",
        "Only long captions get there.",
        cut="are cut",
        chunks="go on, as in A1111",
    )
    context_reg = _number(
        "context_reg",
        "Hold on to other words",
        "An experiment for words that take over the whole prompt: 0 is off, 0.1 a first try, up to 1. Needs words to "
        "start from.",
    )
    clip_skip = _number(
        "clip_skip", "Clip skip", "2 for SD 1.x bases made for it, anime ones above all; else 1.", whole=True
    )
    precision = _choice(
        "precision",
        "Precision",
        "Of the largest part of the base; everything else is computed in full.",
        auto="what the machine does best",
        fp32="full (fp32)",
        bf16="half (bf16)",
        fp16="half (fp16)",
    )
    compile = forms.NullBooleanField(
        label="Compile the base for training",
        help_text="May make long runs on a GPU faster, after minutes of waiting. It is checked before it is used.",
        widget=forms.Select(choices=[("unknown", UNSET), ("true", "yes"), ("false", "no")]),
    )

    def clean_templates(self) -> list[str]:
        """The lines that say something."""
        return _lines(self.cleaned_data["templates"])

    def clean_preview_prompts(self) -> list[str]:
        """The lines that say something."""
        return _lines(self.cleaned_data["preview_prompts"])

    def show_defaults(self, family: str) -> None:
        """Write what the standard quality says into the empty fields."""
        usual = {**_defaults(), **preset_settings("standard", family, Kind.STYLE)}
        for name in usual.keys() & self.fields.keys() - DEPENDING:
            widget = self.fields[name].widget
            if isinstance(widget, forms.TextInput | forms.NumberInput):
                widget.attrs["placeholder"] = "off" if usual[name] is None else f"{usual[name]}"


def changed(recipe: dict[str, Any]) -> list[tuple[str, str]]:
    """What of these fields a recipe has otherwise than its quality says: label and value."""
    usual = {
        **_defaults(),
        **preset_settings(recipe["preset"], recipe["family"], recipe["kind"]),
    }
    said = {name: recipe[name] for name in FIELDS if name in recipe and name not in LINES}
    differing = {name: own for name, own in said.items() if own != usual[name]}
    # Its side is the base's own, unless it was said.
    differing.pop("resolution", None)
    labels = SettingFields.base_fields
    words = written.words(differing)
    return [(str(labels[name].label), "yes" if own == "true" else str(own)) for name, own in words.items()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _defaults() -> dict[str, Any]:
    return {name: field.default for name, field in Recipe.__dataclass_fields__.items()}
