"""Every setting is in the table of the manual with its range, and can be given as words on the command line."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from PIL import Image

from trainer import written
from trainer.management.picture_folder import pictures
from trainer.options import CHOICES, RANGES
from trainer.recipe import Recipe, RecipeError

SMALL = {"trigger": "mossglow", "kind": "style", "family": "tiny"}
MANUAL = Path(__file__).parents[2] / "docs" / "training.md"
# What is asked for by itself, in the wizard and by options of the command.
ASKED = {
    "trigger",
    "kind",
    "family",
    "initializer",
    "initializer_file",
    "base",
    "preset",
    "templates",
    "preview_prompts",
    "captions",
}
# What some ways to start stand on.
WITH = {
    "cross": {"initializer": "star", "norm": "off"},
    "file": {"initializer_file": "0" * 64},
}


def table() -> dict[str, str]:
    """The manual's ranges by setting."""
    text = MANUAL.read_text("utf-8").partition("## Every setting")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) \|", text, re.MULTILINE))


def test_manual_lists_every_setting() -> None:
    assert set(table()) == {spec.name for spec in dataclasses.fields(Recipe)} - ASKED


@pytest.mark.parametrize("name", RANGES)
def test_manual_says_the_range_that_is_kept(name: str) -> None:
    low, high = RANGES[name]
    assert table()[name].startswith(f"{low:g}-{high:g}" if high < 1e6 else f"{low}-{high}")
    step = 64 if name == "resolution" else 1
    others = {"lr": {"optimizer": "prodigy"}, "context_reg": {"initializer": "star"}}.get(name, {})
    for value, good in ((low, True), (high, True), (low - step, False), (high + step, False)):
        try:
            Recipe.from_dict({**SMALL, **others, name: value})
        except RecipeError as error:
            assert not good, error
            assert error.field == name
        else:
            assert good


@pytest.mark.parametrize("name", sorted(set(CHOICES) - {"kind"}))
def test_manual_says_the_choices_that_are_known(name: str) -> None:
    assert table()[name] == ", ".join(CHOICES[name])
    for value in CHOICES[name]:
        others = WITH.get(value, {}) if name == "initializer_mode" else {}
        assert getattr(Recipe.from_dict({**SMALL, **others, name: value}), name) == value


def test_settings_are_read_as_words() -> None:
    pairs = [
        "crop=buckets",
        "lr=1e-3",
        "batch=2",
        "flip=off",
        "grad_clip=off",
        "tag_shuffle=on",
        "context_reg=0.1",
        "clip_skip=2",
        "compile=on",
    ]
    assert written.from_pairs(pairs) == {
        "crop": "buckets",
        "lr": 1e-3,
        "batch": 2,
        "flip": False,
        "grad_clip": None,
        "tag_shuffle": True,
        "context_reg": 0.1,
        "clip_skip": 2,
        "compile": True,
    }


@pytest.mark.parametrize(
    ("pair", "field", "word"),
    [
        ("speed=9", "set", "Settings: accumulate"),
        ("batch", "set", "SETTING=VALUE"),
        ("batch=2.5", "batch", "whole number"),
        ("lr=fast", "lr", "not a number"),
        ("flip=maybe", "flip", "neither on nor off"),
        ("trigger=x", "set", "Settings:"),
    ],
)
def test_words_that_are_no_setting_are_refused(pair: str, field: str, word: str) -> None:
    with pytest.raises(RecipeError, match=word) as refused:
        written.from_pairs([pair])
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"background": "white"}, "background"),
        ({"family": "sdxl", "clip_skip": 2}, "clip_skip"),
        ({"mask": "hand"}, "mask"),
        ({"mask_outside": 1.5}, "mask_outside"),
        ({"context_reg": 0.1}, "initializer"),
        ({"lr": 0.2}, "lr"),
        ({"initializer_mode": "cross", "norm": "off"}, "initializer"),
        ({"initializer_mode": "cross", "initializer": "star", "norm": "cap"}, "norm"),
        ({"initializer_mode": "file"}, "initializer_mode"),
        ({"initializer_file": "0" * 64}, "initializer_mode"),
        ({"initializer_mode": "file", "initializer_file": "star.pt"}, "initializer_file"),
    ],
)
def test_new_settings_are_checked(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Recipe.from_dict({**SMALL, **changes})
    assert refused.value.field == field


def test_prodigy_takes_a_factor_and_finds_the_rate() -> None:
    chosen = {"family": "tiny", "kind": "style", "trigger": "mossglow"}
    assert Recipe.for_preset("standard", **chosen).lr == 8e-3
    prodigy = Recipe.for_preset("standard", **chosen, initializer="star", optimizer="prodigy")
    assert prodigy.lr == 1.0
    assert not any("rate" in text.lower() for text in prodigy.warnings())
    assert any("usual lr is 1" in text for text in prodigy.replace(lr=2e-3).warnings())


@pytest.mark.parametrize(
    ("mode", "word"), [("random", "starts from noise"), ("cross", "far from all words"), ("word", "")]
)
def test_start_is_warned_about_where_it_is_slow(mode: str, word: str) -> None:
    told = Recipe.from_dict({**SMALL, **WITH["cross"], "initializer_mode": mode}).warnings()
    assert any(word in text for text in told) if word else not told


def test_cross_start_lets_the_vectors_be_as_long_as_they_are() -> None:
    chosen = {"family": "sd1", "kind": "style", "trigger": "mossglow", "initializer": "star"}
    assert Recipe.for_preset("standard", **chosen).norm == "cap"
    assert Recipe.for_preset("standard", **chosen, initializer_mode="cross").norm == "off"


def test_tags_without_captions_are_warned_about() -> None:
    assert any("captions are off" in text for text in Recipe.from_dict({**SMALL, "tag_drop": 0.1}).warnings())


def test_folder_gives_captions_masks_and_focus(tmp_path: Path) -> None:
    for name in ("01_red house.png", "01_red house.mask.png", "b.png"):
        Image.new("RGB", (32, 32)).save(tmp_path / name)
    (tmp_path / "01_red house.focus").write_text("0, 0.1 0.5 1")
    (tmp_path / "b.txt").write_text("by lake\n")
    first, second = pictures(tmp_path)
    assert Path(first["mask"]).name == "01_red house.mask.png"
    assert first["focus"] == [0.0, 0.1, 0.5, 1.0]
    assert (first["caption"], second["caption"]) == (None, "by lake")
    assert "mask" not in second and "focus" not in second
    assert [p["caption"] for p in pictures(tmp_path, "names")] == ["red house", "b"]
    assert [p["caption"] for p in pictures(tmp_path, "none")] == [None, None]
    (tmp_path / "b.focus").write_text("left")
    with pytest.raises(CommandError, match="four shares"):
        pictures(tmp_path)
