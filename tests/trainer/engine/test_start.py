"""Where learning starts: words, noise, the encoder's output, a file; and that each is the recipe's doing alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.trainer.engine.conftest import Images, Recorder, rows_of, trainer_in
from trainer.engine import canonical
from trainer.engine.base_model import BaseModel
from trainer.engine.events import Fault
from trainer.engine.run import Run
from trainer.engine.start import start_rows
from trainer.engine.tokens import word_ids
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]


def test_word_starts_at_its_vectors(base: BaseModel, recipe: Make) -> None:
    encoder = base.encoders[0]
    (rows,) = start_rows(base, recipe(initializer="red star"))
    assert torch.equal(rows, encoder.table[word_ids(encoder.tokenizer, "red star")])


def test_random_starts_among_the_words_whatever_the_initializer(base: BaseModel, recipe: Make) -> None:
    table = base.encoders[0].table
    (rows,) = start_rows(base, recipe(initializer_mode="random", vectors_per_token=8))
    (without,) = start_rows(base, recipe(initializer="", vectors_per_token=8))
    (another,) = start_rows(base, recipe(initializer_mode="random", vectors_per_token=8, seed=8))
    assert torch.equal(rows, without)
    assert not torch.equal(rows, another)
    assert float(rows.std()) == pytest.approx(float(table.std()), rel=0.2)


def test_cross_starts_at_what_the_encoder_says_of_the_word(base: BaseModel, recipe: Make) -> None:
    encoder = base.encoders[0]
    (rows,) = start_rows(base, recipe(initializer="red star", initializer_mode="cross", norm="off"))
    prompt = encoder.tokenizer("red star", padding="max_length", max_length=77, return_tensors="pt").input_ids
    with torch.no_grad():
        states, _ = encoder.encode(prompt)
    assert torch.allclose(rows, states[0, 1:3], atol=1e-6)
    assert not rows.requires_grad


def test_cross_spreads_one_word_with_a_little_noise(base: BaseModel, recipe: Make) -> None:
    (rows,) = start_rows(base, recipe(initializer="star", initializer_mode="cross", norm="off"))
    assert not torch.equal(rows[0], rows[1])
    assert float((rows[0] - rows[1]).norm() / rows[0].norm()) < 0.1


@pytest.mark.parametrize(
    "changes", [{"initializer_mode": "random"}, {"initializer_mode": "cross", "norm": "off"}]
)
def test_each_start_learns_and_resumes_to_the_same_bits(
    recipe: Make, train: Train, changes: dict[str, Any]
) -> None:
    settings = recipe(max_steps=12, **changes)
    whole = train(settings).last
    halfway = train(settings, stop_at=6).last["checkpoint"]
    assert torch.equal(rows_of(train(settings, resume=halfway).last), rows_of(whole))
    assert whole["provenance"]["recipe"]["initializer_mode"] == changes["initializer_mode"]


def of_file(base: BaseModel, recipe: Recipe, file: Path | None, work: Path, images: Images) -> Recorder:
    told = Recorder()
    Run(base, recipe, images, work, told, lambda: False, start=file).train()
    return told


def test_file_is_where_the_next_run_starts(
    base: BaseModel, recipe: Make, images: Images, tmp_path: Path
) -> None:
    first = trainer_in(tmp_path, base, images)(recipe(max_steps=12)).last
    path = Path(first["embedding"])
    digest = canonical.digest(base, canonical.read(base, path))
    settings = recipe(max_steps=4, lr=0.0, initializer_mode="file", initializer_file=digest)
    again = of_file(base, settings, path, tmp_path / "again", images).last
    assert torch.equal(rows_of(again), rows_of(first))
    assert again["provenance"]["recipe"]["initializer_file"] == first["tensor_digest"]


def test_file_that_does_not_fit_is_refused_with_the_reason(
    base: BaseModel, recipe: Make, images: Images, tmp_path: Path
) -> None:
    path = tmp_path / "two.safetensors"
    rows = [torch.randn(2, encoder.table.shape[1]) for encoder in base.encoders]
    digest = canonical.write(base, rows, trigger="two", metadata={}, path=path)
    for number, (file, changes, code) in enumerate(
        [
            (None, {}, "start_missing"),
            (path, {"initializer_file": "0" * 64}, "start_differs"),
            (path, {"vectors_per_token": 3}, "start_vectors"),
        ]
    ):
        settings = recipe(**{"initializer_mode": "file", "initializer_file": digest, **changes})
        with pytest.raises(Fault) as refused:
            of_file(base, settings, file, tmp_path / f"work-{number}", images)
        assert (refused.value.fault, refused.value.code) == ("recipe", code)


def test_prodigy_resumes_to_the_same_bits(recipe: Make, train: Train, base: BaseModel) -> None:
    settings = recipe(max_steps=40, optimizer="prodigy", lr=1.0, norm="off", average=0.0)
    whole = train(settings).last
    (start,) = start_rows(base, settings)
    assert not torch.equal(rows_of(whole), start)
    halfway = train(settings, stop_at=15).last["checkpoint"]
    assert torch.equal(rows_of(train(settings, resume=halfway).last), rows_of(whole))
