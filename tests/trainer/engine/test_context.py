"""Editability: the words around the new one are held at what they mean around the initializer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cosine_similarity

from tests.trainer.engine import families
from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine.base_model import BaseModel
from trainer.engine.context import SHOWN, Context, context_prompts
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw
from trainer.engine.start import start_rows
from trainer.prompts import NAME, sheet_plan
from trainer.recipe import KINDS, Recipe, RecipeError

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]


def prepared(base: BaseModel, recipe: Recipe, images: Images) -> Dataset:
    data = prepare(base, recipe, [picture_from(image) for image in images])
    assert data is not None
    return data


def settings(family: str, **changes: Any) -> Recipe:
    values = {"resolution": 64, "batch": 2, "accumulate": 1, "max_steps": 4, "seed": 7, "context_reg": 0.5}
    values |= {"vectors_per_token": 3, "initializer": "flat style", "templates": ("a [name] star",)}
    return Recipe.for_preset("standard", family=family, kind="style", trigger="moss", **{**values, **changes})


@pytest.fixture(scope="module", params=["sd1", "sd2", "sdxl"])
def family_base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    """A small base of each family."""
    folder = tmp_path_factory.mktemp("context") / request.param
    return BaseModel.load(families.build(folder, request.param), precision="fp32")


def reference(base: BaseModel, rows: list[torch.Tensor], line: str, word: str) -> torch.Tensor:
    """One minus the cosine of the words after the name, with a longer table in place of the overlay."""
    before, after = line.split(NAME)
    apart = []
    for encoder, own in zip(base.encoders, rows, strict=True):
        split = [encoder.tokenizer(t, add_special_tokens=False).input_ids for t in (before, word, after)]
        new = list(range(encoder.overlay.first, encoder.overlay.first + len(own)))
        states = []
        for shown, middle in ((own, new), (None, split[1])):
            ids = [encoder.tokenizer.bos_token_id, *split[0], *middle, *split[2]]
            ids += [encoder.tokenizer.eos_token_id] + [encoder.tokenizer.pad_token_id] * (76 - len(ids))
            with encoder.overlay.showing(shown):
                out = encoder.model(torch.tensor([ids]), output_hidden_states=True)
            layer = out.hidden_states[-2] if len(rows) == 2 else out.last_hidden_state
            first = 1 + len(split[0]) + len(middle)
            states.append(layer[0, first : first + len(split[2])])
        apart.append(1 - cosine_similarity(*states, dim=-1).mean())
    return torch.stack(apart).mean()


def test_distance_and_its_pull_equal_a_ten_line_reference(family_base: BaseModel, images: Images) -> None:
    recipe = settings(family_base.facts.family)
    data, plain = (prepared(family_base, own, images) for own in (recipe, recipe.replace(context_reg=0)))
    assert data.context is not None and plain.context is None
    rows = [own + 0.02 for own in start_rows(family_base, recipe)]
    lines = context_prompts("style", {})
    inputs = draw(recipe, data, 1, family_base.timesteps)
    assert list(inputs.contexts) == [4, 5, 6, 7]
    loss, pulled = gradient(family_base, recipe, data, rows, inputs, Fit(2))
    same, free = gradient(family_base, recipe, plain, rows, inputs, Fit(2))
    assert torch.equal(loss, same)
    leaves = [own.clone().requires_grad_(True) for own in rows]
    wanted = torch.stack([reference(family_base, leaves, lines[n], "flat style") for n in inputs.contexts])
    with torch.no_grad(), family_base.showing(rows):
        assert torch.allclose(data.context.distance(family_base, inputs.contexts), wanted.mean(), rtol=1e-4)
    (0.5 * wanted.mean()).backward()
    for own, without, leaf in zip(pulled, free, leaves, strict=True):
        assert leaf.grad is not None and float(leaf.grad.norm()) > 0
        assert ((own - without) - leaf.grad).norm() < 1e-3 * leaf.grad.norm() + 1e-6 * own.norm()


def test_words_are_where_they_should_be_at_the_start_and_held_there(
    base: BaseModel, recipe: Make, images: Images, train: Train
) -> None:
    """As many vectors as the initializer has words: the start is the initializer itself."""
    kept = {"initializer": "flat style", "vectors_per_token": 2, "max_steps": 30, "average": 0.0}
    kept |= {"lr": 0.02, "norm": "off", "early_stop": False}
    held, free = recipe(context_reg=1.0, **kept), recipe(**kept)
    context = Context.of(base, held)
    every = range(len(context_prompts("style", base.facts.record)))

    def apart(rows: torch.Tensor) -> float:
        with torch.no_grad(), base.showing([rows]):
            return float(context.distance(base, every))

    assert apart(start_rows(base, held)[0]) < 1e-6
    ends = [apart(rows_of(train(own).last)) for own in (held, free)]
    assert 0 < ends[0] < ends[1] / 2


def test_zero_is_the_loop_without_it_bit_for_bit(recipe: Make, train: Train) -> None:
    plain, zero = (train(recipe(max_steps=5, **own)).last for own in ({}, {"context_reg": 0}))
    assert zero["tensor_digest"] == plain["tensor_digest"]
    assert Path(zero["embedding"]).read_bytes() == Path(plain["embedding"]).read_bytes()
    held = train(recipe(max_steps=5, context_reg=0.5)).last
    assert held["tensor_digest"] != plain["tensor_digest"]
    assert held["provenance"]["recipe"]["context_reg"] == 0.5


def test_held_run_stopped_and_resumed_ends_bit_equal(recipe: Make, train: Train) -> None:
    own = recipe(context_reg=0.5, max_steps=4)
    whole = train(own).last
    resumed = train(own, resume=train(own, stop_at=2).last["checkpoint"]).last
    assert resumed["tensor_digest"] == whole["tensor_digest"]


def test_prompts_come_by_turns(base: BaseModel, recipe: Make) -> None:
    context = Context.of(base, recipe(context_reg=0.1))
    count = len(context_prompts("style", base.facts.record))
    shown = [n for step in range(count) for n in context.turn(step)]
    assert sorted(shown) == sorted([*range(count)] * SHOWN)


@pytest.mark.parametrize("kind", KINDS)
def test_prompts_hold_the_name_once_with_words_after_it_and_are_none_of_the_sheets(kind: str) -> None:
    lines = context_prompts(kind, {})
    assert all(line.count(NAME) == 1 and line.partition(NAME)[2].strip() for line in lines)
    assert not {cell.prompt for cell in sheet_plan(kind)} & set(lines)
    own = {"templates": {kind: ["a [name]", "a [name] shape"]}, "scenes": {kind: ["[name], [name]"]}}
    assert context_prompts(kind, own) == ("a [name] shape",)


def test_initializer_is_cut_where_the_prompt_is_full(base: BaseModel, recipe: Make) -> None:
    context = Context.of(base, recipe(context_reg=0.1, initializer="star " * 79))
    assert all(torch.isfinite(own).all() for own in context.wanted[0])


def test_there_must_be_a_word_to_compare_with() -> None:
    with pytest.raises(RecipeError) as refused:
        settings("sd1", initializer=" ")
    assert refused.value.field == "initializer"
