"""The bundled picture sets, as they lie in the package."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from hub.formats.trigger import check_trigger
from trainer.tiny.__main__ import BUNDLED
from trainer.tiny.sets import CONCEPTS, PICTURES, write_sets

SETS = BUNDLED / "sets"
NAMES = [concept.name for concept in CONCEPTS]


def test_every_kind_of_word_has_a_set():
    assert {concept.kind for concept in CONCEPTS} == {"style", "object", "subject", "negative"}
    assert sorted(path.name for path in SETS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_holds_ten_square_pictures_and_its_record(name):
    record = json.loads((SETS / name / "set.json").read_text())
    assert set(record) == {
        "name", "title", "kind", "initializer", "trigger", "description", "licence",
    }  # fmt: skip
    assert record["licence"] == "CC0-1.0"
    check_trigger(record["trigger"])
    pictures = sorted((SETS / name).glob("*.png"))
    assert [path.name for path in pictures] == [f"{index:02}.png" for index in range(1, PICTURES + 1)]
    for path in pictures:
        with Image.open(path) as picture:
            assert (picture.mode, picture.size) == ("RGB", (192, 192))


def test_the_pictures_of_a_set_differ():
    for name in NAMES:
        assert len({path.read_bytes() for path in (SETS / name).glob("*.png")}) == PICTURES


def test_drawing_the_sets_again_gives_the_same_pictures(tmp_path):
    write_sets(tmp_path)
    for name in NAMES:
        for path in (tmp_path / name).glob("*.png"):
            with Image.open(path) as fresh, Image.open(SETS / name / path.name) as kept:
                assert fresh.tobytes() == kept.tobytes()


def test_the_world_and_the_sets_need_no_torch():
    program = "import sys, trainer.tiny.sets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
