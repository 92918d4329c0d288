"""A maker with pictures, a base model, and an engine that is a real child process but learns nothing."""

import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.access import Viewer
from hub.models import BaseModel
from hub.services.versions import ingest
from tests import factories, samples
from trainer import worker
from trainer.child import EngineChild
from trainer.models import TrainingImage, TrainingRun
from trainer.services import submitting
from trainer.services.submission import Submission

STAND_IN = Path(__file__).with_name("stand_in_engine.py")
Submit = Callable[..., TrainingRun]


def slow_python(folder: Path, *, seconds: float) -> str:
    """A program in place of Python that is the stand-in, at this pace."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" {seconds}\n')
    program.chmod(0o755)
    return str(program)


@pytest.fixture
def engine_python(tmp_path: Path) -> str:
    """A `python` that runs the stand-in whatever it is told to run; a hundredth of a second a step."""
    return slow_python(tmp_path, seconds=0.01)


@pytest.fixture
def child(engine_python: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineChild]:
    """The engine child of the worker in this process."""
    made = EngineChild(engine_python)
    monkeypatch.setattr(worker, "_child", made)
    yield made
    made.kill()


@pytest.fixture
def base(db: None) -> BaseModel:
    """An installed base model of the tiny family."""
    made = factories.base_model()
    BaseModel.objects.filter(pk=made.pk).update(resolution=64, folder="/nonexistent")
    made.refresh_from_db()
    return made


@pytest.fixture
def maker(db: None) -> Viewer:
    """A person who may train."""
    return factories.viewer("mia", made_by_operator=True)


@pytest.fixture
def pictures(tmp_path: Path) -> list[tuple[Path, str]]:
    """Three different pictures as files."""
    made = []
    for number, colour in enumerate(("navy", "seagreen", "firebrick")):
        path = tmp_path / f"picture-{number}.png"
        path.write_bytes(samples.picture(size=(96, 96), colour=colour))
        made.append((path, path.name))
    return made


@pytest.fixture
def kept(maker: Viewer) -> Callable[[Viewer], list[uuid.UUID]]:
    """Ids of three prepared pictures of somebody; the sandbox, which has its own suite, is left out."""

    def make(viewer: Viewer) -> list[uuid.UUID]:
        assert viewer.user is not None
        made = []
        for number in range(3):
            blob = ingest.store(samples.picture(size=(96, 96), colour=f"#{number}0a0c0"))
            image = TrainingImage.objects.create(
                owner=viewer.user.owner, blob=blob, content_type="image/png", width=96, height=96
            )
            made.append(image.id)
        return made

    return make


@pytest.fixture
def submission(base: BaseModel) -> Callable[..., Submission]:
    """A good form, with some fields changed."""

    def make(**changes: Any) -> Submission:
        name = changes.pop("name", "moss-glow")
        values: dict[str, Any] = {
            "name": name,
            "trigger": name,
            "kind": "style",
            "base_model": base.name,
            "licence": "cc0-1.0",
            "consent": True,
            "settings": {"max_steps": 40, "seed": 7, **changes.pop("settings", {})},
            "key": uuid.uuid4(),
        }
        return Submission(**{**values, **changes})

    return make


@pytest.fixture
def submit(
    maker: Viewer, submission: Callable[..., Submission], kept: Callable[[Viewer], list[uuid.UUID]]
) -> Submit:
    """Submit a good form with three pictures, with some fields changed."""

    def send(viewer: Viewer | None = None, **changes: Any) -> TrainingRun:
        viewer = viewer or maker
        if not {"pictures", "picture_ids", "bundled_set"} & set(changes):
            changes["picture_ids"] = kept(viewer)
        return submitting.submit(viewer, form=submission(**changes))

    return send
