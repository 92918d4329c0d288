"""A stopped, killed or repeated run ends with the same bits as an uninterrupted one."""

import dataclasses
import itertools
import math
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from tests.trainer.engine.conftest import Images, Recorder, rows_of, trainer_in
from trainer.child import EngineChild
from trainer.engine import checkpoint
from trainer.engine.base_model import BaseModel
from trainer.engine.checkpoint import Identity
from trainer.engine.events import Fault
from trainer.engine.state import RunState
from trainer.recipe import Recipe

Train = Callable[..., Recorder]
Make = Callable[..., Recipe]


@pytest.fixture(scope="module")
def uninterrupted(
    tmp_path_factory: pytest.TempPathFactory, base: BaseModel, images: Images, recipe: Make
) -> dict[str, Any]:
    """The result of a run that nobody stopped."""
    return trainer_in(tmp_path_factory.mktemp("whole"), base, images)(recipe(max_steps=60)).last


@pytest.fixture(scope="module")
def whole(uninterrupted: dict[str, Any]) -> torch.Tensor:
    """Its rows."""
    return rows_of(uninterrupted)


@pytest.mark.parametrize("step", [1, 7, 49, 50, 51, 55])
def test_run_stopped_at_any_step_ends_bit_equal(
    train: Train, recipe: Make, whole: torch.Tensor, step: int
) -> None:
    stopped = train(recipe(max_steps=60), stop_at=step).last
    assert (stopped["event"], stopped["step"]) == ("stopped", step)
    resumed = train(recipe(max_steps=60), resume=stopped["checkpoint"])
    assert resumed.of("started")[0]["step"] == step
    assert torch.equal(rows_of(resumed.last), whole)


def test_resumed_run_writes_the_same_file_byte_for_byte(
    train: Train, recipe: Make, uninterrupted: dict[str, Any]
) -> None:
    stopped = train(recipe(max_steps=60), stop_at=33).last
    resumed = train(recipe(max_steps=60), resume=stopped["checkpoint"]).last
    assert Path(resumed["embedding"]).read_bytes() == Path(uninterrupted["embedding"]).read_bytes()
    assert [g["tensor_digest"] for g in resumed["growth"]] == [
        g["tensor_digest"] for g in uninterrupted["growth"]
    ]
    assert resumed["losses"]["curve"] == uninterrupted["losses"]["curve"]


def test_previews_do_not_change_the_rows(train: Train, recipe: Make, whole: torch.Tensor) -> None:
    shown = train(recipe(max_steps=60), preview_every=20)
    assert len(shown.of("preview")) == 3
    assert torch.equal(rows_of(shown.last), whole)


