"""Things that no word names: any colour, any fill, any silhouette, and the numbers that describe each.

A base that has only ever been told of a dozen silhouettes has no place in it for a thirteenth. So compound lessons
(`compounds.py`) show things drawn by chance, and what stands for them in the caption is computed from their numbers.
Nothing that looks like a held-out thing is ever drawn.
"""

from functools import lru_cache
from math import cos, pi, sin
from random import Random

import numpy as np

from trainer.tiny import world
from trainer.tiny.shapes import FILLS, HELD_OUT_FILLS, HELD_OUT_SHAPES, Field, Points, from_radii, radii
from trainer.tiny.world import Rgb

DIRECTIONS = 120
# The fill is described by its marks on a grid of two units, as far as the largest object reaches.
GRID: np.ndarray = np.arange(-23.0, 24.0, 2.0, dtype=np.float32)
SHIFTS = range(-6, 7, 2)
ALIKE_FILL = 0.6  # correlation of two fills over the grid, best shift
ALIKE_SHAPE = 0.1  # mean difference of two reaches
NUMBERS = {"first": 3, "second": 3, "marks": len(GRID) ** 2, "reach": DIRECTIONS // 2}


def colour_numbers(colour: Rgb) -> np.ndarray:
    """Three numbers in -1..1."""
    return np.array(colour, np.float32) / 127.5 - 1


def fill_numbers(field: Field) -> np.ndarray:
    """The marks on the grid, -1..1, row by row."""
    found = np.broadcast_to(field(GRID[None, :], GRID[:, None]), (len(GRID),) * 2)
    return np.asarray(np.tanh(found / 1.5), np.float32).reshape(-1)


def shape_numbers(reach: np.ndarray) -> np.ndarray:
    """How far the silhouette reaches in sixty directions, about -1..1."""
    return np.asarray((reach[::2] - 0.8) * 2, np.float32)


def any_colour(rng: Random) -> Rgb:
    """A colour between the darkest and the lightest that the world has."""
    red, green, blue = (rng.randint(30, 252) for _ in range(3))
    return red, green, blue


def any_fill(rng: Random) -> Field:
    """Bands that may bend, dots, checks, arcs around a far middle, or a blend of two; like no held-out fill."""
    while True:
        field = _one_fill(rng)
        if rng.random() < 0.2:
            other, share = _one_fill(rng), rng.uniform(0.3, 0.7)
            field = _blend(field, other, share)
        marks = np.sign(fill_numbers(field))
        if (
            0.25 < (marks > 0).mean() < 0.7
            and np.abs(_held_out_marks() @ marks).max() / len(marks) < ALIKE_FILL
        ):
            return field


def _blend(first: Field, second: Field, share: float) -> Field:
    return lambda u, v: share * first(u, v) + (1 - share) * second(u, v)


def _one_fill(rng: Random) -> Field:
    angle = rng.uniform(0, pi)
    c, s = cos(angle), sin(angle)
    kind = rng.choices(("bands", "known", "arcs"), (0.6, 0.25, 0.15))[0]
    if kind == "known":
        return _turned(FILLS[rng.choice(list(FILLS))], c, s, rng.uniform(0.85, 1.4))
    period, width = rng.uniform(9, 14), rng.uniform(0.38, 0.58)
    shift = rng.uniform(-period / 2, period / 2)
    if kind == "arcs":
        x, y = rng.uniform(16, 40) * c * rng.choice((-1, 1)), rng.uniform(16, 40) * s
        return lambda u, v: _band(np.hypot(u - x, v - y) + shift, period, width)
    bend = rng.choice((0.0, 2.0, 3.2, 4.2)) * rng.uniform(0.8, 1.2)
    length, start = rng.uniform(13, 26), rng.uniform(0, 1)
    wave = rng.choice((_sine, _sine, _saw))
    return lambda u, v: _band(
        c * u + s * v + bend * wave((c * v - s * u) / length + start) + shift, period, width
    )


def _turned(field: Field, c: float, s: float, scale: float) -> Field:
    return lambda u, v: field((c * u + s * v) / scale, (c * v - s * u) / scale)


def _band(x: np.ndarray, period: float, width: float) -> np.ndarray:
    return width * period / 2 - np.abs((x + period / 2) % period - period / 2)


def _sine(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sin(2 * pi * x))


def _saw(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(x % 1.0 - 0.5) * 4 - 1)


@lru_cache(maxsize=1)
def _held_out_marks() -> np.ndarray:
    """The signs of the held-out fills' marks, moved about, one a row."""
    return np.stack(
        [
            np.sign(fill_numbers(lambda u, v, f=field, x=x, y=y: f(u - x, v - y)))  # type: ignore[misc]
            for field in HELD_OUT_FILLS.values()
            for x in SHIFTS
            for y in SHIFTS
        ]
    )


def any_shape(rng: Random) -> tuple[np.ndarray, Points]:
    """A silhouette's reach in `DIRECTIONS` directions and its outline; like no held-out one."""
    while True:
        reach = _ragged(rng) if rng.random() < 0.6 else _waved(rng)
        reach = np.clip(reach / np.quantile(reach, 0.97), 0.12, 1.12)
        if np.abs(_held_out_reach() - reach).mean(1).min() > ALIKE_SHAPE:
            return reach, from_radii(reach)


def _waved(rng: Random) -> np.ndarray:
    """A circle with a few waves around it, half of them symmetric about the upright."""
    turns = np.arange(DIRECTIONS) * 2 * pi / DIRECTIONS + pi / 2
    symmetric = rng.random() < 0.5
    reach = np.full(DIRECTIONS, 0.75)
    for count in range(1, 8):
        phase = rng.choice((0, pi)) if symmetric else rng.uniform(0, 2 * pi)
        reach += rng.gauss(0, 0.24) / count**0.8 * np.cos(count * turns + phase)
    return reach.clip(0.12)


def _ragged(rng: Random) -> np.ndarray:
    """A polygon of a few corners around the middle, half of them symmetric about the upright."""
    if rng.random() < 0.5:
        turns = sorted(rng.uniform(-pi / 2, pi / 2) for _ in range(rng.randint(2, 5)))
        right = [(rng.uniform(0.3, 1.15), turn) for turn in turns]
        top, bottom = (rng.uniform(0.2, 1.15), -pi / 2), (rng.uniform(0.2, 1.15), pi / 2)
        corners = [top, *right, bottom, *((r, pi - turn) for r, turn in reversed(right))]
    else:
        count = rng.randint(3, 9)
        corners = [
            (rng.uniform(0.3, 1.15), 2 * pi * (index + rng.uniform(-0.35, 0.35)) / count)
            for index in range(count)
        ]
    return radii([(r * cos(turn), r * sin(turn)) for r, turn in corners], DIRECTIONS)


@lru_cache(maxsize=1)
def _held_out_reach() -> np.ndarray:
    """The reach of every held-out silhouette and of its mirror image, one a row."""
    found = [radii(points, DIRECTIONS) for points in HELD_OUT_SHAPES.values()]
    found += [radii([(-x, y) for x, y in points], DIRECTIONS) for points in HELD_OUT_SHAPES.values()]
    return np.stack(found)


def is_like_a_palette(colours: tuple[Rgb, ...]) -> bool:
    """Whether every colour is near one of a held-out palette."""
    return any(
        all(min(sum(abs(a - b) for a, b in zip(c, p, strict=True)) for p in pair) < 45 for c in colours)
        for pair in world.PALETTES.values()
    )
