"""The judge: one small classifier of true renders that says what a picture shows.

It learns on pictures drawn by the world, held-out shapes, fills and palettes among them, and is used on what
the base draws. It shares nothing with the base but the world.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from trainer.tiny import shapes, world
from trainer.tiny.networks import to_input
from trainer.tiny.state import load_state, save_state, say
from trainer.tiny.world import Scene

OTHER = "other"  # neither a known nor a held-out one, but like some of them: near misses are no hits
AXES: dict[str, tuple[str, ...]] = {
    "ground": tuple(world.GROUNDS),
    "shape": (*shapes.SHAPES, *shapes.HELD_OUT_SHAPES, OTHER),
    "fill": ("plain", *shapes.FILLS, *shapes.HELD_OUT_FILLS, OTHER),
    "palette": ("named", *world.PALETTES),
    "size": ("large", "small"),
    "defect": ("none", *world.DEFECTS, *world.HELD_OUT_DEFECTS),
}
COLOURS = tuple(world.COLOURS)
LESSONS, BATCH, ROUNDS = 24_000, 48, 14
# Fills that look different when they are turned, and silhouettes when they stand on their heads.
TURNING = ("striped", "banded", "zigzag")
TOPPLING = ("triangle", "heart", "house", "tree", "drop", "star", "bolt", "ghost", "mushroom", "crown")


@dataclass(frozen=True)
class Verdict:
    """What the judge sees in one picture; colours in order of likelihood, as many as the fill needs."""

    ground: str
    shape: str
    fill: str
    palette: str
    size: str
    defect: str
    colours: frozenset[str]


class Judge(nn.Module):
    """Five convolutions and a linear head an axis, plus one that tells which colours are there."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 40, 64, 96)
        # Shares of pixels of a colour: a histogram whose bins are learned.
        self.tints = nn.Sequential(nn.Conv2d(3, 48, 1), nn.ReLU(), nn.Conv2d(48, 48, 1), nn.ReLU())
        self.stages = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.ReLU())
                for a, b in pairwise(widths)
            )
        )
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(96 * 16, 192), nn.ReLU())
        self.heads = nn.ModuleDict({axis: nn.Linear(192, len(names)) for axis, names in AXES.items()})
        self.colours = nn.Sequential(nn.Linear(240, 96), nn.ReLU(), nn.Linear(96, len(COLOURS)))

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits of every axis, and under "colours" one for each colour."""
        found = self.body(self.stages(pictures))
        tints = self.tints(functional.avg_pool2d(pictures, 2)).mean((2, 3)) * 4
        colours = self.colours(torch.cat([found, tints], 1))
        return {axis: head(found) for axis, head in self.heads.items()} | {"colours": colours}


def lesson(rng: Random) -> Scene:
    """A scene of the judge's own: the world's, with held-out things and near misses mixed in."""
    scene = world.random_scene(rng)
    lot = rng.random()
    if lot < 0.28:
        scene = replace(scene, shape=rng.choice(list(shapes.HELD_OUT_SHAPES)))
    elif lot < 0.38 and not (scene.face or scene.small):
        scene = replace(scene, shape=OTHER, points=_strange_shape(rng))
    if len(scene.colours) == 2:
        lot = rng.random()
        if lot < 0.4:
            scene = replace(scene, fill=rng.choice(list(shapes.HELD_OUT_FILLS)))
        elif lot < 0.5:
            fill = shapes.FILLS[rng.choice(TURNING)]
            scene = replace(scene, fill=OTHER, field=lambda u, v: fill(v, -u))
        if rng.random() < 0.3:
            scene = replace(scene, colours=world.PALETTES[rng.choice(list(world.PALETTES))])
    if rng.random() < 0.08:
        scene = replace(scene, defect=rng.choice(("blurry", "faded", "murky", "murky")))
    return scene


def _strange_shape(rng: Random) -> tuple[tuple[float, float], ...]:
    """A silhouette on its head, or half one and half another."""
    known = shapes.SHAPES | shapes.HELD_OUT_SHAPES
    if rng.random() < 0.5:
        return tuple((x, -y) for x, y in known[rng.choice(TOPPLING)])
    first, second = (shapes.radii(known[name]) for name in rng.sample(list(known), 2))
    share = rng.uniform(0.4, 0.6)
    return tuple(shapes.from_radii(share * first + (1 - share) * second))


def answers(scene: Scene) -> tuple[list[int], list[float]]:
    """The right class on every axis, and which colours are there."""
    palette = next((name for name, pair in world.PALETTES.items() if pair == scene.colours), "named")
    truth = (
        scene.ground,
        scene.shape,
        scene.fill,
        palette,
        "small" if scene.small else "large",
        scene.defect or "none",
    )
    classes = [names.index(name) for names, name in zip(AXES.values(), truth, strict=True)]
    return classes, [float(colour in scene.colours) for colour in COLOURS]


def draw_lessons(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures, classes and colours of `count` lessons."""
    rng = world.dice(seed)
    scenes = [lesson(rng) for _ in range(count)]
    pictures = np.stack([np.asarray(world.render(scene, rng)) for scene in scenes])
    classes, colours = zip(*(answers(scene) for scene in scenes), strict=True)
    return torch.from_numpy(pictures), torch.tensor(classes), torch.tensor(colours)


