"""What pictures are trained with, and which pictures a sheet shows."""

import pytest

from trainer.prompts import NAME, OWN, SCENE_SEEDS, STRENGTHS, Cell, sheet_plan, templates, training_prompts
from trainer.recipe import KINDS


def block(cells: list[Cell], letter: str) -> list[Cell]:
    return [cell for cell in cells if cell.block == letter]


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_names_the_word(kind: str) -> None:
    lines = templates(kind)
    assert len(set(lines)) >= 12
    assert all(NAME in line for line in lines)


def test_base_brings_its_own_templates() -> None:
    record = {"templates": {"style": ["a [name] star"]}}
    assert templates("style", record) == ("a [name] star",)
    assert templates("object", record) == templates("object")


@pytest.mark.parametrize(
    ("caption", "prompts"),
    [
        (None, ["a photo of [name]", "[name]"]),
        ("on a table", ["a photo of [name], on a table", "[name], on a table"]),
        ("the [name] at night", ["the [name] at night"]),
    ],
)
def test_captions_fill_templates_or_replace_them(caption: str | None, prompts: list[str]) -> None:
    assert training_prompts(["a photo of [name]", "[name], [filewords]"], caption) == prompts


@pytest.mark.parametrize("kind", ["style", "object", "subject"])
def test_sheet_has_its_blocks(kind: str) -> None:
    cells = sheet_plan(kind, initializer="moss", growth=["step 0", "average"])
    sizes = {letter: len(block(cells, letter)) for letter in "ABCDEFG"}
    assert sizes == {"A": 4, "B": 12, "C": 16, "D": 2, "E": 5, "F": 2, "G": 0}


@pytest.mark.parametrize("kind", ["style", "object", "subject"])
def test_each_control_is_the_same_picture_without_the_word(kind: str) -> None:
    cells = sheet_plan(kind, initializer="moss")
    with_word = [*block(cells, "A"), *block(cells, "B")]
    for cell, control in zip(with_word, block(cells, "C"), strict=True):
        assert control.prompt == cell.prompt.replace(NAME, "moss")
        assert control.seed == cell.seed
        assert (control.is_control, control.rows) == (True, "none")


def test_control_uses_a_plain_noun_where_no_initializer_is_known() -> None:
    control = block(sheet_plan("object"), "C")[0]
    assert control.prompt == "a photo of a object"
    own = block(sheet_plan("object", record={"nouns": {"object": "thing"}}), "C")[0]
    assert own.prompt == "a photo of a thing"


def test_intact_prompts_lack_the_word_but_are_drawn_with_it_loaded() -> None:
    for cell in block(sheet_plan("style"), "D"):
        assert NAME not in cell.prompt
        assert cell.rows == "final"


def test_negative_kind_is_shown_in_the_negative_prompt() -> None:
    cells = sheet_plan("negative", growth=["step 0"])
    with_word = [cell for cell in block(cells, "G") if not cell.is_control]
    without = [cell for cell in block(cells, "G") if cell.is_control]
    assert len(with_word) == len(without) == 6
    assert all(cell.negative_prompt == NAME for cell in with_word)
    assert {(c.prompt, c.seed) for c in with_word} == {(c.prompt, c.seed) for c in without}
    assert all(cell.negative_prompt == NAME for cell in block(cells, "E") + block(cells, "F"))
    assert block(cells, "B") == []


@pytest.mark.parametrize("kind", KINDS)
def test_own_prompts_come_after_a_sheet_that_stays_as_it_is(kind: str) -> None:
    fixed = sheet_plan(kind, initializer="moss", growth=["step 0"])
    whole = sheet_plan(kind, initializer="moss", growth=["step 0"], own=["[name] on a mug", "a [name] stamp"])
    assert whole[: len(fixed)] == fixed
    own = whole[len(fixed) :]
    assert {cell.block for cell in own} == {OWN}
    with_word = [cell for cell in own if not cell.is_control]
    assert [(c.row, c.prompt, c.seed) for c in with_word] == [
        (row, prompt, seed)
        for row, prompt in ((0, "[name] on a mug"), (2, "a [name] stamp"))
        for seed in SCENE_SEEDS
    ]
    controls = {(cell.row - 1, cell.column): cell for cell in own if cell.is_control}
    for cell in with_word:
        control = controls[cell.row, cell.column]
        assert (control.prompt, control.seed) == (cell.prompt.replace(NAME, "moss"), cell.seed)
        assert (control.rows, control.negative_prompt, cell.negative_prompt) == ("none", "", "")


def test_own_prompt_without_the_word_has_it_as_its_negative_prompt() -> None:
    first, bare = block(sheet_plan("negative", own=["a portrait"]), OWN)[:2]
    assert (first.prompt, first.negative_prompt, first.rows) == ("a portrait", NAME, "final")
    assert (bare.prompt, bare.negative_prompt, bare.rows) == ("a portrait", "", "none")


def test_places_in_the_sheet_are_unique() -> None:
    for kind in KINDS:
        cells = sheet_plan(kind, growth=["step 0", "step 1"], own=["a [name]", "[name]"])
        places = [(c.block, c.row, c.column) for c in cells]
        assert len(places) == len(set(places))


def test_strength_is_shown_as_people_type_it() -> None:
    cells = block(sheet_plan("subject"), "E")
    assert [cell.weight for cell in cells] == list(STRENGTHS)
    assert cells[0].shown("mossglow") == ("a photo of (mossglow:0.6)", "")
    assert cells[2].shown("mossglow") == ("a photo of mossglow", "")
