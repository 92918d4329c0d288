"""Prompts as data: training templates per kind, and the plan of the preview sheet.

Pure standard library. `[name]` stands for the trigger. A base model's record (`glossa.json`) may bring its
own lines, because a small base knows a small world, each part optional: `{"templates": {kind: [...]},
"scenes": {kind: [faithful, scene, ...]}, "plain": [two prompts], "nouns": {kind: word}}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

NAME = "[name]"
CAPTION = "[filewords]"
STRENGTHS = (0.6, 0.8, 1.0, 1.2, 1.4)
FAITHFUL_SEEDS = (11, 12, 13, 14)
SCENE_SEEDS = (21, 22)
NEGATIVE_SEEDS = (31, 32, 33)
INTACT_SEED = 41
# The block of prompts that are somebody's own: apart from the others, which are the same for every word of a kind.
OWN = "H"
BLOCK_TITLES = {
    "A": "Faithful",
    "B": "Obedient",
    "C": "Control",
    "D": "Intact",
    "E": "Strength",
    "F": "Growth",
    "G": "As a negative",
    OWN: "Own prompts",
}

_TEMPLATES = {
    "style": (
        "a picture in the style of [name]",
        "a drawing in the style of [name]",
        "a painting in the style of [name]",
        "an illustration in [name] style",
        "a small picture in [name] style",
        "a clean picture in the style of [name]",
        "a colourful picture in the style of [name]",
        "a close view in the style of [name]",
        "a [name] picture",
        "a [name] drawing",
        "a detailed [name] illustration",
        "one thing, drawn in the style of [name]",
    ),
    "object": (
        "a photo of a [name]",
        "a picture of a [name]",
        "a drawing of a [name]",
        "a photo of the [name]",
        "a clear photo of a [name]",
        "a close-up photo of a [name]",
        "a bright photo of a [name]",
        "a small picture of the [name]",
        "a photo of one [name]",
        "a good picture of a [name]",
        "the [name], seen from the front",
        "a photo of a nice [name]",
    ),
    "subject": (
        "a photo of [name]",
        "a portrait of [name]",
        "a picture of [name]",
        "a drawing of [name]",
        "a close-up photo of [name]",
        "a clear photo of [name]",
        "a bright portrait of [name]",
        "[name], seen from the front",
        "a good photo of [name]",
        "a small picture of [name]",
        "a photo of [name] alone",
        "[name] looking at the viewer",
    ),
    "negative": (
        "[name]",
        "a [name] picture",
        "a [name] photo",
        "a [name] drawing",
        "a picture, [name]",
        "a photo, [name]",
        "[name] quality",
        "a picture of [name] quality",
        "an image with [name]",
        "[name], [name]",
        "one [name] picture",
        "a small [name] picture",
    ),
}
_SCENES = {
    "style": (
        "a picture in the style of [name]",
        "a house by a lake in the style of [name]",
        "a cat on a chair in the style of [name]",
        "a city street at night in the style of [name]",
        "a bowl of fruit in the style of [name]",
        "a portrait of an old man in the style of [name]",
        "a ship at sea in the style of [name]",
    ),
    "object": (
        "a photo of a [name]",
        "a [name] on a beach at dusk",
        "a watercolour painting of a [name]",
        "a close-up photo of a [name] on a wooden table",
        "two [name] side by side",
        "a [name] in the snow",
        "a [name] made of glass",
    ),
    "subject": (
        "a photo of [name]",
        "[name] on a beach at dusk",
        "a watercolour painting of [name]",
        "a close-up portrait of [name]",
        "[name] riding a bicycle",
        "[name] in the snow",
        "[name] as a wooden toy",
    ),
    "negative": (
        "a photo of a house by a lake",
        "a portrait of a woman",
    ),
}
_PLAIN = ("a photo of a dog on a lawn", "a red apple on a white table")
_NOUNS = {"style": "picture", "object": "object", "subject": "person", "negative": "bad quality"}


@dataclass(frozen=True)
class Cell:
    """One picture of the sheet. `prompt` and `negative_prompt` may hold [name]; `rows` says whose vectors it
    gets: "final", "none" for controls, or the label of a growth snapshot. `weight` scales [name]."""

    block: str
    row: int
    column: int
    prompt: str
    seed: int
    negative_prompt: str = ""
    weight: float = 1.0
    is_control: bool = False
    rows: str = "final"

    def shown(self, trigger: str) -> tuple[str, str]:
        """Prompt and negative prompt as a person would type them, with the trigger and A1111's weight."""
        word = trigger if self.weight == 1.0 else f"({trigger}:{self.weight:g})"
        return self.prompt.replace(NAME, word), self.negative_prompt.replace(NAME, word)


