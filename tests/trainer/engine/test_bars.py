"""The measures of a sheet, against pictures whose likeness is known."""

import json
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image, ImageDraw
from transformers import CLIPConfig, CLIPModel, Dinov2Config, Dinov2Model

from tests.trainer.engine.small_base import small_tokenizer
from trainer.base_folder import BUNDLED
from trainer.engine import bars
from trainer.engine.base_model import BaseModel
from trainer.engine.eyes import pixels
from trainer.engine.fidelity import fidelity
from trainer.engine.tone import lab

TRIGGER = "moss-glow"


SMALL = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
TOWER = {**SMALL, "image_size": 32, "patch_size": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP and a DINO of random weights: they know nothing, but the same picture is the same to them."""
    torch.manual_seed(3)
    tokenizer = small_tokenizer()
    size = len(tokenizer)
    ends = {"bos_token_id": size - 2, "eos_token_id": size - 1, "pad_token_id": size - 1}
    config = CLIPConfig(
        text_config={**SMALL, **ends, "vocab_size": size}, vision_config=TOWER, projection_dim=16
    )
    metrics = tmp_path_factory.mktemp("metrics")
    CLIPModel(config).save_pretrained(metrics / "clip")
    tokenizer.save_pretrained(metrics / "clip")
    Dinov2Model(Dinov2Config(**{**SMALL, "image_size": 28, "patch_size": 14})).save_pretrained(
        metrics / "dino"
    )
    return metrics


@pytest.fixture(scope="module")
def tiny() -> BaseModel:
    """The bundled base, which knows what pictures are."""
    return BaseModel.load(BUNDLED, precision="fp32")


def storm_bolt() -> list[dict[str, Any]]:
    """The sheet of a word that the bundled base learned."""
    entry = BUNDLED.parent / "catalogue" / "storm-bolt"
    cells = json.loads((entry / "sheet.json").read_text())["images"]
    return [{**one, "path": str(entry / one["path"])} for one in cells]


def cell(
    folder: Path, block: str, row: int, column: int, colour: str, *, control: bool = False
) -> dict[str, Any]:
    """A picture of the sheet with a shape in it, where its column says."""
    path = folder / f"{block}-{row}-{column}-{control}.png"
    picture = Image.new("RGB", (64, 64), colour)
    ImageDraw.Draw(picture).rectangle((8 * column, 4, 8 * column + 20, 40), fill="white")
    picture.save(path)
    where = {
        "block": block,
        "row": row,
        "column": column,
        "prompt": f"a photo of a {TRIGGER} house",
        "path": str(path),
    }
    return {**where, "is_control": control or block == "C"}


@pytest.fixture
def sheet(tmp_path: Path) -> list[dict[str, Any]]:
    """Two prompts of two seeds, green with the word and red without."""
    own = [cell(tmp_path, block, 0, column, "green") for block in "AB" for column in range(3)]
    bare = [cell(tmp_path, "C", row, column, "red") for row in range(2) for column in range(3)]
    return own + bare


def measured(
    base: BaseModel, sheet: list[dict[str, Any]], training: list[Path], folder: Path | None = None
) -> dict[str, Any]:
    return bars.measure(base, sheet, trigger=TRIGGER, training=training, folder=folder)


def learned_from(sheet: list[dict[str, Any]]) -> list[Path]:
    return [Path(one["path"]) for one in sheet if one["block"] == "A"]


def test_without_other_models_the_base_measures_what_it_can(
    base: BaseModel, sheet: list[dict[str, Any]]
) -> None:
    found = measured(base, sheet, learned_from(sheet))
    assert (found["faithful"], found["dino"]) == (None, None)
    assert found["obedient"]["by"] == "base"
    assert min(found[name][side] for name in ("diverse", "strength") for side in ("value", "control")) > 0


def test_without_the_pictures_nothing_is_compared_with_them(
    base: BaseModel, sheet: list[dict[str, Any]], folder: Path
) -> None:
    found = measured(base, sheet, [], folder)
    assert [found[name] for name in ("faithful", "dino", "tone", "copies")] == [None] * 4
    assert found["obedient"] == measured(base, sheet, learned_from(sheet), folder)["obedient"]


def test_with_clip_and_dino_they_look(base: BaseModel, sheet: list[dict[str, Any]], folder: Path) -> None:
    found = measured(base, sheet, learned_from(sheet), folder)
    for name, eye in (("faithful", "clip"), ("dino", "dino")):
        assert found[name]["value"] > found[name]["control"]
        assert found[name]["by"] == eye
    assert found["obedient"]["by"] == "clip"


def test_the_safety_checker_of_a_base_sees_as_clip_does(
    base: BaseModel, sheet: list[dict[str, Any]], tmp_path: Path
) -> None:
    torch.manual_seed(3)
    checker = StableDiffusionSafetyChecker(CLIPConfig(vision_config=TOWER, projection_dim=16))
    checker.save_pretrained(tmp_path / "safety_checker")
    with_checker = copy(base)
    with_checker.facts = replace(base.facts, path=tmp_path)
    found = measured(with_checker, sheet, learned_from(sheet))["faithful"]
    assert found["by"] == "safety_checker"
    assert found["value"] > found["control"]


def test_a_word_that_changes_nothing_has_no_strength(base: BaseModel, tmp_path: Path) -> None:
    same = [cell(tmp_path, block, 0, column, "green") for block in "AC" for column in range(3)]
    found = measured(base, same, [])
    assert found["strength"]["value"] == 0 < found["strength"]["control"]
    assert found["diverse"]["value"] == found["diverse"]["control"]


def test_a_word_that_draws_one_picture_is_not_diverse(base: BaseModel, tmp_path: Path) -> None:
    own = [{**cell(tmp_path, "A", 0, 0, "green"), "column": column} for column in range(3)]
    bare = [cell(tmp_path, "C", 0, column, "red") for column in range(3)]
    found = measured(base, own + bare, [])
    assert found["diverse"]["value"] == 0 < found["diverse"]["control"]


def test_a_preview_that_was_learned_from_is_counted_as_a_copy(tiny: BaseModel, tmp_path: Path) -> None:
    cells = [one for one in storm_bolt() if one["block"] in "AC"]
    resaved, turned = tmp_path / "again.jpg", tmp_path / "turned.png"
    with Image.open(learned_from(cells)[0]) as picture:
        picture.resize((96, 96)).save(resaved, quality=90)
        picture.transpose(Image.Transpose.ROTATE_180).save(turned)
    copied = measured(tiny, cells, [resaved])["copies"]
    assert copied["count"] == 1
    assert copied["value"] > 0.95 > copied["control"]
    assert measured(tiny, cells, [turned])["copies"]["count"] == 0


def test_colours_are_compared_whatever_stands_where(base: BaseModel, sheet: list[dict[str, Any]]) -> None:
    found = measured(base, sheet, learned_from(sheet))["tone"]
    assert found["value"] == 0 and found["control"] > 20


def test_lab_is_that_of_its_definition() -> None:
    """White, black, mid grey and pure red, as the CIE's formulas give them for sRGB."""
    colours = torch.tensor([[1.0, 1, 1], [0, 0, 0], [0.5, 0.5, 0.5], [1, 0, 0]])
    expected = torch.tensor([[100.0, 0, 0], [0, 0, 0], [53.39, 0, 0], [53.24, 80.09, 67.20]])
    assert torch.allclose(lab(colours), expected, atol=0.1)


def test_the_base_itself_tells_which_text_a_picture_was_made_of(tiny: BaseModel) -> None:
    """It knows pictures by their texts, and exchanged texts for wrong."""
    scenes = [one for one in storm_bolt() if one["block"] == "B" and one["column"] == 0]
    paths = [Path(one["path"]) for one in scenes]
    texts = [one["prompt"].replace("storm-bolt", "") for one in scenes]
    assert fidelity(tiny, paths, texts) >= 5 / 6
    assert fidelity(tiny, paths, texts[1:] + texts[:1]) <= 1 / 6


@pytest.mark.parametrize("broken", [False, True])
def test_a_folder_without_a_usable_model_costs_a_measure_and_no_sheet(
    base: BaseModel, sheet: list[dict[str, Any]], tmp_path: Path, broken: bool
) -> None:
    if broken:
        for name in ("clip", "dino"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "config.json").write_text("{}")
    found = measured(base, sheet, learned_from(sheet), tmp_path)
    assert (found["faithful"], found["dino"]) == (None, None)
    assert found["diverse"]


def test_a_sheet_without_pairs_has_no_measures(base: BaseModel, tmp_path: Path) -> None:
    assert set(measured(base, [cell(tmp_path, "D", 0, 0, "red")], []).values()) == {None}


def test_what_is_transparent_in_a_picture_is_seen_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (32, 32), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert torch.equal(pixels(tmp_path / "clear.png", 16), torch.ones(1, 3, 16, 16))
