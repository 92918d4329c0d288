"""Settings as people write them, in commands, forms and the API: words, turned into values of a recipe."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from trainer.options import LINES
from trainer.recipe import Recipe, RecipeError

# Settings that may be switched off, which a recipe writes as nothing.
OFF = ("min_snr_gamma", "grad_clip")
# What every door asks for by itself.
ASKED = ("trigger", "kind", "family", "base", "preset", "initializer", "initializer_file")
_WORDS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_TYPES = {spec.name: spec.type for spec in dataclasses.fields(Recipe) if spec.name not in ASKED}
# What --set cannot say: lines have options of their own, and captions come with the pictures.
_APART = (*LINES, "captions")


def from_pairs(pairs: Sequence[str]) -> dict[str, Any]:
    """Recipe settings from `name=value` words. Raises RecipeError with what is wrong and what would do."""
    names = sorted(name for name in _TYPES if name not in _APART)
    chosen = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in names:
            raise RecipeError("set", f"'{pair}' is not SETTING=VALUE. Settings: {', '.join(names)}.")
        chosen[name] = value(name, text.strip())
    return chosen


def from_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe settings by name, each a value of a recipe or the words for one. Raises RecipeError naming the setting."""
    for name in values:
        if name in ASKED:
            raise RecipeError(name, "This is not said among the settings but by itself.")
    return {name: value(name, own) if isinstance(own, str) else own for name, own in values.items()}


def value(name: str, text: str) -> Any:
    """What a setting is when it is written like this; one that does not exist is left for the recipe to refuse."""
    kind = _TYPES.get(name)
    if name in OFF and text == "off":
        return None
    if kind is bool:
        if text not in _WORDS:
            raise RecipeError(name, f"'{text}' is neither on nor off.")
        return _WORDS[text]
    if kind not in (int, float, float | None):
        return text
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        raise RecipeError(name, f"'{text}' is not a {'whole ' if kind is int else ''}number.") from None


def words(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a recipe as a form shows them: the other way round."""
    shown = {True: "true", False: "false"}
    return {
        name: "off" if name in OFF and own is None else shown[own] if isinstance(own, bool) else own
        for name, own in settings.items()
    }
