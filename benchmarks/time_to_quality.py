"""How many samples the standard recipe needs to be as good as the published one is after its full run.

    nice env OMP_NUM_THREADS=1 python -m benchmarks.time_to_quality [--concepts 6] [--seeds 2] [--only-print]

On the bundled base, for six words it does not know and two seeds. The published run is the documented command: one
vector, 3,000 updates of four pictures at a constant 2e-3, from the last word of the set's initializer. It is trained
with the engine's `classic` settings, whose rows a test holds equal to those of the published algorithm; what it costs
is benchmarks.training's business, here only samples count.

Quality is the denoising error on eight pictures of the same thing that neither run saw, drawn like the set's but with
other shapes or colours: 64 fixed inputs (eight noise levels each), the same noise and timesteps for both, no weights.
The standard recipe has arrived when its rows are at least as good at two looks in a row; the second one counts. A
second measure, where `state/tiny/judge.safetensors` is: the share of 16 pictures in which the judge sees the thing.

An hour or more on one thread. Every finished half is a line of `state/bench/time_to_quality.jsonl`, and what is there
is not done again, unless the base is another.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks import reference
from trainer.base_folder import BUNDLED
from trainer.engine import loop
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import prepare
from trainer.engine.objective import sample_losses
from trainer.engine.pictures import picture_from
from trainer.engine.probe import Probe
from trainer.engine.randomness import Draw
from trainer.engine.render import Shot, render
from trainer.engine.seeds import generator
from trainer.engine.state import RunState
from trainer.engine.tokens import first_rows, word_ids
from trainer.prompts import templates
from trainer.recipe import Recipe
from trainer.tiny import world
from trainer.tiny.judge import Judge, look
from trainer.tiny.sets import CONCEPTS, SIZE, Concept
from trainer.tiny.state import load_state

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / "state" / "bench"
JUDGE = ROOT / "state" / "tiny" / "judge.safetensors"
NAMES = ("storm-bolt", "zebra-wave", "little-boo", "dusk-peach", "toad-cap", "finn-fish")
LEVELS, PICTURES, SHOTS = 8, 8, 16
LOOK_EVERY = {"standard": 10, "published": 100}


class Yardstick:
    """The held-out inputs of one word, under the prompts of one recipe."""

    def __init__(self, base: BaseModel, recipe: Recipe, concept: Concept) -> None:
        self.base, self.recipe = base, recipe
        pictures = [picture_from({"path": str(path)}) for path in held_out(concept)]
        data = prepare(base, recipe.replace(flip=False), pictures)
        assert data is not None
        self.data = data
        count = PICTURES * LEVELS
        own = [n // LEVELS for n in range(count)]
        levels = (torch.arange(LEVELS) + 0.5) / LEVELS * base.timesteps
        shape = (count, *data.buckets[0].means.shape[2:])
        self.inputs = Draw(
            pictures=torch.tensor(own),
            flipped=torch.zeros(count, dtype=torch.long),
            prompts=[data.choices[p][n % len(data.choices[p])] for n, p in enumerate(own)],
            timesteps=levels.long().repeat(PICTURES),
            latent_noise=torch.zeros(shape),
            noise=torch.randn(shape, generator=generator(0, "held out")),
        )

    def loss(self, rows: list[Tensor]) -> float:
        """The mean error of the inputs."""
        with torch.no_grad(), self.base.showing(rows):
            parts = [
                sample_losses(self.base, self.recipe, self.data, self.inputs.part(start, start + 16))
                for start in range(0, PICTURES * LEVELS, 16)
            ]
        return float(torch.cat(parts).mean())


def held_out(concept: Concept) -> Iterator[Path]:
    """Pictures of the thing that are not in its set, drawn once."""
    folder = BENCH / "held-out" / concept.name
    folder.mkdir(parents=True, exist_ok=True)
    rng = world.dice(f"{concept.name}, held out")
    for index in range(PICTURES):
        path = folder / f"{index}.png"
        picture = world.render(concept.scene(rng, 10 + index), rng, SIZE)
        if not path.exists():
            picture.save(path)
        yield path


def judged(base: BaseModel, judge: Judge | None, concept: Concept, rows: list[Tensor]) -> float | None:
    """The share of pictures in which the judge sees the thing."""
    if judge is None:
        return None
    lines = templates(concept.kind, base.facts.record)
    shots = [Shot(lines[n % len(lines)], 100 + n, rows=tuple(rows)) for n in range(SHOTS)]
    axis, wanted = concept.sign
    seen = look(judge, render(base, shots))
    return sum(getattr(verdict, axis) == wanted for verdict in seen) / len(seen)


def recipe_of(side: str, concept: Concept, seed: int) -> Recipe:
    """The standard recipe, or the published one as settings of ours."""
    common: dict[str, Any] = {
        "family": "tiny",
        "kind": concept.kind,
        "trigger": concept.name,
        "resolution": 64,
    }
    common |= {"initializer": concept.initializer, "seed": seed}
    if side == "standard":
        return Recipe.for_preset("standard", **common)
    return Recipe.for_preset(
        "classic",
        **common,
        lr=reference.RATE,
        batch=reference.BATCH * reference.ACCUMULATE,
        max_steps=reference.STEPS,
    )


def train(
    base: BaseModel, recipe: Recipe, concept: Concept, every: int, seen: Callable[[RunState], None]
) -> list[Tensor]:
    """The rows a run ends with; `seen` looks at it every few steps."""
    pictures = sorted((BUNDLED.parent / "sets" / concept.name).glob("*.png"))
    data = prepare(base, recipe, [picture_from({"path": str(path)}) for path in pictures])
    assert data is not None
    encoder = base.encoders[0]
    ids = word_ids(encoder.tokenizer, recipe.initializer)
    ids = ids[-1:] if recipe.preset == "classic" else ids
    rows = first_rows(encoder.table, ids, recipe.vectors_per_token, generator(recipe.seed, "start", 0))
    state, probe = RunState.start([rows]), Probe(base, recipe, data)
    hooks = loop.Hooks(lambda *_, **__: None, lambda: False, lambda _: None, seen, every)
    loop.train(base, recipe, data, state, probe, hooks)
    averaged = state.average(recipe.average)
    return averaged if averaged and probe.loss(averaged) < probe.loss(state.rows) else state.rows


def measure(
    base: BaseModel, judge: Judge | None, side: str, concept: Concept, seed: int, goal: float | None
) -> dict[str, Any]:
    """One half of a pair. With a goal: when it was reached, and what the rows could do then."""
    recipe = recipe_of(side, concept, seed)
    yardstick = Yardstick(base, recipe, concept)
    per_step = recipe.batch * recipe.accumulate
    curve: list[tuple[int, float]] = []
    arrived: dict[str, Any] = {"samples": None, "judged": None}

    def seen(state: RunState) -> None:
        curve.append((state.step * per_step, yardstick.loss(state.rows)))
        last = [loss for _, loss in curve[-2:]]
        if goal is not None and arrived["samples"] is None and len(last) == 2 and max(last) <= goal:
            arrived.update(samples=curve[-1][0], judged=judged(base, judge, concept, state.rows))

    began, processor = time.monotonic(), time.process_time()
    rows = train(base, recipe, concept, LOOK_EVERY[side], seen)
    return {
        "side": side,
        "concept": concept.name,
        "seed": seed,
        "base": base.digest[:12],
        "samples": recipe.max_steps * per_step,
        "loss": yardstick.loss(rows),
        "judged": judged(base, judge, concept, rows),
        "arrived": arrived,
        "curve": curve,
        "seconds": round(time.monotonic() - began),
        "processor_seconds": round(time.process_time() - processor),
    }


def own_arrival(half: dict[str, Any]) -> int:
    """When the published run itself was first as good as at its end, by the same rule."""
    for (_, before), (samples, loss) in zip(half["curve"], half["curve"][1:], strict=False):
        if max(before, loss) <= half["loss"]:
            return int(samples)
    return int(half["samples"])


def show(lines: list[dict[str, Any]]) -> None:
    """Each pair, and the medians."""
    halves = {(line["concept"], line["seed"], line["side"]): line for line in lines}
    ratios, own = [], []
    print(
        "word          seed  published: error judged  standard: samples  ratio  its own  judged  at its end"
    )
    for (name, seed, side), ours in halves.items():
        theirs = halves.get((name, seed, "published"))
        if side != "standard" or theirs is None:
            continue
        arrived = ours["arrived"]["samples"]
        # A run that never arrives counts as none at all.
        ratio = theirs["samples"] / arrived if arrived else 0.0
        ratios.append(ratio)
        own.append(own_arrival(theirs) / arrived if arrived else 0.0)
        print(
            f"{name:13} {seed:4}  {theirs['loss']:16.5f} {share(theirs['judged']):>6}  {arrived or 'never':>17}"
            f"  {ratio:5.1f}  {own[-1]:7.1f}  {share(ours['arrived']['judged']):>6}"
            f"  {ours['loss']:.5f} {share(ours['judged'])}"
        )
    if ratios:
        print(
            f"median of {len(ratios)}: {statistics.median(ratios):.1f} times fewer samples than the published run"
            f" ({min(ratios):.1f}-{max(ratios):.1f}), {statistics.median(own):.1f} times fewer than it needed to be"
            f" as good as at its end ({min(own):.1f}-{max(own):.1f}); load {os.getloadavg()[0]:.1f}"
        )


def share(value: float | None) -> str:
    """A share for people."""
    return "-" if value is None else f"{value:.0%}"


def main() -> None:
    """Do what is not done yet and print what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--concepts", type=int, default=len(NAMES))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    base = BaseModel.load(BUNDLED, precision="fp32")
    BENCH.mkdir(parents=True, exist_ok=True)
    file = BENCH / "time_to_quality.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    lines = [line for line in lines if line["base"] == base.digest[:12]]
    judge: Judge | None = Judge()
    if not load_state(JUDGE, {"judge": judge}):
        judge = None
    concepts = {concept.name: concept for concept in CONCEPTS}
    pairs = [(name, seed) for seed in range(1, options.seeds + 1) for name in NAMES[: options.concepts]]
    for name, seed in [] if options.only_print else pairs:
        goal = None
        for side in ("published", "standard"):
            half = next(
                (o for o in lines if (o["concept"], o["seed"], o["side"]) == (name, seed, side)), None
            )
            if half is None:
                half = measure(base, judge and judge.eval(), side, concepts[name], seed, goal)
                lines.append(half)
                with file.open("a") as out:
                    out.write(json.dumps(half) + "\n")
            goal = half["loss"]
    show(lines)


if __name__ == "__main__":
    main()
