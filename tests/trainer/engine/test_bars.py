"""The four measures of a sheet, against pictures whose likeness is known."""

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw
from transformers import CLIPConfig, CLIPModel

from tests.trainer.engine.small_base import small_tokenizer
from trainer.engine import bars
from trainer.engine.base_model import BaseModel


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP of random weights: it knows nothing, but the same picture is the same to it."""
    torch.manual_seed(3)
    tokenizer = small_tokenizer()
    size = len(tokenizer)
    small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    ends = {"bos_token_id": size - 2, "eos_token_id": size - 1, "pad_token_id": size - 1}
    text, vision = {**small, **ends, "vocab_size": size}, {**small, "image_size": 32, "patch_size": 8}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    folder = tmp_path_factory.mktemp("clip")
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def cell(
    folder: Path, block: str, row: int, column: int, colour: str, *, control: bool = False
) -> dict[str, Any]:
    """A picture of the sheet with a shape in it, where its column says."""
    path = folder / f"{block}-{row}-{column}-{control}.png"
    picture = Image.new("RGB", (64, 64), colour)
    ImageDraw.Draw(picture).rectangle((8 * column, 4, 8 * column + 20, 40), fill="white")
    picture.save(path)
    where = {"block": block, "row": row, "column": column, "prompt": "a photo of a house", "path": str(path)}
    return {**where, "is_control": control or block == "C"}


@pytest.fixture
def sheet(tmp_path: Path) -> list[dict[str, Any]]:
    """Two prompts of two seeds, green with the word and red without."""
    own = [cell(tmp_path, block, 0, column, "green") for block in "AB" for column in range(3)]
    bare = [cell(tmp_path, "C", row, column, "red") for row in range(2) for column in range(3)]
    return own + bare


def test_without_clip_two_are_measured_and_two_are_not(base: BaseModel, sheet: list[dict[str, Any]]) -> None:
    found = bars.measure(base, sheet, training=[Path(sheet[0]["path"])], clip_folder=None)
    assert (found["faithful"], found["obedient"]) == (None, None)
    assert found["diverse"] and found["strength"]
    assert min(*found["diverse"].values(), *found["strength"].values()) > 0


def test_with_clip_all_four_are(base: BaseModel, sheet: list[dict[str, Any]], clip_folder: Path) -> None:
    learned = [Path(one["path"]) for one in sheet if one["block"] == "A"]
    found = bars.measure(base, sheet, training=learned, clip_folder=clip_folder)
    assert found["faithful"] and found["faithful"]["value"] > found["faithful"]["control"]
    assert found["obedient"] is not None
    without = bars.measure(base, sheet, training=[], clip_folder=clip_folder)
    assert without["faithful"] is None and without["obedient"] == found["obedient"]


def test_a_word_that_changes_nothing_has_no_strength(base: BaseModel, tmp_path: Path) -> None:
    same = [cell(tmp_path, block, 0, column, "green") for block in "AC" for column in range(3)]
    found = bars.measure(base, same, training=[], clip_folder=None)
    assert found["strength"] and found["strength"]["value"] == 0 < found["strength"]["control"]
    assert found["diverse"] and found["diverse"]["value"] == found["diverse"]["control"]


def test_a_word_that_draws_one_picture_is_not_diverse(base: BaseModel, tmp_path: Path) -> None:
    own = [{**cell(tmp_path, "A", 0, 0, "green"), "column": column} for column in range(3)]
    bare = [cell(tmp_path, "C", 0, column, "red") for column in range(3)]
    found = bars.measure(base, own + bare, training=[], clip_folder=None)
    assert found["diverse"] and found["diverse"]["value"] == 0 < found["diverse"]["control"]


def test_a_negative_word_is_measured_where_it_is_used(base: BaseModel, tmp_path: Path) -> None:
    own = [cell(tmp_path, "G", 0, column, "green") for column in range(3)]
    bare = [cell(tmp_path, "G", 1, column, "red", control=True) for column in range(3)]
    found = bars.measure(base, own + bare, training=[], clip_folder=None)
    assert found["strength"] and found["strength"]["value"] > 0
    assert found["faithful"] is None


def test_a_folder_that_is_not_there_is_no_clip(base: BaseModel, sheet: list[dict[str, Any]]) -> None:
    found = bars.measure(base, sheet, training=[], clip_folder=Path("/nonexistent"))
    assert found["obedient"] is None


def test_a_broken_clip_costs_two_measures_and_no_sheet(
    base: BaseModel, sheet: list[dict[str, Any]], tmp_path: Path
) -> None:
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "config.json").write_text("{}")
    found = bars.measure(base, sheet, training=[], clip_folder=tmp_path / "clip")
    assert found["obedient"] is None and found["diverse"]


def test_a_sheet_without_pairs_has_no_measures(base: BaseModel, tmp_path: Path) -> None:
    assert set(
        bars.measure(base, [cell(tmp_path, "D", 0, 0, "red")], training=[], clip_folder=None).values()
    ) == {None}
