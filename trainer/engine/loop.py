"""The training loop, to be read top to bottom.

Each step draws its inputs from (seed, step), asks the frozen base for its prediction, and moves the rows.
Nothing in a step waits for the device: losses stay there until they are read every ten steps.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.compiled import settle
from trainer.engine.dataset import Dataset
from trainer.engine.events import OnEvent, recipe_fault
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient
from trainer.engine.optimiser import NormControl, Scaler, adamw, clipped, learning_rate, prodigy
from trainer.engine.probe import Probe
from trainer.engine.randomness import draw
from trainer.engine.state import EVERY, RunState
from trainer.recipe import Recipe

CHECKPOINT_STEPS = 50
CHECKPOINT_SECONDS = 30.0
REPORT_SECONDS = 1.0


@dataclass
class Hooks:
    """What the loop calls outward. None of these can change the rows."""

    on_event: OnEvent
    should_stop: Callable[[], bool]
    save: Callable[[RunState], None]
    preview: Callable[[RunState], None] | None = None
    preview_every: int = 0


@dataclass
class Meter:
    """Losses waiting on the device, and the clock."""

    pending: list[Tensor] = field(default_factory=list)
    capped: list[Tensor] = field(default_factory=list)
    since_report: list[float] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    reported: float = field(default_factory=time.monotonic)
    saved: float = field(default_factory=time.monotonic)
    steps: int = 0

    def read_into(self, state: RunState) -> None:
        """Fetch what is pending into the state: the one place where the host waits for the device."""
        if not self.pending:
            return
        losses = torch.stack(self.pending).tolist()
        state.capped += int(torch.stack(self.capped).sum())
        state.remember(losses)
        self.since_report += [loss for loss in losses if loss != float("inf")]
        self.pending, self.capped = [], []


def train(base: BaseModel, recipe: Recipe, data: Dataset, state: RunState, probe: Probe, hooks: Hooks) -> str:
    """Train from `state` on, in place. Returns why it ended: "learned", "max_steps" or "stop".

    Raises a recipe fault when the loss blows up twice.
    """
    norms = [NormControl(recipe.norm, encoder.table) for encoder in base.encoders]
    fit = state.fit = state.fit or Fit(recipe.batch)
    fit.apply(base)
    if base.dtype == torch.float16 and state.scaler is None:
        state.scaler = Scaler.on(base.device)
    settle(base, recipe, data, state, hooks.on_event, hooks.save)
    meter = Meter()
    good = state.copy()
    if not state.fixed:
        state.fixed.append(probe.loss(state.rows))
    while state.step < recipe.max_steps:
        if state.learned(recipe):
            return "learned"
        if hooks.should_stop():
            meter.read_into(state)
            hooks.save(state)
            return "stop"
        inputs = draw(recipe, data, state.step, base.timesteps)
        scale = state.scaler.scale if state.scaler else None
        loss, gradients = gradient(base, recipe, data, state.rows, inputs, fit, scale)
        for text in fit.told():
            hooks.on_event("note", step=state.step, text=text)
        update(recipe, state, norms, loss, gradients, meter)
        if state.step % EVERY == 0:
            meter.read_into(state)
            probe.size = fit.size
            state.fixed.append(probe.loss(state.rows))
            state.keep_mark()
            if state.diverged():
                good = go_back(state, good, hooks.on_event)
                continue
            if state.step % CHECKPOINT_STEPS == 0:
                good = state.copy()
        report(recipe, state, meter, hooks.on_event)
        keep(state, meter, hooks)
    return "max_steps"


def update(
    recipe: Recipe,
    state: RunState,
    norms: list[NormControl],
    loss: Tensor,
    gradients: list[Tensor],
    meter: Meter,
) -> None:
    """Move the rows by one step, unless a number in it is not finite."""
    good = torch.isfinite(loss)
    for own in gradients:
        good = good & torch.isfinite(own).all()
    if state.scaler:
        state.scaler.update(good)
    state.step += 1
    meter.steps += 1
    lr = learning_rate(recipe, state.step) * state.lr_scale
    capped = torch.zeros((), dtype=torch.bool, device=loss.device)
    move = prodigy if recipe.optimizer == "prodigy" else adamw
    for rows, own, moments, control in zip(state.rows, gradients, state.moments, norms, strict=True):
        step = clipped(own, recipe.grad_clip)
        move(rows, step, moments, step=state.step, lr=lr, decay=recipe.weight_decay, good=good)
        capped = capped | control.apply(rows)
    state.add_to_average()
    meter.pending.append(torch.where(good, loss, torch.full_like(loss, float("inf"))))
    meter.capped.append(capped)


def go_back(state: RunState, good: RunState, on_event: OnEvent) -> RunState:
    """Return to the last good state at half the rate, once. Raises a recipe fault the second time."""
    if state.lr_scale < 1:
        raise recipe_fault("diverged", "The loss blew up again at half the rate. Lower the learning rate.")
    on_event(
        "note", step=state.step, text=f"The loss blew up; going back to step {good.step} at half the rate."
    )
    # What was given up for memory stays given up, and a scale found too high is not tried again.
    vars(state).update({**vars(good.copy()), "fit": state.fit, "scaler": state.scaler})
    state.lr_scale = 0.5
    return state.copy()


def report(recipe: Recipe, state: RunState, meter: Meter, on_event: OnEvent) -> None:
    """Send a progress event every ten steps, or every second where steps are slow."""
    now = time.monotonic()
    if state.step % EVERY and now - meter.reported < REPORT_SECONDS:
        return
    meter.read_into(state)
    pace = (now - meter.started) / meter.steps
    losses = meter.since_report
    on_event(
        "progress",
        step=state.step,
        steps=recipe.max_steps,
        loss=sum(losses) / len(losses) if losses else None,
        fixed_loss=state.fixed[-1] if math.isfinite(state.fixed[-1]) else None,
        lr=learning_rate(recipe, state.step) * state.lr_scale,
        norm_max=max(float(rows.norm(dim=1).max()) for rows in state.rows),
        capped=state.capped,
        samples_per_second=round(recipe.batch * recipe.accumulate / pace, 2),
        seconds_left=round(pace * (recipe.max_steps - state.step), 1),
    )
    meter.since_report = []
    meter.reported = now


def keep(state: RunState, meter: Meter, hooks: Hooks) -> None:
    """Save a checkpoint when one is due, and show a preview when one is."""
    now = time.monotonic()
    if state.step % CHECKPOINT_STEPS == 0 or now - meter.saved > CHECKPOINT_SECONDS:
        meter.read_into(state)
        hooks.save(state)
        meter.saved = now
    if hooks.preview and hooks.preview_every and state.step % hooks.preview_every == 0:
        hooks.preview(state)
