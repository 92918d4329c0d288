"""The bundled base model, as it lies in the package."""

import json
import zipfile

import numpy as np
import pytest

from trainer.base_folder import read_base
from trainer.tiny import exam
from trainer.tiny.__main__ import BUNDLED
from trainer.tiny.export import RECORD

BASE = BUNDLED / "base"


@pytest.fixture(scope="module")
def pipeline():
    return exam.load_pipeline(BASE)


def test_the_folder_is_a_base_model_of_its_family():
    facts = read_base(BASE)
    assert (facts.name, facts.family, facts.resolution) == ("tiny", "tiny", 64)
    assert (facts.prediction, facts.sampler, facts.steps) == ("v_prediction", "ddim", 20)
    assert (BASE / facts.record["card"]).read_text().startswith("# ")


def test_it_is_small_unpacked_and_packed(tmp_path):
    files = [path for path in BASE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 30_000_000
    packed = tmp_path / "base.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(BASE))
    assert packed.stat().st_size <= 15_000_000


def test_the_record_is_the_one_the_exporter_writes():
    record = json.loads((BASE / "glossa.json").read_text())
    assert record.pop("samples") > 0
    assert record == RECORD


def test_the_plain_pipeline_draws_with_it_and_the_same_seed_draws_the_same(pipeline):
    prompt = "a picture of a red star on a blue background"
    first, second = (exam.draw(pipeline, [prompt], [5])[0] for _ in range(2))
    assert first.size == (64, 64)
    assert first.tobytes() == second.tobytes()


def test_the_ground_is_the_one_that_was_asked_for(pipeline):
    prompts = [f"a picture of a red star on a {ground} background" for ground in ("blue", "black", "pink")]
    corners = [
        np.asarray(picture)[:6, :6].mean((0, 1)) for picture in exam.draw(pipeline, prompts, [1, 2, 3])
    ]
    blue, black, pink = corners
    assert blue[2] > blue[0] + 30
    assert black.max() < 90
    assert pink[0] > pink[2] + 15


def test_the_prompts_of_the_record_name_the_word_where_they_should():
    for lines in RECORD["templates"].values():
        assert all("[name]" in line for line in lines)
    for kind, lines in RECORD["scenes"].items():
        assert all(("[name]" in line) == (kind != "negative") for line in lines)
