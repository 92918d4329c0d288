"""Numbers about vectors: likeness, sketches that find near copies, and the vocabulary of the bundled base model."""

import json
import random
from pathlib import Path

import pytest

from hub.formats import read, sketch, statistics
from trainer.base_folder import BUNDLED

CATALOGUE = BUNDLED.parent / "catalogue"
STORED = "49ba4bc773c7f35c"


def row(width: int = 768, *, seed: int = 1) -> tuple[float, ...]:
    source = random.Random(seed)
    return tuple(source.gauss(0, 0.02) for _ in range(width))


def moved(vector: tuple[float, ...], cosine: float, *, seed: int) -> tuple[float, ...]:
    """A vector at about this cosine from the given one."""
    other = row(len(vector), seed=seed)
    along = (1 - cosine**2) ** 0.5
    return tuple(cosine * one + along * two for one, two in zip(vector, other, strict=True))


@pytest.mark.parametrize("width", [128, 768, 1280])
def test_a_sketch_does_not_change_with_scale_and_tells_the_cosine(width):
    one = row(width)
    assert sketch.sketch(one) == sketch.sketch(tuple(7 * value for value in one))
    for cosine in (0.99, 0.9, 0.0):
        near = moved(one, cosine, seed=5)
        told = sketch.likeness(sketch.sketch(one), sketch.sketch(near))
        assert abs(told - statistics.cosine(one, near)) < 0.25 - 0.2 * cosine


def test_near_copies_share_a_band_and_strangers_hardly_ever_do():
    own = set(sketch.bands(sketch.sketch(row())))
    shared = sum(
        bool(own & set(sketch.bands(sketch.sketch(moved(row(), 0.98, seed=s))))) for s in range(9, 49)
    )
    strangers = sum(bool(own & set(sketch.bands(sketch.sketch(row(seed=s))))) for s in range(100, 200))
    assert shared >= 34 and strangers <= 1


def test_sketches_are_the_same_for_ever():
    assert sketch.from_hex(sketch.to_hex([1, 2**255])) == [1, 2**255]
    assert f"{sketch.sketch([float(n % 7) for n in range(128)]):064x}"[:16] == STORED


def test_nearest_words_on_the_site_are_those_that_the_engine_found():
    table = statistics.open_table(BUNDLED, "text_encoder")
    assert table is not None and table.width == 128
    for folder in sorted(CATALOGUE.iterdir()):
        said = json.loads((folder / "result.json").read_text())
        engine = _nearest(said)
        if engine is None:
            continue
        tensor = read(folder / "embedding.safetensors").tensors["emb_params"]
        found = [[near.word for near in words] for words in table.nearest(statistics.rows_of(tensor))]
        assert [words[:3] for words in found] == [[one["word"] for one in words][:3] for words in engine]


def _nearest(said: object) -> list | None:
    """The engine's nearest words, wherever its result keeps them."""
    stack = [said]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("nearest"), list) and value["nearest"]:
                return value["nearest"]
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)
    return None


def test_a_folder_without_a_readable_table_has_none(tmp_path: Path):
    assert statistics.open_table(tmp_path, "text_encoder") is None
    (tmp_path / "text_encoder").mkdir()
    (tmp_path / "text_encoder" / "model.safetensors").write_bytes(b"\0" * 64)
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer" / "vocab.json").write_text('{"fog</w>": 0}')
    assert statistics.open_table(tmp_path, "text_encoder") is None
