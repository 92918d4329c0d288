"""Averaging, growth, stopping and the guard, on numbers alone."""

import pytest
import torch

from trainer.engine.state import MAX_MARKS, RunState
from trainer.recipe import Recipe


def run_to(steps: int) -> RunState:
    """A state whose rows after step n all hold n."""
    state = RunState.start([torch.zeros(1, 2)])
    for step in range(1, steps + 1):
        state.step = step
        state.rows[0].fill_(float(step))
        state.add_to_average()
        if step % 10 == 0:
            state.keep_mark()
    return state


@pytest.mark.parametrize("steps", [1, 9, 10, 55, 80, 81, 200, 500, 1000, 3000])
def test_average_covers_about_the_last_share(steps: int) -> None:
    state = run_to(steps)
    assert len(state.marks) <= MAX_MARKS
    average = state.average(0.3)
    assert average is not None
    # The mean of a, a+1, …, n is (a + n) / 2.
    first = 2 * float(average[0][0, 0]) - steps
    assert first - 1 == pytest.approx(0.7 * steps, abs=max(10.0, 0.13 * steps))


def test_no_average_without_share_or_steps() -> None:
    assert run_to(20).average(0.0) is None
    assert run_to(0).average(0.3) is None


@pytest.mark.parametrize("steps", [10, 100, 500, 3000])
def test_growth_is_spread_over_the_run(steps: int) -> None:
    state = run_to(steps)
    assert len(state.marks) <= MAX_MARKS
    kept = [step for step, _ in state.growth()]
    assert kept == sorted(set(kept))
    assert all(float(rows[0][0, 0]) == step for step, rows in state.growth())
    if steps >= 100:
        assert len(kept) >= 3
        assert min(abs(step - steps / 2) for step in kept) <= 0.13 * steps


def recipe(**changes: object) -> Recipe:
    return Recipe.from_dict(
        {
            "trigger": "mossglow",
            "kind": "style",
            "family": "tiny",
            "max_steps": 1000,
            "patience": 5,
            **changes,
        }
    )


def settled(step: int = 200, *, first: float = 1.0, last: float = 0.2) -> RunState:
    state = run_to(step)
    state.fixed = [first, 0.8, 0.6, 0.4, 0.3, *[last] * 6]
    return state


def test_learned_when_the_fixed_loss_has_fallen_and_is_flat() -> None:
    assert settled().learned(recipe())


@pytest.mark.parametrize(
    ("state", "settings"),
    [
        (settled(140), recipe()),
        (settled(first=0.1), recipe()),
        (settled(last=float("inf")), recipe()),
        (settled(), recipe(early_stop=False)),
        (settled(), recipe(patience=20)),
    ],
)
def test_not_learned_too_early_or_when_worse_or_off(state: RunState, settings: Recipe) -> None:
    assert not state.learned(settings)


def test_still_falling_is_not_learned() -> None:
    state = run_to(200)
    state.fixed = [1 - 0.04 * n for n in range(10)]
    assert not state.learned(recipe())


@pytest.mark.parametrize(
    ("losses", "diverged"),
    [
        ([0.1] * 50, False),
        ([0.1, float("inf"), float("inf"), 0.1], False),
        ([0.1, float("inf"), float("inf"), float("inf"), 0.1], True),
        ([0.1] * 30 + [0.6] * 19, False),
        ([0.1] * 30 + [0.6] * 20, True),
        ([0.1] * 30 + [0.4] * 40, False),
    ],
)
def test_divergence_is_three_bad_steps_or_twenty_high_ones(losses: list[float], diverged: bool) -> None:
    state = RunState.start([torch.zeros(1, 2)])
    state.remember(losses)
    assert state.diverged() is diverged


def test_copy_is_independent() -> None:
    state = run_to(30)
    kept = state.copy()
    state.rows[0] += 1
    state.fixed.append(1.0)
    assert float(kept.rows[0][0, 0]) == 30
    assert kept.fixed == []
