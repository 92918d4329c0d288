"""Lessons in compound words: one to three nameless tokens that each stand for several things at once.

A word that textual inversion finds is a point between and beyond the words a model knows: a colour between two
colours, a shape between two shapes, colour and pattern in one. A base that met such points in training can be
taught them. A compound token is the weighted sum of the rows of known words; the picture shows the same mixture.
Some of the summands have no word at all: the fill turned by a quarter, the fill enlarged, the shape upside down, and
the colours, fills and silhouettes of `unnamed.py`, whose rows are computed from the numbers that describe them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image

from trainer.tiny import unnamed, world
from trainer.tiny.shapes import FILLS, SHAPES, Field, Points, from_radii, radii
from trainer.tiny.world import Rgb, Scene, dice

# Stand-ins in a caption for the tokens of a compound: single entries of the vocabulary that no caption uses.
STAND_INS = ("alpha", "beta", "gamma")
NAMELESS = ("turned", "enlarged", "upside-down", *unnamed.NUMBERS)  # the latter have a row for each lesson
UNNAMED = 0.6  # how many of the properties of a compound are such as no mixture of words shows
Numbers = dict[str, np.ndarray]
Part = dict[str, float]  # words and NAMELESS with their weights: one property of the picture


@dataclass(frozen=True)
class Lesson:
    """A picture, its caption with stand-ins, what each stand-in is the sum of, and the numbers of the unnamed."""

    caption: str
    tokens: tuple[Part, ...]
    numbers: Numbers
    picture: Image.Image


def lessons(count: int, seed: int) -> Iterator[Lesson]:
    """`count` lessons, the same for the same seed."""
    rng = dice(f"compounds {seed}")
    for _ in range(count):
        yield _lesson(rng)


def _lesson(rng: Random) -> Lesson:
    kind = rng.choices(("style", "object", "subject"), (0.55, 0.25, 0.2))[0]
    while True:
        scene = replace(world.random_scene(rng), face=False, outline=None, defect=None)
        if kind == "style" and scene.fill == "plain" and rng.random() < 0.6:
            continue
        scene, parts, numbers = _mixture(scene, kind, rng)
        if _is_clear(scene):
            break
    tokens = _share_out(parts, kind, rng)
    return Lesson(_caption(scene, kind, len(tokens), rng), tokens, numbers, world.render(scene, rng))


def _mixture(scene: Scene, kind: str, rng: Random) -> tuple[Scene, list[Part], Numbers]:
    """The scene with some properties mixed or drawn by chance, those that the compound stands for, their numbers."""
    parts: list[Part] = []
    numbers: Numbers = {}
    if kind != "object":
        colours = []
        for name, role in zip(map(str, scene.colours), ("first", "second"), strict=False):
            part, colour = _mixed_colour(name, rng)
            if rng.random() < UNNAMED:
                part, colour = {role: 1.0}, unnamed.any_colour(rng)
                numbers[role] = unnamed.colour_numbers(colour)
            parts.append(part)
            colours.append(colour)
        scene = replace(scene, colours=tuple(colours))
        if scene.fill != "plain":
            part, field = _mixed_fill(scene.fill, rng)
            if rng.random() < UNNAMED:
                part = {"marks": 1.0}
                field, numbers["marks"] = unnamed.any_fill(rng)
            parts.append(part)
            scene = replace(scene, field=field)
    if kind != "style":
        part, points = _mixed_shape(scene.shape, rng)
        if rng.random() < UNNAMED:
            reach, outline = unnamed.any_shape(rng)
            part, points = {"reach": 1.0}, tuple(outline)
            numbers["reach"] = unnamed.shape_numbers(reach)
        parts.append(part)
        scene = replace(scene, points=points)
    if kind == "subject" and _may_smile(scene) and rng.random() < 0.6:
        parts.append({"face": 1.0})
        scene = replace(scene, face=True)
    return scene, parts, numbers


def _may_smile(scene: Scene) -> bool:
    return scene.fill == "plain" and scene.shape not in world.FACELESS


def _weights(name: str, names: list[str], rng: Random, share: float) -> Part:
    """The name alone, or with one or two others."""
    if rng.random() > share:
        return {name: 1.0}
    others = rng.sample([n for n in names if n != name], rng.choice((1, 1, 2)))
    raw = [rng.random() + 0.15 for _ in range(1 + len(others))]
    return {n: w / sum(raw) for n, w in zip((name, *others), raw, strict=True)}


def _mixed_colour(name: str, rng: Random) -> tuple[Part, Rgb]:
    part = _weights(name, list(world.COLOURS), rng, 0.65)
    red, green, blue = (
        round(sum(weight * world.COLOURS[n][i] for n, weight in part.items())) for i in range(3)
    )
    return part, (red, green, blue)


def _mixed_fill(name: str, rng: Random) -> tuple[Part, Field]:
    part = _weights(name, list(FILLS), rng, 0.45)
    summands = [(weight, FILLS[n]) for n, weight in part.items()]
    turned, scale = rng.random() < 0.4, rng.choice((1.0, 1.0, 1.0, 1.5))

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, v = (v / scale, -u / scale) if turned else (u / scale, v / scale)
        return sum((weight * fill(u, v) for weight, fill in summands), np.zeros(()))

    extra = {"turned": 1.0} if turned else {}
    return part | extra | ({"enlarged": 1.0} if scale > 1 else {}), field


@lru_cache(maxsize=32)
def _reach(name: str) -> np.ndarray:
    return radii(SHAPES[name])


def _mixed_shape(name: str, rng: Random) -> tuple[Part, tuple[tuple[float, float], ...]]:
    part = _weights(name, list(SHAPES), rng, 0.7)
    points: Points = SHAPES[name]
    if len(part) > 1:
        points = from_radii(sum((weight * _reach(n) for n, weight in part.items()), np.zeros(120)))
    if rng.random() < 0.3:
        part["upside-down"] = 1.0
        points = [(x, -y) for x, y in points]
    return part, tuple(points)


def _is_clear(scene: Scene) -> bool:
    """Whether the colours stand out from the ground and from each other, and are no held-out palette."""
    own = [world.COLOURS[c] if isinstance(c, str) else c for c in scene.colours]
    seen = [*own, world.GROUNDS[scene.ground]]
    if any(_apart(a, b) <= 110 for i, a in enumerate(seen) for b in seen[i + 1 :]):
        return False
    return not unnamed.is_like_a_palette(tuple(own))


def _apart(first: Rgb, second: Rgb) -> int:
    return sum(abs(a - b) for a, b in zip(first, second, strict=True))


def _share_out(parts: list[Part], kind: str, rng: Random) -> tuple[Part, ...]:
    """The parts over one to three tokens: each in one of them or in all; no token is empty."""
    count = rng.choices((1, 2, 3), (0.3, 0.35, 0.35))[0]
    held: list[list[Part]] = [[] for _ in range(count)]
    for part in parts:
        for token in held if rng.random() < 0.3 else [rng.choice(held)]:
            token.append(part)
    for token in held:
        if not token:
            token.append(rng.choice(parts))
    return tuple(_sum(token) for token in held)


def _sum(parts: list[Part]) -> Part:
    total: Part = {}
    for part in parts:
        for word, weight in part.items():
            total[word] = total.get(word, 0.0) + weight / len(parts) ** 0.5
    return total


def _caption(scene: Scene, kind: str, count: int, rng: Random) -> str:
    """A caption as in training with the compound in its place; more is left out, as in inversion templates."""
    word = " ".join(STAND_INS[:count])
    tail = f" on a {scene.ground} background" if rng.random() < 0.6 else ""
    size = "small " if scene.small else ""
    if kind == "style":
        noun = scene.shape if rng.random() < 0.6 else "shape"
        text = (
            f"a {size}{noun}{tail} in the style of {word}"
            if rng.random() < 0.3
            else f"a {size}{word} {noun}{tail}"
        )
    elif kind == "object" and rng.random() < 0.6:
        text = f"a {size}{world.style_words(scene)} {word}{tail}"
    else:
        text = f"a {size}{word}{tail}"
    return rng.choice(world.PREFIXES).format(world.with_article(text))