def roughen(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Slight softness, colour drift and noise, as in generated pictures, so that these do not mislead."""
    soft = functional.avg_pool2d(functional.pad(batch, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = torch.rand(len(batch), 1, 1, 1, generator=generator) * 0.8
    drift = 0.03 * torch.randn(len(batch), 3, 1, 1, generator=generator)
    strength = 0.08 * torch.rand(len(batch), 1, 1, 1, generator=generator)
    return torch.lerp(batch, soft, share) + drift + strength * torch.randn(batch.shape, generator=generator)


def train_judge(state: Path) -> Judge:
    """The trained judge, kept in the state folder as `judge.safetensors`."""
    torch.manual_seed(5)
    judge = Judge()
    path = state / "judge.safetensors"
    if load_state(path, {"judge": judge}):
        return judge.eval()
    pictures, classes, colours = draw_lessons(LESSONS, seed=31)
    steps = ROUNDS * LESSONS // BATCH
    optimizer = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    generator, begun = torch.Generator().manual_seed(6), time.monotonic()
    for step in range(steps):
        which = torch.randint(LESSONS, (BATCH,), generator=generator)
        logits = judge(roughen(to_input(pictures[which]), generator))
        loss = 3 * functional.binary_cross_entropy_with_logits(logits["colours"], colours[which])
        for axis, right in zip(AXES, classes[which].T, strict=True):
            loss = loss + functional.cross_entropy(logits[axis], right)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % 250 == 0:
            say(f"judge step {step + 1} of {steps}, loss {loss.item():.3f}, {time.monotonic() - begun:.0f} s")
    save_state(path, steps, {"judge": judge})
    return judge.eval()


@torch.no_grad()
def look(judge: Judge, pictures: Sequence[Image.Image]) -> list[Verdict]:
    """What each picture (64 px) shows."""
    stack = torch.from_numpy(np.stack([np.asarray(picture.convert("RGB")) for picture in pictures]))
    logits = judge(to_input(stack))
    found = []
    for index in range(len(stack)):
        seen = {axis: names[int(logits[axis][index].argmax())] for axis, names in AXES.items()}
        count = 1 if seen["fill"] == "plain" else 2
        likely = logits["colours"][index].topk(count).indices.tolist()
        found.append(Verdict(**seen, colours=frozenset(COLOURS[i] for i in likely)))
    return found


def own_accuracy(judge: Judge, count: int, seed: int) -> dict[str, float]:
    """How often the judge is right on fresh true renders, for every axis; colours as a whole set."""
    rng = world.dice(seed)
    scenes = [lesson(rng) for _ in range(count)]
    verdicts = look(judge, [world.render(scene, rng) for scene in scenes])
    right = dict.fromkeys((*AXES, "colours"), 0)
    for scene, verdict in zip(scenes, verdicts, strict=True):
        for axis, index in zip(AXES, answers(scene)[0], strict=True):
            right[axis] += getattr(verdict, axis) == AXES[axis][index]
        # Nothing asks for the colours of spoilt pictures, and held-out palettes have no colour names.
        untold = scene.defect is not None or scene.colours in world.PALETTES.values()
        right["colours"] += untold or verdict.colours == frozenset(scene.colours)
    return {axis: hits / count for axis, hits in right.items()}
