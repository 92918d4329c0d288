"""The update equals torch's AdamW, the rate is a pure function, and norms stay where words live."""

import copy
import itertools

import pytest
import torch
from prodigyopt import Prodigy

from trainer.engine.optimiser import (
    FIRST_DISTANCE,
    Moments,
    NormControl,
    Search,
    adamw,
    clipped,
    learning_rate,
    prodigy,
)
from trainer.recipe import Recipe

YES = torch.tensor(True)


def recipe(**changes: object) -> Recipe:
    return Recipe.from_dict(
        {"trigger": "mossglow", "kind": "style", "family": "tiny", "lr": 0.01, "max_steps": 100, **changes}
    )


@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_update_equals_torch_adamw(decay: float) -> None:
    rng = torch.Generator().manual_seed(1)
    rows = torch.randn(4, 16, generator=rng)
    theirs = torch.nn.Parameter(rows.clone())
    optimiser = torch.optim.AdamW([theirs], lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
    moments = Moments.like(rows)
    for step in range(1, 51):
        gradient = torch.randn(4, 16, generator=rng) * 10 ** -(step % 5)
        theirs.grad = gradient.clone()
        optimiser.step()
        adamw(rows, gradient, moments, step=step, lr=2e-3, decay=decay, good=YES)
    assert (rows - theirs).abs().max() < 1e-6


@pytest.mark.parametrize("decay", [0.0, 0.01])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:prodigyopt")
def test_update_equals_prodigy_of_its_authors(decay: float) -> None:
    """On a bowl whose bottom lies ten steps of the default start away, with noise, a warm-up and a slower end."""
    rng = torch.Generator().manual_seed(1)
    rows = torch.randn(4, 16, generator=rng)
    goal = rows + torch.randn(4, 16, generator=rng) * 0.1
    theirs = torch.nn.Parameter(rows.clone())
    optimiser = Prodigy(
        [theirs],
        lr=1.0,
        weight_decay=decay,
        use_bias_correction=True,
        safeguard_warmup=True,
        d0=FIRST_DISTANCE,
    )
    moments = Moments.like(rows)
    began = (rows - goal).norm()
    for step in range(1, 201):
        lr = min(1.0, step / 10) if step < 150 else 0.3
        noise = torch.randn(4, 16, generator=rng) * 0.01
        optimiser.param_groups[0]["lr"] = lr
        theirs.grad = theirs.detach() - goal + noise
        optimiser.step()
        prodigy(rows, rows - goal + noise, moments, step=step, lr=lr, decay=decay, good=YES)
        assert moments.search is not None
        assert float(moments.search.distance) == pytest.approx(optimiser.param_groups[0]["d"], rel=1e-3)
    assert (rows - theirs).abs().max() < 1e-5
    assert (rows - goal).norm() < 0.5 * began


def test_bad_step_changes_nothing_for_prodigy() -> None:
    rows = torch.ones(2, 3)
    moments = Moments.like(rows)
    for step in (1, 2):
        prodigy(rows, torch.ones(2, 3), moments, step=step, lr=1.0, decay=0.1, good=YES)
    before, kept = copy.deepcopy(moments), rows.clone()
    prodigy(rows, torch.full((2, 3), float("nan")), moments, step=3, lr=1.0, decay=0.1, good=~YES)
    assert torch.equal(rows, kept)
    assert torch.equal(moments.first, before.first) and torch.equal(moments.second, before.second)
    assert before.search is not None and moments.search is not None
    for name, tensor in vars(before.search).items():
        assert torch.equal(getattr(moments.search, name), tensor)


def test_no_gradient_leaves_prodigy_where_it_was() -> None:
    rows = torch.ones(2, 3)
    moments = Moments.like(rows)
    prodigy(rows, torch.zeros(2, 3), moments, step=1, lr=1.0, decay=0.1, good=YES)
    assert torch.equal(rows, torch.ones(2, 3))
    assert moments.search is not None
    assert torch.equal(moments.search.distance, Search.at(rows).distance)


def test_bad_step_changes_nothing() -> None:
    rows = torch.ones(2, 3)
    moments = Moments(torch.full((2, 3), 0.5), torch.full((2, 3), 0.25))
    adamw(rows, torch.full((2, 3), float("nan")), moments, step=3, lr=0.1, decay=0.1, good=~YES)
    assert torch.equal(rows, torch.ones(2, 3))
    assert torch.equal(moments.first, torch.full((2, 3), 0.5))
    assert torch.equal(moments.second, torch.full((2, 3), 0.25))


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_rate_warms_up_and_falls_to_a_tenth(schedule: str) -> None:
    rates = [learning_rate(recipe(lr_schedule=schedule), step) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.002)
    assert max(rates) == rates[4] == pytest.approx(0.01)
    assert all(a > b for a, b in itertools.pairwise(rates[4:]))
    assert rates[-1] == pytest.approx(0.001)


def test_constant_rate_is_constant() -> None:
    settings = recipe(lr_schedule="constant", warmup=0.0)
    assert {learning_rate(settings, step) for step in range(1, 101)} == {0.01}


def test_piecewise_rate_follows_the_text() -> None:
    settings = recipe(lr_schedule="0.005:10, 1e-3:50")
    assert [learning_rate(settings, step) for step in (1, 10, 11, 50, 51, 99)] == [0.005, 0.005, *[1e-3] * 4]


def test_clipping_limits_the_norm_and_keeps_the_direction() -> None:
    gradient = torch.tensor([[3.0, 4.0]])
    assert torch.allclose(clipped(gradient, 1.0), torch.tensor([[0.6, 0.8]]))
    assert torch.equal(clipped(gradient, 10.0), gradient)
    assert torch.equal(clipped(gradient, None), gradient)


def test_cap_acts_only_above_twice_the_usual_norm() -> None:
    table = torch.nn.functional.normalize(torch.randn(100, 8), dim=1)
    control = NormControl("cap", table)
    assert control.limit == pytest.approx(2.0, rel=1e-4)
    rows = torch.zeros(2, 8)
    rows[0, 0], rows[1, 0] = 1.5, 7.0
    assert bool(control.apply(rows))
    assert rows[:, 0].tolist() == pytest.approx([1.5, 2.0], rel=1e-4)
    assert not bool(control.apply(rows.mul_(0.9)))


def test_norms_are_not_judged_by_the_row_that_unknown_words_share() -> None:
    table = torch.full((1000, 4), 5.0)
    table[:20] = torch.nn.functional.normalize(torch.randn(20, 4), dim=1)
    assert NormControl("cap", table).median == pytest.approx(1.0, rel=1e-3)


def test_other_norm_modes() -> None:
    table = torch.nn.functional.normalize(torch.randn(100, 8), dim=1)
    rows = torch.randn(2, 8) * 10
    kept = rows.clone()
    NormControl("off", table).apply(kept)
    assert torch.equal(kept, rows)
    NormControl("preserve", table).apply(kept)
    assert kept.norm(dim=1).tolist() == pytest.approx([1.0, 1.0], rel=1e-3)
    pulled = rows.clone()
    NormControl("soft", table).apply(pulled)
    assert table.std() < pulled.std() < rows.std()