def test_same_seed_gives_the_same_rows_and_another_seed_others(train: Train, recipe: Make) -> None:
    first, again, other = (rows_of(train(recipe(seed=seed)).last) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_run_killed_and_stopped_ends_bit_equal_in_new_processes_that_draw_previews(
    base_folder: Path, images: Images, recipe: Make, train: Train, tmp_path: Path
) -> None:
    settings = recipe(max_steps=150, batch=1)
    child = EngineChild(folder=tmp_path)
    command = {
        "do": "train",
        "id": "r",
        "base": str(base_folder),
        "recipe": settings.to_dict(),
        "images": images,
        "workdir": str(tmp_path / "work"),
        "threads": 1,
    }
    child.start()
    child.send(command)
    for event in child.events(120):
        if event["event"] == "checkpoint":
            child.kill()
            break
    killed = str(max((tmp_path / "work" / "checkpoints").glob("step-*.safetensors")))
    child.start()
    child.send({**command, "resume": killed, "preview_every": 20})
    for event in child.events(120):
        if event["event"] == "preview":
            child.cancel("r")
    child.stop()
    assert event["event"] == "stopped", event
    child.start()
    child.send({**command, "resume": event["checkpoint"], "preview_every": 70})
    *_, result = child.events(120)
    child.stop()
    assert result["event"] == "result", result
    assert torch.equal(rows_of(result), rows_of(train(settings).last))


def test_checkpoint_is_small_and_only_the_last_three_stay(train: Train, recipe: Make) -> None:
    events = train(recipe(max_steps=200, batch=1, early_stop=False)).of("checkpoint")
    assert [event["step"] for event in events] == [50, 100, 150, 200]
    assert [Path(event["path"]).exists() for event in events] == [False, True, True, True]
    assert all(event["size"] < 10_000 for event in events)


def test_parts_are_written_once_and_go_with_the_last_checkpoint_that_needs_them(
    train: Train, recipe: Make
) -> None:
    events = train(recipe(max_steps=200, batch=1, early_stop=False)).of("checkpoint")
    parts = [{Path(part["path"]) for part in event["parts"]} for event in events]
    # Marks at 10, 20, …, 50; 20, 40, …, 100; 20, 40, …, 140; 40, 80, …, 200; and the sum at each.
    assert [len(own) for own in parts] == [6, 6, 8, 6]
    assert len(parts[2] & parts[1]) == 5
    folder = Path(events[-1]["path"]).parent
    assert set(folder.glob("*.part")) == parts[1] | parts[2] | parts[3]


def test_eight_vectors_of_sd1_after_a_thousand_steps_take_no_more_than_100_kilobytes(tmp_path: Path) -> None:
    recipe = Recipe.for_preset("standard", family="sd1", kind="style", trigger="moss")
    state = RunState.start([torch.randn(8, 768)])
    written = []
    for step in range(1, 1001):
        state.step = step
        state.add_to_average()
        state.remember([math.sqrt(step)])
        if step % 10 == 0:
            state.fixed.append(math.sqrt(step))
            state.keep_mark()
        if step % 50 == 0:
            written.append(
                checkpoint.save(state, Identity(recipe.to_json(), "b" * 64, "d" * 64), tmp_path / "c")
            )
    assert written[-1]["size"] <= 100_000
    parts = {part["sha256"]: part["size"] for one in written for part in one["parts"]}
    # Each checkpoint has a sum of its own; every mark, rows and sum, is there once.
    assert sum(parts.values()) / len(written) < 80_000


@pytest.mark.parametrize("change", ["recipe", "base_digest", "dataset_digest"])
def test_checkpoint_of_another_run_is_refused(tmp_path: Path, change: str) -> None:
    mine = Identity("{}", "base", "pictures")
    checkpoint.save(RunState.start([torch.ones(2, 4)]), mine, tmp_path / "c.safetensors")
    other = Identity(**{**mine.values(), change: "other"})
    with pytest.raises(Fault) as refused:
        checkpoint.load(tmp_path / "c.safetensors", other, torch.device("cpu"))
    assert (refused.value.fault, refused.value.code) == ("recipe", "checkpoint_mismatch")


def test_damaged_checkpoint_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    identity = Identity("{}", "base", "pictures")
    path = tmp_path / "c.safetensors"
    checkpoint.save(RunState.start([torch.ones(2, 4)]), identity, path)
    whole = path.read_bytes()
    foreign = safetensors.torch.save({"rows": torch.ones(2, 4)})
    for damaged in (b"", whole[:40], whole[:-4], foreign):
        path.write_bytes(damaged)
        with pytest.raises(Fault) as refused:
            checkpoint.load(path, identity, torch.device("cpu"))
        assert (refused.value.fault, refused.value.code) == ("machine", "checkpoint_damaged")


def test_part_that_is_damaged_or_lost_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    identity = Identity("{}", "base", "pictures")
    state = RunState.start([torch.ones(2, 4)])
    state.step = 10
    state.keep_mark()
    parts = checkpoint.save(state, identity, tmp_path / "c.safetensors")["parts"]
    for path in (Path(part["path"]) for part in parts):
        whole = path.read_bytes()
        for damage in (lambda path=path: path.write_bytes(b"rot"), path.unlink):
            damage()
            with pytest.raises(Fault) as refused:
                checkpoint.load(tmp_path / "c.safetensors", identity, torch.device("cpu"))
            assert refused.value.code == "checkpoint_damaged"
        path.write_bytes(whole)
    assert checkpoint.load(tmp_path / "c.safetensors", identity, torch.device("cpu")).step == 10


def test_everything_in_a_state_comes_back_bit_equal(tmp_path: Path) -> None:
    state = RunState.start([torch.randn(2, 4), torch.randn(2, 6)])
    for step in range(1, 211):
        state.step = step
        state.rows[0] += 0.01
        state.add_to_average()
        if step % 10 == 0:
            state.keep_mark()
            state.fixed.append(1 / step)
            state.remember([0.1 * step, float("inf")])
    state.lr_scale, state.capped = 0.5, 3
    identity = Identity("{}", "base", "pictures")
    checkpoint.save(state, identity, tmp_path / "c.safetensors")
    back = checkpoint.load(tmp_path / "c.safetensors", identity, torch.device("cpu"))
    back.marks = [dataclasses.replace(mark, sha256="") for mark in back.marks]
    state.marks = [dataclasses.replace(mark, sha256="") for mark in state.marks]
    assert repr(back) == repr(state)
    assert len(state.marks) == 5
    assert torch.equal(back.average(0.3)[0], state.average(0.3)[0])


@pytest.mark.parametrize("sync", range(1, 6))
def test_kill_during_a_write_leaves_whole_checkpoints_only(tmp_path: Path, sync: int) -> None:
    identity = Identity("{}", "base", "pictures")
    state = RunState.start([torch.ones(2, 4)])
    child = os.fork()
    if not child:
        waits = itertools.count(1)
        for state.step in (10, 20):
            state.keep_mark()
            if state.step == 20:
                # The sum, a mark, the checkpoint, their folder.
                os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(waits) == sync else None
            checkpoint.save(state, identity, tmp_path / f"step-{state.step:06d}.safetensors")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (sync <= 4)
    kept = sorted(tmp_path.glob("step-*.safetensors"))
    steps = [checkpoint.load(path, identity, torch.device("cpu")).step for path in kept]
    assert steps == ([10] if sync <= 3 else [10, 20])


def test_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Fault) as refused:
        checkpoint.write_atomically(tmp_path / "no-such-folder" / "c", b"data")
    assert refused.value.code == "disk"
    assert list(tmp_path.iterdir()) == []
