"""What a step costs on this machine: measured by taking some, until memory, time or the largest batch ends it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tests.trainer.engine.conftest import Recorder
from trainer.engine import pace
from trainer.engine.base_model import BaseModel

LONG = pace.Limits(steps=1, seconds=600)


def measured(base: BaseModel, folder: Path, limits: pace.Limits = LONG, *sides: int) -> list[dict[str, Any]]:
    found = pace.measure(
        base, list(sides or (64,)), limits, folder, on_event=Recorder(), should_stop=lambda: False
    )
    assert found is not None
    return found


def test_batches_are_doubled_to_the_largest_a_recipe_may_have(base: BaseModel, tmp_path: Path) -> None:
    (found,) = measured(base, tmp_path)
    assert [one["batch"] for one in found["batches"]] == [1, 2, 4, 8, 16]
    assert (found["resolution"], found["largest"], found["limit"]) == (64, 16, "most")
    first, last = found["batches"][0], found["batches"][-1]
    assert all(one["seconds"] > 0 for one in found["batches"])
    assert last["peak_bytes"] >= first["peak_bytes"] > 50 << 20


def test_what_it_says_is_what_a_run_takes(
    base: BaseModel, tmp_path: Path, train: Any, recipe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a clock that goes on by one for each picture that passes the UNet, so that no other work can slow it.
    whole, clock = base.denoise, 0

    def denoise(noisy: torch.Tensor, *rest: Any) -> torch.Tensor:
        nonlocal clock
        clock += len(noisy)
        return whole(noisy, *rest)

    monkeypatch.setattr(base, "denoise", denoise)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: clock))
    (found,) = measured(base, tmp_path, pace.Limits(steps=9, seconds=0))
    clock = 0
    train(recipe(batch=1, max_steps=100, early_stop=False))
    # At its end a run looks at what it may keep, which no step pays for.
    assert 1 <= clock / 100 / found["batches"][0]["seconds"] < 1.5


def test_a_measure_changes_nothing_in_the_base(base: BaseModel, tmp_path: Path) -> None:
    before = base.fingerprint()
    measured(base, tmp_path)
    assert base.fingerprint() == before


def test_each_resolution_is_measured(base: BaseModel, tmp_path: Path) -> None:
    small, large = measured(base, tmp_path, pace.Limits(steps=1, seconds=0), 64, 128)
    assert (small["resolution"], large["resolution"]) == (64, 128)
    for found in (small, large):
        (only,) = found["batches"]
        assert (only["batch"], only["seconds"] > 0) == (1, True)


def test_when_the_time_is_up_larger_batches_are_left_out_and_it_says_so(
    base: BaseModel, tmp_path: Path
) -> None:
    (found,) = measured(base, tmp_path, pace.Limits(steps=1, seconds=0))
    assert (found["largest"], found["limit"]) == (1, "time")


def test_memory_that_a_larger_batch_would_not_fit_into_is_not_asked_for(
    base: BaseModel, tmp_path: Path
) -> None:
    (found,) = measured(base, tmp_path, pace.Limits(steps=1, seconds=600, memory=1))
    assert found["limit"] == "memory"
    assert found["largest"] == found["batches"][-1]["batch"]


def test_memory_that_runs_out_makes_the_batch_before_the_largest(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = base.denoise

    def denoise(noisy: torch.Tensor, *rest: Any) -> torch.Tensor:
        if len(noisy) > 4:
            raise torch.OutOfMemoryError("no memory for eight")
        return whole(noisy, *rest)

    monkeypatch.setattr(base, "denoise", denoise)
    (found,) = measured(base, tmp_path)
    assert (found["largest"], found["limit"]) == (4, "memory")


def test_where_not_even_one_picture_fits_it_says_so(
    base: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denoise(*_: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("no memory at all")

    monkeypatch.setattr(base, "denoise", denoise)
    (found,) = measured(base, tmp_path)
    assert (found["batches"], found["largest"], found["limit"]) == ([], 0, "memory")
