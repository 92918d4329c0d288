"""What a word is taught with: the prompts of a run, told before it is started."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.models import BaseModel
from trainer.base_folder import BaseFolderError, read_base
from trainer.presets import FAMILIES, preset_settings
from trainer.prompts import NAME, templates, training_prompts

PLACES = 75
_PIECES = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Prompt:
    """A prompt, and how many of the 75 places it takes at least: a rare word takes more than one."""

    text: str
    places: int

    @property
    def is_long(self) -> bool:
        """Whether its end is surely cut, or goes on in another chunk."""
        return self.places > PLACES

    def with_word(self, word: str) -> str:
        """The prompt as it will be typed later."""
        return self.text.replace(NAME, word)

    @property
    def teaches(self) -> bool:
        """Whether the word is in it."""
        return NAME in self.text


def prompts(
    base: str,
    kind: str,
    *,
    lines: Sequence[str] = (),
    captions: Sequence[str] = (),
    vectors: int | None = None,
) -> list[Prompt]:
    """The prompts of pictures with these captions, each once; without `lines` those of the kind on this base.

    The word has as many `vectors` as given, or as usual for the kind.
    """
    installed = _installed(base)
    lines = lines or templates(kind, _record(installed))
    family = installed.family if installed is not None else FAMILIES[0]
    vectors = vectors or int(preset_settings("standard", family, kind)["vectors_per_token"])
    texts = [text for caption in captions or [""] for text in training_prompts(lines, caption)]
    return [Prompt(text, _places(text, vectors)) for text in dict.fromkeys(texts)]


def _installed(name: str) -> BaseModel | None:
    """The base of that name, or the first."""
    installed = BaseModel.objects.filter(is_installed=True).order_by("title")
    return installed.filter(name=name).first() or installed.first()


def _record(base: BaseModel | None) -> dict[str, object]:
    try:
        return read_base(Path(base.folder)).record if base is not None else {}
    except (BaseFolderError, OSError):
        return {}


def _places(text: str, vectors: int) -> int:
    """Every piece of text takes a place or more, the word as many as it has vectors."""
    return len(_PIECES.findall(text.replace(NAME, " "))) + vectors * text.count(NAME)
