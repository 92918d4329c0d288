"""The bundled catalogue, as it lies in the package, and the trials that measure it."""

import json
from random import Random

import pytest
from PIL import Image

from trainer.base_folder import base_digest
from trainer.recipe import Recipe
from trainer.tiny import words, world
from trainer.tiny.__main__ import BUNDLED
from trainer.tiny.sets import CONCEPTS

CATALOGUE = BUNDLED / "catalogue"
NAMES = [concept.name for concept in CONCEPTS]


def test_every_picture_set_has_its_entry():
    assert sorted(path.name for path in CATALOGUE.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_was_trained_on_the_bundled_base_by_the_standard_recipe(name):
    result = json.loads((CATALOGUE / name / "result.json").read_text())
    assert result["base_digest"] == base_digest(BUNDLED / "base")
    assert result["base_intact"]
    recipe = Recipe.from_dict(result["recipe"])
    assert (recipe.preset, recipe.family, recipe.trigger) == ("standard", "tiny", name)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_an_entry_names_lies_in_it(name):
    entry = CATALOGUE / name
    result, sheet = (json.loads((entry / f"{part}.json").read_text()) for part in ("result", "sheet"))
    paths = [result["embedding"], sheet["sheet"], *(image["path"] for image in sheet["images"])]
    paths += [stage["path"] for stage in result["growth"]]
    assert all((entry / path).is_file() for path in paths)
    assert not any(path.startswith("/") for path in paths)


@pytest.mark.parametrize("name", NAMES)
def test_a_sheet_shows_the_word_its_controls_and_an_intact_base(name):
    sheet = json.loads((CATALOGUE / name / "sheet.json").read_text())
    assert sheet["intact"]
    assert {image["is_control"] for image in sheet["images"]} == {True, False}
    with Image.open(CATALOGUE / name / sheet["sheet"]) as whole:
        assert whole.format == "WEBP"


@pytest.mark.parametrize("concept", CONCEPTS, ids=NAMES)
def test_trial_prompts_hold_the_word_once_and_name_a_ground(concept):
    asked = words.questions_for(concept, Random(1), 30)
    for one in asked:
        assert one.prompt.count("[name]") == 1
        assert one.prompt.endswith(f"on a {one.ground} background")
    assert len({one.ground for one in asked}) > 3


def test_a_trial_is_another_one_for_another_number():
    concept = CONCEPTS[0]
    first, second = (words.questions_for(concept, world.dice(f"{seed} x"), 16) for seed in (1, 2))
    assert first != second


def test_a_trial_reads_as_a_row_of_its_table():
    line = words.Recognition(16, 12, 1, 0, 15, 14).line("zebra-wave")
    assert line == "| zebra-wave | 12 | 1 | 0 | 15 | 14 |  | of 16 |"
    negative = words.Recognition(16, 12, 1, 0, 15, 14, spoilt=9, still_spoilt=3).line("murk-fog")
    assert negative.endswith("| 9 to 3 | of 16 |")
    assert words.HEADER.splitlines()[0].count("|") == line.count("|")
