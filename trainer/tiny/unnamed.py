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
# Fills are compared by their marks on a grid of two units, as far as the largest object reaches.
GRID: np.ndarray = np.arange(-23.0, 24.0, 2.0, dtype=np.float32)
SHIFTS = range(-6, 7, 2)
ALIKE_FILL = 0.6  # correlation of two fills over the grid, best shift
ALIKE_SHAPE = 0.1  # mean difference of two reaches
KINDS = ("bands", "rings", "dotted", "checkered")
NUMBERS = {"first": 3, "second": 3, "marks": len(KINDS) + 9, "reach": DIRECTIONS // 2}


def colour_numbers(colour: Rgb) -> np.ndarray:
    """Three numbers in -1..1."""
    return np.array(colour, np.float32) / 127.5 - 1


def marks(field: Field) -> np.ndarray:
    """The fill over the grid, -1..1, row by row."""
    found = np.broadcast_to(field(GRID[None, :], GRID[:, None]), (len(GRID),) * 2)
    return np.asarray(np.tanh(found / 1.5), np.float32).reshape(-1)


def shape_numbers(reach: np.ndarray) -> np.ndarray:
    """How far the silhouette reaches in sixty directions, about -1..1."""
    return np.asarray((reach[::2] - 0.8) * 2, np.float32)


def any_colour(rng: Random) -> Rgb:
    """A colour between the darkest and the lightest that the world has."""
    red, green, blue = (rng.randint(30, 252) for _ in range(3))
    return red, green, blue


def any_fill(rng: Random) -> tuple[Field, np.ndarray]:
    """Bands at any angle that may bend, rings that are not round, turned dots or checks; like no held-out fill.

    All have their middle in the middle of the object, as the fills with a name do. Gives the field and the numbers
    that describe it, about -1..1.
    """
    while True:
        field, numbers = rng.choices((_any_bands, _any_rings, _any_known), (0.6, 0.25, 0.15))[0](rng)
        seen = np.sign(marks(field))
        if 0.25 < (seen > 0).mean() < 0.7 and np.abs(_held_out_marks() @ seen).max() / len(seen) < ALIKE_FILL:
            return field, numbers


def _numbers(kind: str, angle: float, scale: float, width: float, *own: float) -> np.ndarray:
    """Which kind, then the angle as two directions that a half turn or a quarter turn leaves alone, then the rest."""
    found = [float(kind == one) for one in KINDS]
    found += [f(times * angle) for times in (2, 4) for f in (cos, sin)]
    found += [scale, width, *own, *[0.0] * (3 - len(own))]
    return np.array(found, np.float32)


def _any_bands(rng: Random) -> tuple[Field, np.ndarray]:
    """Straight, or bent by a smooth or a sharp wave; the smooth ones never upright, as the held-out ones are."""
    smooth, sharp = rng.choice(((0.0, 0.0), (1.0, 0.0), (1.0, 0.0), (0.0, 1.0)))
    angle = rng.uniform(0.3, pi - 0.3) if smooth else rng.uniform(0, pi)
    c, s = cos(angle), sin(angle)
    period, width = rng.uniform(9.5, 12), rng.uniform(0.43, 0.53)
    bend, length = rng.uniform(2, 4) * rng.choice((-1, 1)), rng.uniform(13, 22)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        across, along = c * u + s * v, (c * v - s * u) / length
        return _band(across + bend * (smooth * _sine(along) + sharp * _saw(along)), period, width)

    bent = smooth + sharp
    return field, _numbers(
        "bands",
        angle,
        (period - 11) / 2,
        (width - 0.48) * 10,
        smooth * bend / 4,
        sharp * bend / 4,
        bent * (length - 18) / 5,
    )


def _any_rings(rng: Random) -> tuple[Field, np.ndarray]:
    """Around the middle, from diamonds over ovals to squares; the rounder ones drawn out, so never circles."""
    angle, corner = rng.uniform(0, pi), rng.choice((-1.0, -0.5, 0.0, 0.5, 1.0))
    c, s = cos(angle), sin(angle)
    period, width = rng.uniform(8.5, 11), rng.uniform(0.43, 0.53)
    drawn_out = rng.uniform(1.0 if abs(corner) == 1 else 1.3, 2.1)

    def field(u: np.ndarray, v: np.ndarray) -> np.ndarray:
        x, y = np.abs(c * u + s * v), np.abs(c * v - s * u) * drawn_out
        round_ = np.hypot(x, y)
        other = x + y if corner < 0 else np.maximum(x, y)
        return _band((1 - abs(corner)) * round_ + abs(corner) * other, period, width)

    return field, _numbers(
        "rings", angle, (period - 10) / 2, (width - 0.48) * 10, corner, 2 * (drawn_out - 1.5)
    )


def _any_known(rng: Random) -> tuple[Field, np.ndarray]:
    kind, angle, scale = rng.choice(("dotted", "checkered")), rng.uniform(0, pi), rng.uniform(0.85, 1.4)
    c, s = cos(angle), sin(angle)
    field = FILLS[kind]
    return (
        lambda u, v: field((c * u + s * v) / scale, (c * v - s * u) / scale),
        _numbers(kind, angle, 3 * (scale - 1.1), 0.0),
    )


def _band(x: np.ndarray, period: float, width: float) -> np.ndarray:
    return width * period / 2 - np.abs((x + period / 2) % period - period / 2)


def _sine(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.sin(2 * pi * x))


def _saw(x: np.ndarray) -> np.ndarray:
    """A triangle wave that is zero and rising at zero, as the sine is."""
    return np.asarray(np.abs((x + 0.25) % 1.0 - 0.5) * -4 + 1)


@lru_cache(maxsize=1)
def _held_out_marks() -> np.ndarray:
    """The signs of the held-out fills' marks, moved about, one a row."""
    return np.stack(
        [
            np.sign(marks(lambda u, v, f=field, x=x, y=y: f(u - x, v - y)))  # type: ignore[misc]
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
