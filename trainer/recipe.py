"""The training recipe: every setting of a run as one frozen, checked value.

Pure standard library, so the site, the command line and the engine share it. A recipe that exists is
valid; it travels as plain JSON, and the same JSON always gives the same recipe back.
"""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any, Self

from trainer.options import (
    CHOICES,
    KINDS,
    LATER,
    LINES,
    MAX_SEED,
    MAX_TEXT,
    MOST_ADAMW,
    RANGES,
    SCHEDULES,
    SKIPPING,
    parse_piecewise,
    parse_timesteps,
)
from trainer.presets import FAMILIES, PRESETS, preset_settings

__all__ = ["KINDS", "MAX_SEED", "SCHEDULES", "Recipe", "RecipeError", "parse_piecewise", "parse_timesteps"]


class RecipeError(ValueError):
    """A setting that cannot be trained with: `field` names it, `message` is a sentence for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All settings of a training run. Building one with a setting out of range raises RecipeError."""

    trigger: str
    kind: str
    family: str
    initializer: str = ""
    initializer_mode: str = "word"
    initializer_file: str = ""
    base: str = ""
    preset: str = "standard"
    vectors_per_token: int = 2
    lr: float = 2e-3
    lr_schedule: str = "cosine"
    warmup: float = 0.05
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    batch: int = 4
    accumulate: int = 1
    max_steps: int = 1000
    early_stop: bool = True
    patience: int = 20
    norm: str = "cap"
    average: float = 0.3
    timesteps: str = "stratified"
    min_snr_gamma: float | None = 5.0
    noise_offset: float = 0.0
    grad_clip: float | None = 1.0
    flip: bool = False
    crop: str = "centre"
    background: str = "#ffffff"
    mask: str = "off"
    mask_outside: float = 0.1
    resolution: int = 512
    templates: tuple[str, ...] = field(default=())
    preview_prompts: tuple[str, ...] = field(default=())
    captions: bool = False
    caption_drop: float = 0.0
    tag_shuffle: bool = False
    tag_drop: float = 0.0
    long_prompts: str = "cut"
    context_reg: float = 0.0
    clip_skip: int = 1
    precision: str = "auto"
    compile: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_types()
        self._check_words()
        self._check_choices()
        self._check_numbers()

    @classmethod
    def for_preset(
        cls, preset: str, *, family: str, kind: str, trigger: str, initializer: str = "", **overrides: Any
    ) -> Self:
        """The recipe of a named preset for a family and kind; keyword overrides win. Raises RecipeError."""
        for name, value, known in (
            ("preset", preset, PRESETS),
            ("family", family, FAMILIES),
            ("kind", kind, KINDS),
        ):
            if value not in known:
                raise RecipeError(name, f"'{value}' is not one of {', '.join(known)}.")
        return cls.from_dict(
            {
                "preset": preset,
                "family": family,
                "kind": kind,
                "trigger": trigger,
                "initializer": initializer,
                **preset_settings(preset, family, kind),
                # Prodigy takes a factor of its own rate, not a rate.
                **({"lr": 1.0} if overrides.get("optimizer") == "prodigy" else {}),
                # A cross start lies outside the lengths that a norm would hold it to.
                **({"norm": "off"} if overrides.get("initializer_mode") == "cross" else {}),
                **overrides,
            }
        )

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """A recipe from plain values. Raises RecipeError for an unknown, missing or wrong field."""
        known = {f.name for f in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise RecipeError(name, "This setting does not exist.")
        for name in ("trigger", "kind", "family"):
            if name not in values:
                raise RecipeError(name, "This setting is required.")
        lines = {name: tuple(values[name]) for name in LINES if isinstance(values.get(name), list)}
        return cls(**values | lines)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """A recipe from the text that `to_json` wrote. Raises RecipeError."""
        try:
            values = json.loads(text)
        except ValueError:
            raise RecipeError("recipe", "This is not JSON.") from None
        if not isinstance(values, dict):
            raise RecipeError("recipe", "A recipe is a JSON object.")
        return cls.from_dict(values)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; those of LATER only where they are used."""
        values = dataclasses.asdict(self) | {name: list(getattr(self, name)) for name in LINES}
        # As it was before there were any: the same recipe gives the same text and files for ever.
        return {name: own for name, own in values.items() if own or name not in LATER}

    def to_json(self) -> str:
        """One line of JSON with sorted keys: equal recipes give equal text."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def replace(self, **changes: Any) -> Self:
        """The same recipe with some settings changed. Raises RecipeError."""
        return self.from_dict({**self.to_dict(), **changes})

    def warnings(self) -> list[str]:
        """Sentences about settings that are allowed but rarely wise."""
        found = []
        reach = self.lr * self.max_steps
        is_rate = self.optimizer == "adamw" and self.lr_schedule in SCHEDULES
        if is_rate and reach < 0.05:
            found.append(
                f"Rate times steps is only {reach:.2g}: no element can move further than that, "
                "so the word will hardly leave its starting point."
            )
        if is_rate and reach > 30:
            found.append(
                f"Rate times steps is {reach:.3g}: above 30 the vectors tend to drift far from real words."
            )
        if self.vectors_per_token > 8:
            found.append(f"{self.vectors_per_token} vectors take as many of the 75 places in every prompt.")
        if self.optimizer == "prodigy" and self.lr < 0.1:
            found.append("Prodigy finds the rate itself and lr multiplies it; the usual lr is 1.")
        if self.initializer_mode == "random" or (self.initializer_mode == "word" and not self.initializer):
            found.append("Without an initializer the word starts from noise and needs more steps.")
        if self.initializer_mode == "cross":
            found.append(
                "Starting from the text encoder's output is an experiment: it lies far from all words."
            )
        if (self.tag_shuffle or self.tag_drop) and not self.captions:
            found.append("Tags are shuffled and dropped in captions only, and captions are off.")
        if self.kind == "subject":
            found.append("A person or character is held better by DreamBooth or a LoRA than by an embedding.")
        return found

    def _check_types(self) -> None:
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            wanted: Any = spec.type
            if wanted in (float, float | None) and type(value) is int:
                # JSON has one kind of number; 1 and 1.0 must give the same recipe.
                object.__setattr__(self, spec.name, float(value))
                continue
            if wanted == tuple[str, ...]:
                good = isinstance(value, tuple) and all(isinstance(line, str) for line in value)
            else:
                good = isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))
            if not good:
                raise RecipeError(spec.name, "This value has the wrong type.")

    def _check_words(self) -> None:
        if not re.fullmatch(r"[^\s()\[\]:|,]{1,64}", self.trigger) or not self.trigger.isprintable():
            raise RecipeError(
                "trigger", "A trigger is one word of 1 to 64 characters without ( ) [ ] : | or commas."
            )
        for name, text in (("initializer", self.initializer), ("base", self.base)):
            if len(text) > MAX_TEXT or not (text.isprintable() or not text):
                raise RecipeError(name, f"Use up to {MAX_TEXT} printable characters on one line.")
        self._check_start()
        if not re.fullmatch(r"#[0-9a-f]{6}", self.background):
            raise RecipeError("background", "Write the colour as #rrggbb in small letters, such as #ffffff.")
        for name, most in LINES.items():
            self._check_lines(name, getattr(self, name), most)

    def _check_lines(self, name: str, lines: tuple[str, ...], most: int) -> None:
        is_shown = name == "preview_prompts"
        if len(lines) > most:
            raise RecipeError(name, f"Use at most {most} lines; here are {len(lines)}.")
        for line in lines:
            # A negative word may stand in the negative prompt instead.
            if "[name]" not in line and not (is_shown and self.kind == "negative"):
                why = "so the word would not be shown" if is_shown else "so nothing would be learned from it"
                raise RecipeError(name, f"'{line[:60]}' lacks [name], {why}.")
            if len(line) > MAX_TEXT:
                raise RecipeError(name, f"A line has at most {MAX_TEXT} characters.")
            if is_shown and not (line.isprintable() and line.strip()):
                raise RecipeError(
                    name, "Write each preview prompt on a line of its own, in printable characters."
                )

    def _check_start(self) -> None:
        if (self.initializer_mode == "file") != bool(self.initializer_file):
            raise RecipeError("initializer_mode", "A start from a file needs the file, and only that does.")
        if self.initializer_file and not re.fullmatch(r"[0-9a-f]{64}", self.initializer_file):
            raise RecipeError(
                "initializer_file", "This is the tensor digest of a file: 64 hexadecimal digits."
            )
        if self.initializer_mode == "cross" and not self.initializer.strip():
            raise RecipeError("initializer", "A cross start reads the encoder's output for a word; name one.")
        if self.context_reg and not self.initializer.strip():
            raise RecipeError("initializer", "Other words are held as they are beside a word; name one.")
        if self.initializer_mode == "cross" and self.norm != "off":
            raise RecipeError("norm", "A cross start lies outside the norms of words; set norm to off.")

    def _check_choices(self) -> None:
        for name, known in (("family", FAMILIES), ("preset", PRESETS), *CHOICES.items()):
            if getattr(self, name) not in known:
                raise RecipeError(name, f"'{getattr(self, name)}' is not one of {', '.join(known)}.")
        try:
            parse_timesteps(self.timesteps)
        except ValueError as error:
            raise RecipeError("timesteps", f"Cannot read '{self.timesteps}': {error}.") from None
        if self.lr_schedule not in SCHEDULES:
            try:
                parse_piecewise(self.lr_schedule)
            except ValueError as error:
                raise RecipeError("lr_schedule", f"Cannot read '{self.lr_schedule}': {error}.") from None

    def _check_numbers(self) -> None:
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            # Written so that a NaN fails too.
            if value is not None and not low <= value <= high:
                raise RecipeError(name, f"{value} is outside {low} to {high}.")
        if self.optimizer == "adamw" and self.lr > MOST_ADAMW:
            raise RecipeError("lr", f"{self.lr} is outside 0 to {MOST_ADAMW}, the rates of AdamW.")
        if self.resolution % 64:
            raise RecipeError("resolution", f"{self.resolution} is not a multiple of 64.")
        if self.clip_skip > 1 and self.family not in SKIPPING:
            raise RecipeError("clip_skip", "Only SD 1.x bases are trained with a layer left out; use 1.")
