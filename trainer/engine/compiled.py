"""Compiled steps, on request: the UNet's repeated blocks by torch.compile, once they agreed with the plain ones.

A compiled backward pass can be wrong while the loss is right to the seventh digit, so a run compares the gradients of
its rows on its first batch before it uses them. Whatever stands in the way, the run goes on without and says so.
"""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock

from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import Dataset
from trainer.engine.events import OnEvent
from trainer.engine.fit import Fit
from trainer.engine.objective import gradient
from trainer.engine.randomness import draw
from trainer.engine.state import RunState
from trainer.recipe import Recipe

# Deterministic: no kernel is chosen by a stopwatch, so a resumed run gets the kernels it had.
HOW: dict[str, Any] = {"backend": "inductor", "options": {"deterministic": True}}
# Compiling takes from half a minute to minutes; a shorter run does not earn that back.
LEAST_STEPS = 500
# How far apart gradients may be, as a share of their norm.
FULL, HALF = 1e-3, 3e-2


class Blocks:
    """The repeated blocks of a UNet. Inside `with`, compiled ones compute; outside, those of the library.

    So steps are compiled and nothing else is: pictures and evaluations come in other shapes.
    """

    def __init__(self, unet: Any) -> None:
        self.plain = [block for block in unet.modules() if isinstance(block, BasicTransformerBlock)]
        self.compiled: list[Any] = []

    def __enter__(self) -> None:
        if not self.compiled:
            # What earlier runs compiled would count against a limit of torch's.
            torch.compiler.reset()
            self.compiled = [
                torch.compile(block.forward, fullgraph=True, dynamic=False, **HOW) for block in self.plain
            ]
        for block, forward in zip(self.plain, self.compiled, strict=True):
            block.forward = forward

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for block in self.plain:
            vars(block).pop("forward", None)


def settle(
    base: BaseModel,
    recipe: Recipe,
    data: Dataset,
    state: RunState,
    on_event: OnEvent,
    save: Callable[[RunState], None],
) -> None:
    """Decide whether steps are compiled, for the whole run: `state.fit.compiled`, which checkpoints keep.

    A run that went on without goes on without; one that was compiled is compiled again, or says that it cannot be.
    While the compiler works, nothing else is heard, a wish to stop neither: before that the state is saved, and the
    event `compiling` tells whoever listens that only an end of the whole program stops it now.
    """
    fit = state.fit
    if fit is None or not recipe.compile or fit.compiled is False:
        return
    hindrance = _hindrance(recipe, data)
    tell = partial(on_event, "note", step=state.step)
    if not hindrance:
        save(state)
        tell(text="Compiling the repeated blocks of the UNet. This can take minutes.")
        on_event("compiling", step=state.step)
    was, fit.compiled = fit.compiled, False
    if not hindrance:
        hindrance = _failing(base, recipe, data, state, fit)
    fit.compiled = not hindrance
    if not hindrance:
        tell(text="Steps are compiled: their gradient agrees with that of a plain step.")
    elif was:
        tell(
            text=f"Steps were compiled so far and cannot be any more: {hindrance}. The rest equals that of an "
            "undisturbed run up to rounding, not bit for bit."
        )
    else:
        tell(text=f"Steps are not compiled: {hindrance}. The run goes on without.")


def _hindrance(recipe: Recipe, data: Dataset) -> str:
    """Why compiling is not even tried; empty when it is."""
    if recipe.max_steps < LEAST_STEPS:
        return f"a run of under {LEAST_STEPS} steps does not earn back the time"
    if len(data.buckets) > 1:
        return "pictures of several shapes would have to be compiled for one by one"
    return ""


def _failing(base: BaseModel, recipe: Recipe, data: Dataset, state: RunState, fit: Fit) -> str:
    """Compile, and compare a compiled step with a plain one on the batch that comes next; why it fails, or nothing."""
    inputs = draw(recipe, data, state.step, base.timesteps)
    ask = partial(gradient, base, recipe, data, state.rows, inputs)
    scale = state.scaler.scale if state.scaler else None
    _, plain = ask(fit, scale)
    if fit.measures or fit.size < recipe.batch:
        return "memory is short"
    trial = Fit(fit.size, compiled=True)
    base.compiled = Blocks(base.unet)
    _, found = ask(trial, scale)
    if not trial.compiled:
        return trial.hindrance
    most = FULL if base.dtype == torch.float32 else HALF
    apart = [float((own - right).norm() / right.norm()) for own, right in zip(found, plain, strict=True)]
    if all(share <= most for share in apart):
        return ""
    return f"their gradient is {max(apart):.2%} off that of a plain step, and {most:.1%} is allowed"
