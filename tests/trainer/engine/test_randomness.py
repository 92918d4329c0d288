"""Everything random in a step is a function of seed and step."""

from collections.abc import Callable

import pytest
import torch

from tests.trainer.engine.conftest import Images
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw, draw_timesteps, generator
from trainer.recipe import Recipe

Make = Callable[..., Recipe]


@pytest.fixture
def data(base: BaseModel, recipe: Make, images: Images) -> Dataset:
    prepared = prepare(base, recipe(flip=True), [picture_from(image) for image in images])
    assert prepared is not None
    return prepared


def test_a_step_draws_the_same_whatever_was_drawn_before(recipe: Make, data: Dataset) -> None:
    first = draw(recipe(), data, 17, 1000)
    torch.randn(100)
    draw(recipe(), data, 3, 1000)
    again = draw(recipe(), data, 17, 1000)
    assert repr(first) == repr(again)
    assert torch.equal(first.noise, again.noise)


def test_steps_and_seeds_differ(recipe: Make, data: Dataset) -> None:
    noises = [draw(recipe(seed=s), data, n, 1000).noise for s, n in ((1, 0), (1, 1), (2, 0))]
    assert not torch.equal(noises[0], noises[1])
    assert not torch.equal(noises[0], noises[2])


def test_every_picture_comes_once_per_epoch(recipe: Make, data: Dataset) -> None:
    settings = recipe(batch=2)
    seen = [n for step in range(10) for n in draw(settings, data, step, 1000).pictures.tolist()]
    epochs = [seen[at : at + 5] for at in range(0, 20, 5)]
    assert all(sorted(epoch) == [0, 1, 2, 3, 4] for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_splitting_a_batch_draws_the_same_samples(recipe: Make, data: Dataset) -> None:
    whole = draw(recipe(batch=4, accumulate=1), data, 5, 1000)
    split = draw(recipe(batch=1, accumulate=4), data, 5, 1000)
    assert repr(whole) == repr(split)


def test_stratified_timesteps_take_one_from_each_part() -> None:
    for step in range(20):
        times = draw_timesteps("stratified", 4, 1000, generator(1, "t", step))
        assert sorted(int(t) // 250 for t in times) == [0, 1, 2, 3]


@pytest.mark.parametrize(("mode", "low", "high"), [("uniform", 0, 999), ("100-900", 100, 899)])
def test_timesteps_fill_their_range(mode: str, low: int, high: int) -> None:
    times = torch.cat([draw_timesteps(mode, 16, 1000, generator(1, "t", n)) for n in range(200)])
    assert low <= int(times.min()) < low + 20
    assert high - 20 < int(times.max()) <= high


def test_flips_only_where_the_recipe_says(recipe: Make, data: Dataset) -> None:
    flips = [int(f) for step in range(20) for f in draw(recipe(flip=True), data, step, 1000).flipped]
    assert 0 < sum(flips) < len(flips)
    assert not any(draw(recipe(flip=False), data, step, 1000).flipped.any() for step in range(20))


def test_caption_drop_uses_the_empty_prompt(recipe: Make, data: Dataset) -> None:
    drops = [p for step in range(40) for p in draw(recipe(caption_drop=0.3), data, step, 1000).prompts]
    share = drops.count(data.empty_prompt) / len(drops)
    assert 0.1 < share < 0.5


def test_noise_offset_shifts_whole_channels(recipe: Make, data: Dataset) -> None:
    plain = draw(recipe(), data, 0, 1000).noise
    shifted = draw(recipe(noise_offset=0.1), data, 0, 1000).noise
    shift = shifted - plain
    assert torch.allclose(shift, shift.mean(dim=(2, 3), keepdim=True).expand_as(shift), atol=1e-6)
    assert shift.abs().max() > 0
