"""Is a word that was loaded into the base seen in what it draws? The whole measurement, with few pictures.

The judge of these pictures is not learned: it lays silhouettes over each other, so that what it sees is sure.
"""

import random

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from trainer.tiny import exam, words, world
from trainer.tiny.__main__ import BUNDLED
from trainer.tiny.judge import AXES, COLOURS, look
from trainer.tiny.networks import to_input
from trainer.tiny.sets import CONCEPTS
from trainer.tiny.shapes import HELD_OUT_SHAPES, SHAPES
from trainer.tiny.world import Scene

FINN = next(concept for concept in CONCEPTS if concept.name == "finn-fish")
COUNT = 8
STANDS_OUT = 0.35  # of the difference between the ground and what differs from it most
ALIKE = 0.6  # a silhouette that fits none better than this is another one


class Silhouettes(torch.nn.Module):
    """Names the ground by its corners, and the shape by the silhouette that covers the picture's own best."""

    def __init__(self) -> None:
        super().__init__()
        rng = random.Random(3)
        drawn = {
            name: world.render(Scene(name, ("black",), ground="white"), rng)
            for name in (*SHAPES, *HELD_OUT_SHAPES)
        }
        self.known = {name: silhouette(pixels_of(picture)) for name, picture in drawn.items()}
        self.grounds = torch.tensor(list(world.GROUNDS.values()), dtype=torch.float32)

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Scores of every axis; of what it does not look at, none."""
        found = {axis: torch.zeros(len(pictures), len(names)) for axis, names in AXES.items()}
        for at, picture in enumerate((pictures + 1).permute(0, 2, 3, 1) * 127.5):
            corners = torch.stack([picture[y, x] for y in (1, -2) for x in (1, -2)]).median(0).values
            found["ground"][at] = -(self.grounds - corners).abs().sum(1)
            own = silhouette(picture.numpy())
            scores = {name: (own & one).sum() / (own | one).sum() for name, one in self.known.items()}
            found["shape"][at] = torch.tensor([scores.get(name, ALIKE) for name in AXES["shape"]])
        return {**found, "colours": torch.zeros(len(pictures), len(COLOURS))}


def pixels_of(picture: Image.Image) -> np.ndarray:
    """What `to_input` makes of a picture, as colours again."""
    stack = torch.from_numpy(np.array(picture.convert("RGB"))[None])
    pixels: np.ndarray = ((to_input(stack) + 1)[0].permute(1, 2, 0) * 127.5).numpy()
    return pixels


def silhouette(pixels: np.ndarray) -> np.ndarray:
    """Where the picture is not its ground, laid out over a square of its own."""
    apart = np.abs(pixels - np.median(pixels[:4].reshape(-1, 3), axis=0)).sum(2)
    mask = apart > STANDS_OUT * np.percentile(apart, 97)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    cut = Image.fromarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    laid: np.ndarray = np.asarray(cut.resize((48, 48), Image.Resampling.NEAREST))
    return laid


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    return exam.load_pipeline(BUNDLED / "base")


@pytest.fixture(scope="module")
def judge() -> Silhouettes:
    return Silhouettes()


def test_the_judge_of_this_test_knows_true_pictures(judge: Silhouettes) -> None:
    rng = random.Random(11)
    scenes = [FINN.scene(rng, index) for index in range(4)]
    scenes += [Scene(name, ("red",), ground="white") for name in ("star", "bolt", "house", "diamond")]
    seen = look(judge, [world.render(scene, rng) for scene in scenes])
    assert [one.shape for one in seen] == [scene.shape for scene in scenes]
    assert [one.ground for one in seen] == [scene.ground for scene in scenes]


def test_a_word_is_seen_in_what_it_draws_and_nothing_of_it_without_it(
    pipeline: StableDiffusionPipeline, judge: Silhouettes
) -> None:
    known = len(pipeline.tokenizer)
    embedding = BUNDLED / "catalogue" / FINN.name / "embedding.safetensors"
    seen = words.recognise(pipeline, judge, FINN, embedding, seed=1, count=COUNT)
    # The smallest bundled base draws a fish that is near a circle now and then; without the word there is none.
    assert (seen.count, seen.initializer, seen.neither) == (COUNT, 0, 0)
    assert seen.word >= COUNT // 4
    assert seen.ground == COUNT
    assert len(pipeline.tokenizer) == known
