"""Compiled steps: used once they agreed with plain ones, kept by a resumed run, given up without failing the run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from tests.trainer.engine.test_robustness import broken_unet
from trainer.engine import compiled
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import prepare
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient
from trainer.engine.pictures import picture_from
from trainer.engine.randomness import draw
from trainer.engine.start import start_rows
from trainer.recipe import Recipe

# The compiler warns of its own doings.
pytestmark = pytest.mark.filterwarnings("ignore")
Make = Callable[..., Recipe]
Train = Callable[..., Recorder]
FIRST, GOOD = (
    "Compiling the repeated blocks of the UNet. This can take minutes.",
    "Steps are compiled: their gradient agrees with that of a plain step.",
)
REST = "The rest equals that of an undisturbed run up to rounding, not bit for bit."


@pytest.fixture(autouse=True)
def _from_the_first_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(compiled, "LEAST_STEPS", 1)
    yield
    torch.compiler.reset()


@pytest.fixture
def by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Compile by another backend than the product's, which takes its time: `eager` only traces the blocks."""
    return lambda backend: monkeypatch.setattr(compiled, "HOW", {"backend": backend})


def told(events: Recorder) -> list[str]:
    return [note["text"] for note in events.of("note")]


def test_compiled_run_is_that_run_stopped_or_not(
    base: BaseModel, recipe: Make, train: Train, by: Callable[[Any], None]
) -> None:
    by("eager")
    whole = train(recipe(compile=True, max_steps=4), preview_every=2)
    assert told(whole) == [FIRST, GOOD]
    assert whole.last["provenance"]["compiled"] is True
    plain = train(recipe(max_steps=4))
    assert "compiled" not in plain.last["provenance"]
    assert (rows_of(whole.last) - rows_of(plain.last)).abs().max() < 1e-4
    names = [event["event"] for event in whole.events]
    # Who is killed while it compiles has a checkpoint to go on from.
    assert names.index("checkpoint") < names.index("compiling")
    stopped = train(recipe(compile=True, max_steps=4), stop_at=2)
    for kept in (whole.of("checkpoint")[0]["path"], stopped.last["checkpoint"]):
        resumed = train(recipe(compile=True, max_steps=4), resume=kept)
        assert told(resumed) == [FIRST, GOOD]
        assert Path(resumed.last["embedding"]).read_bytes() == Path(whole.last["embedding"]).read_bytes()
    assert not any("forward" in vars(block) for block in base.unet.modules())


def wrong_backward(graph: Any, _inputs: Any) -> Callable[..., Any]:
    """A compiler whose results are right and whose gradients are a tenth off."""

    def run(*inputs: Any) -> Any:
        return tuple(out + 0.1 * (out - out.detach()) for out in graph(*inputs))

    return run


def test_wrong_gradient_is_seen_and_the_run_is_the_plain_one(
    recipe: Make, train: Train, by: Callable[[Any], None]
) -> None:
    by(wrong_backward)
    events = train(recipe(compile=True, max_steps=4))
    first, why = told(events)
    assert first == FIRST
    assert why.startswith("Steps are not compiled: their gradient is ")
    assert why.endswith("off that of a plain step, and 0.1% is allowed. The run goes on without.")
    assert events.last["tensor_digest"] == train(recipe(max_steps=4)).last["tensor_digest"]
    # What was decided holds: a resumed run does not try again.
    stopped = train(recipe(compile=True, max_steps=4), stop_at=2).last
    by("eager")
    resumed = train(recipe(compile=True, max_steps=4), resume=stopped["checkpoint"])
    assert told(resumed) == []
    assert resumed.last["tensor_digest"] == events.last["tensor_digest"]


def test_machine_without_a_compiler_trains_plainly_and_says_so(
    recipe: Make, train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "empty"))
    events = train(recipe(compile=True, max_steps=4))
    assert told(events) == [
        FIRST,
        "Steps are not compiled: there is no C++ compiler (g++) where the engine runs. The run goes on without.",
    ]
    assert events.last["tensor_digest"] == train(recipe(max_steps=4)).last["tensor_digest"]


def test_run_whose_machine_cannot_compile_any_more_says_so(
    recipe: Make, train: Train, by: Callable[[Any], None]
) -> None:
    def broken(_graph: Any, _inputs: Any) -> Any:
        raise ValueError("/a/path/of/this/machine")

    by("eager")
    stopped = train(recipe(compile=True, max_steps=4), stop_at=2).last
    by(broken)
    resumed = train(recipe(compile=True, max_steps=4), resume=stopped["checkpoint"])
    why = "the compiler failed (BackendCompilerFailed)"
    assert told(resumed) == [FIRST, f"Steps were compiled so far and cannot be any more: {why}. {REST}"]
    assert "compiled" not in resumed.last["provenance"]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (torch.OutOfMemoryError("no room"), "memory ran out"),
        (RuntimeError("a kernel that was not there"), "the compiler failed (RuntimeError)"),
    ],
)
def test_compiled_step_that_breaks_is_done_again_plainly_before_anything_else_is_given_up(
    base: BaseModel, recipe: Make, images: Images, error: Exception, why: str
) -> None:
    settings = recipe(compile=True)
    data = prepare(base, settings, [picture_from(image) for image in images])
    assert data is not None
    rows, fit = start_rows(base, settings), Fit(2, compiled=True)
    inputs = draw(settings, data, 0, base.timesteps)

    def spoil(call: int, output: Any) -> Any:
        if call == 0:
            raise error
        return output

    with broken_unet(base, spoil):
        _, found = gradient(base, settings, data, rows, inputs, fit)
    assert (fit.size, fit.compiled) == (2, False)
    assert fit.told() == [f"Steps are not compiled any more: {why}."]
    assert torch.equal(found[0], gradient(base, settings, data, rows, inputs, Fit(2))[1][0])


def test_short_run_does_not_try(recipe: Make, train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LEAST_STEPS", 500)
    assert told(train(recipe(compile=True, max_steps=2))) == [
        "Steps are not compiled: a run of under 500 steps does not earn back the time. The run goes on without."
    ]


def test_pictures_of_several_shapes_are_not_tried(
    recipe: Make, train: Train, images: Images, tmp_path: Path
) -> None:
    Image.new("RGB", (240, 60)).save(tmp_path / "long.png")
    pictures = [*images, {"path": str(tmp_path / "long.png"), "caption": None}]
    settings = recipe(compile=True, max_steps=2, crop="buckets", resolution=128)
    (note,) = told(train(settings, pictures=pictures))
    assert note.startswith("Steps are not compiled: pictures of several shapes")


@pytest.mark.slow  # the real compiler: minutes on one core
def test_the_products_own_compiler_is_used_or_refused_and_resumes_bit_equal(
    recipe: Make, train: Train
) -> None:
    settings = recipe(compile=True, max_steps=4)
    whole = train(settings)
    assert told(whole)[0] == FIRST
    stopped = train(settings, stop_at=2).last
    resumed = train(settings, resume=stopped["checkpoint"]).last
    assert resumed["tensor_digest"] == whole.last["tensor_digest"]
    assert (rows_of(whole.last) - rows_of(train(recipe(max_steps=4)).last)).abs().max() < 1e-3
