"""Fixtures of the engine: a small random base, pictures, and runs in a work folder."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image, ImageDraw

import hub.formats
from tests.trainer.engine import small_base
from trainer.engine.base_model import BaseModel
from trainer.engine.run import Run
from trainer.recipe import Recipe

Images = list[dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random base with the structure of the bundled one."""
    return small_base.build(tmp_path_factory.mktemp("bases") / "small")


@pytest.fixture(scope="session")
def epsilon_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with epsilon prediction, as Stable Diffusion 1.x has it."""
    return small_base.build(tmp_path_factory.mktemp("bases") / "epsilon", prediction="epsilon")


@pytest.fixture(scope="session")
def base(base_folder: Path) -> BaseModel:
    """The base, loaded."""
    return BaseModel.load(base_folder, precision="fp32")


@pytest.fixture(scope="session")
def epsilon_base(epsilon_folder: Path) -> BaseModel:
    """The epsilon base, loaded."""
    return BaseModel.load(epsilon_folder, precision="fp32")


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """Five different pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    made = []
    for number in range(5):
        picture = Image.new("RGB", (96, 80 + 8 * number), (20 + 40 * number, 90, 160))
        ImageDraw.Draw(picture).ellipse((10 + number, 10, 60, 60), fill=(240, 200 - 30 * number, 40))
        path = folder / f"{number}.png"
        picture.save(path)
        made.append({"path": str(path), "caption": None})
    return made


@pytest.fixture(scope="session")
def recipe() -> Callable[..., Recipe]:
    """A short recipe; keywords change it."""

    def make(**changes: Any) -> Recipe:
        settings = {"family": "tiny", "initializer": "flat style", "max_steps": 20, "batch": 2, "seed": 7}
        settings |= {"vectors_per_token": 2, "norm": "cap", "early_stop": True}
        return Recipe.for_preset("standard", kind="style", trigger="mossglow", **{**settings, **changes})

    return make


class Recorder:
    """Collects the events of a run, as the reporter would write them."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: str, **values: Any) -> None:
        json.dumps(values, allow_nan=False)
        self.events.append({"event": event, **values})

    def of(self, name: str) -> list[dict[str, Any]]:
        """Events of one kind."""
        return [event for event in self.events if event["event"] == name]

    @property
    def last(self) -> dict[str, Any]:
        """The newest event."""
        return self.events[-1]


@pytest.fixture
def train(base: BaseModel, images: Images, tmp_path: Path) -> Callable[..., Recorder]:
    """Run a recipe to its end in this process and return what it reported."""
    return trainer_in(tmp_path, base, images)


def trainer_in(folder: Path, base: BaseModel, images: Images) -> Callable[..., Recorder]:
    """The same with the work folders of its runs in a folder."""
    counter = itertools.count()

    def run(
        recipe: Recipe,
        *,
        on: BaseModel | None = None,
        stop_at: int | None = None,
        resume: str | None = None,
        preview_every: int = 0,
        pictures: Images | None = None,
    ) -> Recorder:
        recorder = Recorder()
        steps = itertools.count(0)
        # The loop asks once before each step; preparing asks once for each picture.
        asked = len(pictures or images)

        def should_stop() -> bool:
            return stop_at is not None and next(steps) >= asked + stop_at

        Run(
            base=on or base,
            recipe=recipe,
            images=pictures or images,
            workdir=folder / f"run-{next(counter)}",
            on_event=recorder,
            should_stop=should_stop,
            resume=Path(resume) if resume else None,
            preview_every=preview_every,
        ).train()
        return recorder

    return run


def rows_of(event: dict[str, Any]) -> torch.Tensor:
    """The vectors in the file that an event names."""
    data = hub.formats.read(event["embedding"])
    tensor = data.tensors["emb_params"]
    return torch.frombuffer(bytearray(tensor.data), dtype=torch.float32).view(tensor.shape)
