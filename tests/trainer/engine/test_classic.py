"""The `classic` preset is the published algorithm, written a second time from its description.

Nothing of the engine is used in that second copy but the draw that says which picture, prompt, noise and timestep
each sample has. The benchmarks train with the same copy.
"""

from collections.abc import Callable

import pytest
import torch

from benchmarks.reference import Inputs, Reference
from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset, prepare
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import Draw, draw
from trainer.recipe import Recipe

Train = Callable[..., Recorder]
STEPS = 20


def inputs_of(drawn: Draw, data: Dataset, images: Images) -> Inputs:
    return Inputs(
        [images[picture]["path"] for picture in drawn.pictures.tolist()],
        [bool(turned) for turned in drawn.flipped.tolist()],
        [data.prompts[number] for number in drawn.prompts],
        drawn.timesteps,
        drawn.latent_noise,
        drawn.noise,
    )


@pytest.mark.filterwarnings("ignore")  # of the libraries in the role of a stranger's program
@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
@pytest.mark.parametrize(("batch", "accumulate"), [(2, 1), (1, 2)])
def test_classic_run_equals_the_published_algorithm(
    epsilon_base: BaseModel,
    base: BaseModel,
    images: Images,
    train: Train,
    prediction: str,
    batch: int,
    accumulate: int,
) -> None:
    own = epsilon_base if prediction == "epsilon" else base
    recipe = Recipe.for_preset(
        "classic",
        family="tiny",
        kind="object",
        trigger="mossglow",
        initializer="star",
        lr=5e-4,
        batch=batch,
        accumulate=accumulate,
        max_steps=STEPS,
        seed=11,
    )
    data = prepare(own, recipe, [picture_from(image) for image in images])
    assert data is not None
    reference = Reference(own.facts.path, "star", side=64, lr=recipe.lr)
    (before,) = reference.rows()
    for step in range(STEPS):
        drawn = draw(recipe, data, step, own.timesteps)
        parts = [drawn.part(start, start + batch) for start in range(0, batch * accumulate, batch)]
        reference.update([inputs_of(part, data, images) for part in parts])
    (theirs,) = reference.rows()
    assert (theirs - before).abs().max() > 1e-3
    ours = rows_of(train(recipe, on=own).last)
    assert torch.equal(reference.tables[0][: reference.new], reference.before[0][: reference.new])
    assert (ours - theirs).abs().max() < 1e-6