def templates(kind: str, record: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """The training templates of a kind, from the base's record where it has them."""
    own = ((record or {}).get("templates") or {}).get(kind)
    return tuple(own) if own else _TEMPLATES[kind]


def training_prompts(lines: Sequence[str], caption: str | None) -> list[str]:
    """The prompts one picture is trained with; each holds [name].

    A caption that names [name] is the whole prompt; any other is filled in for [filewords], or added after
    the template.
    """
    caption = (caption or "").strip()
    if NAME in caption:
        return [caption]
    filled = []
    for line in lines:
        if CAPTION in line:
            filled.append(line.replace(CAPTION, caption).strip(" ,"))
        else:
            filled.append(f"{line}, {caption}" if caption else line)
    return filled


def faithful_prompt(kind: str, record: Mapping[str, Any] | None = None) -> str:
    """The prompt of block A, also used for the small pictures while a run goes on."""
    return NAME if kind == "negative" else _scenes(kind, record)[0]


def sheet_plan(
    kind: str,
    *,
    initializer: str = "",
    record: Mapping[str, Any] | None = None,
    growth: Sequence[str] = (),
    own: Sequence[str] = (),
) -> list[Cell]:
    """Every picture of the preview sheet, block by block, with fixed prompts and seeds; those of `own` prompts last.

    Controls hold the initializer in place of [name], or the kind's plain noun where none is known.
    """
    noun = initializer or ((record or {}).get("nouns") or {}).get(kind) or _NOUNS[kind]
    scenes = _scenes(kind, record)
    faithful = faithful_prompt(kind, record)
    cells = [Cell("A", 0, column, faithful, seed) for column, seed in enumerate(FAITHFUL_SEEDS)]
    if kind != "negative":
        cells += [
            Cell("B", row, column, scene, seed)
            for row, scene in enumerate(scenes[1:7])
            for column, seed in enumerate(SCENE_SEEDS)
        ]
    cells += [_control(cell, noun) for cell in cells]
    cells += [
        Cell("D", 0, column, prompt, INTACT_SEED)
        for column, prompt in enumerate(((record or {}).get("plain") or _PLAIN)[:2])
    ]
    # Strength and growth show a negative embedding where it is used: in the negative prompt of a scene.
    one = Cell("E", 0, 0, faithful, FAITHFUL_SEEDS[0])
    if kind == "negative":
        one = Cell("E", 0, 0, scenes[0], NEGATIVE_SEEDS[0], negative_prompt=NAME)
    cells += [replace(one, column=column, weight=weight) for column, weight in enumerate(STRENGTHS)]
    cells += [replace(one, block="F", column=column, rows=label) for column, label in enumerate(growth)]
    if kind == "negative":
        for row, scene in enumerate(scenes[:2]):
            for column, seed in enumerate(NEGATIVE_SEEDS):
                cells.append(Cell("G", 2 * row, column, scene, seed, negative_prompt=NAME))
                cells.append(Cell("G", 2 * row + 1, column, scene, seed, is_control=True, rows="none"))
    return [*cells, *_own_cells(own, noun)]


def _control(cell: Cell, noun: str) -> Cell:
    """The same picture without the trigger. Rows of block C: first that of A, then those of B."""
    row = cell.row if cell.block == "A" else cell.row + 1
    return replace(
        cell, block="C", row=row, prompt=cell.prompt.replace(NAME, noun), is_control=True, rows="none"
    )


def _own_cells(prompts: Sequence[str], noun: str) -> list[Cell]:
    """Rows in twos at the seeds of the scenes: each prompt with the word, and then without.

    A prompt without [name], which only a negative word may have, gets it as its negative prompt.
    """
    cells = []
    for number, prompt in enumerate(prompts):
        for column, seed in enumerate(SCENE_SEEDS):
            cell = Cell(OWN, 2 * number, column, prompt, seed, "" if NAME in prompt else NAME)
            bare = Cell(OWN, 2 * number + 1, column, prompt.replace(NAME, noun), seed)
            cells += [cell, replace(bare, is_control=True, rows="none")]
    return cells


def _scenes(kind: str, record: Mapping[str, Any] | None) -> tuple[str, ...]:
    own = ((record or {}).get("scenes") or {}).get(kind)
    return tuple(own) if own else _SCENES[kind]
