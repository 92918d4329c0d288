"""Silhouettes and fills of the tiny world: plain geometry, no colours and no captions.

Every silhouette is one closed polygon in a box of about -1..1 (y grows downwards); every fill is a field
over the picture in units of 1/64 of its side, measured from the middle of the object.
"""

from collections.abc import Callable
from math import cos, hypot, pi, sin

import numpy as np

Points = list[tuple[float, float]]
Field = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _arc(radius: float, start: float, end: float, x: float = 0.0, y: float = 0.0, count: int = 40) -> Points:
    """Points on a circle from angle `start` to `end`, in turns, clockwise from the right."""
    angles = (2 * pi * (start + (end - start) * i / (count - 1)) for i in range(count))
    return [(x + radius * cos(angle), y + radius * sin(angle)) for angle in angles]


def _polar(radius: Callable[[float], float], count: int = 120) -> Points:
    angles = (2 * pi * i / count - pi / 2 for i in range(count))
    return [(radius(angle + pi / 2) * cos(angle), radius(angle + pi / 2) * sin(angle)) for angle in angles]


def _star() -> Points:
    turns = [pi * i / 5 - pi / 2 for i in range(10)]
    return [
        (r * cos(a), 0.07 + r * sin(a)) for i, a in enumerate(turns) for r in [1.1 if i % 2 == 0 else 0.47]
    ]


def _heart() -> Points:
    turns = [2 * pi * i / 80 for i in range(80)]
    return [
        (sin(t) ** 3 * 1.0, -0.06 - (13 * cos(t) - 5 * cos(2 * t) - 2 * cos(3 * t) - cos(4 * t)) / 16.5)
        for t in turns
    ]


def _moon() -> Points:
    outer = _arc(1.0, 0.155, 0.965, x=0.12)
    inner = _arc(0.78, 0.975, 0.145, x=0.45, y=0.08)
    return outer + [p for p in inner if hypot(p[0] - 0.12, p[1]) < 1.0]


def _mirror(right: Points) -> Points:
    """A symmetric polygon from its right half, listed from top to bottom."""
    return right + [(-x, y) for x, y in reversed(right)]


def _drop() -> Points:
    return [(0.0, -1.12), *_arc(0.72, -0.07, 0.57, y=0.33)]


def _ghost() -> Points:
    feet = [(-0.8 + 1.6 * i / 48, 0.78 + 0.2 * cos(2 * pi * 3 * i / 48 + pi)) for i in range(49)]
    return _arc(0.8, 0.5, 1.0, y=-0.2) + list(reversed(feet))


def _fish() -> Points:
    body = _arc(0.62, 0.07, 0.93, x=-0.25)
    return [(x * 1.15, y) for x, y in body] + [(0.98, -0.6), (0.8, 0.0), (0.98, 0.6)]


def _mushroom() -> Points:
    return [*_arc(0.98, 0.5, 1.0, y=0.1), (0.36, 0.16), (0.3, 0.95), (-0.3, 0.95), (-0.36, 0.16)]


def _leaf() -> Points:
    return [
        (0.75 * sin(pi * t) * s, -1.1 + 2.2 * t)
        for s, ts in ((1, range(31)), (-1, range(30, -1, -1)))
        for t in [i / 30 for i in ts]
    ]


# What the base learns to draw by name.
SHAPES: dict[str, Points] = {
    "circle": _arc(0.92, 0.0, 1.0, count=64),
    "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "triangle": [(0.0, -0.98), (1.0, 0.78), (-1.0, 0.78)],
    "star": _star(),
    "heart": _heart(),
    "diamond": [(0.0, -1.12), (0.72, 0.0), (0.0, 1.12), (-0.72, 0.0)],
    "cross": [
        (-0.33, -1),
        (0.33, -1),
        (0.33, -0.33),
        (1, -0.33),
        (1, 0.33),
        (0.33, 0.33),
        (0.33, 1),
        (-0.33, 1),
        (-0.33, 0.33),
        (-1, 0.33),
        (-1, -0.33),
        (-0.33, -0.33),
    ],
    "moon": _moon(),
    "house": [
        (0.0, -1.05),
        (0.98, -0.15),
        (0.72, -0.15),
        (0.72, 0.9),
        (0.22, 0.9),
        (0.22, 0.3),
        (-0.22, 0.3),
        (-0.22, 0.9),
        (-0.72, 0.9),
        (-0.72, -0.15),
        (-0.98, -0.15),
    ],
    "tree": _mirror([(0.0, -1.15), (0.62, -0.3), (0.34, -0.3), (0.88, 0.55), (0.2, 0.55), (0.2, 1.0)]),
    "drop": _drop(),
    "flower": _polar(lambda a: 0.76 + 0.26 * cos(6 * a)),
}

# Never in the base's training: what new words are for.
HELD_OUT_SHAPES: dict[str, Points] = {
    "bolt": [(0.3, -1.12), (-0.72, 0.16), (-0.08, 0.16), (-0.32, 1.12), (0.72, -0.2), (0.08, -0.2)],
    "fish": _fish(),
    "ghost": _ghost(),
    "mushroom": _mushroom(),
    "leaf": _leaf(),
    "crown": [
        (-0.95, -0.7),
        (-0.45, -0.1),
        (0.0, -0.95),
        (0.45, -0.1),
        (0.95, -0.7),
        (0.78, 0.75),
        (-0.78, 0.75),
    ],
}


def _triangle_wave(x: np.ndarray, period: float) -> np.ndarray:
    return np.abs((x / period) % 1.0 - 0.5) * 4 - 1


def _bands(x: np.ndarray, period: float, width: float) -> np.ndarray:
    """Bands across x, the first one centred on the origin."""
    return width / 2 - np.abs((x + period / 2) % period - period / 2)


def _dots(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    row = np.round(v / 8.5)
    across = (u + (row % 2) * 5.0 + 5.0) % 10.0 - 5.0
    return 2.9 - np.hypot(across, v - row * 8.5)


# Above zero where the second colour goes, by about the distance to the edge.
FILLS: dict[str, Field] = {
    "striped": lambda u, v: _bands((u + v) / 2**0.5, 11, 4.8),
    "banded": lambda u, v: _bands(v, 11, 4.8),
    "dotted": _dots,
    "checkered": lambda u, v: -2.7 * np.sin(pi * u / 8.5) * np.sin(pi * v / 8.5),
    "zigzag": lambda u, v: _bands(v + 3.0 * _triangle_wave(u, 13.0), 11, 4.8),
}
HELD_OUT_FILLS: dict[str, Field] = {
    "wavy": lambda u, v: _bands(u + 3.2 * np.sin(v * 2 * pi / 19.0) - 0.1, 10.5, 5.2),
    "ringed": lambda u, v: _bands(np.hypot(u, v) - 1.35, 9.5, 4.7),
}


def fill_field(fill: Field, size: int, scale: float, middle: tuple[float, float] | None = None) -> np.ndarray:
    """The mask (0 or 255) of a fill on a square of `size` pixels, `scale` pixels to a unit, around its middle."""
    x, y = middle or (size / 2, size / 2)
    axis = np.arange(size, dtype=np.float32) + np.float32(0.5)
    field = fill((axis[None, :] - x) / scale, (axis[:, None] - y) / scale)
    return np.broadcast_to(field > 0, (size, size)).astype(np.uint8) * 255


def radii(points: Points, count: int = 120) -> np.ndarray:
    """How far the silhouette reaches from its middle in `count` directions, 0.05 where it does not."""
    start = np.array(points)
    edge = np.roll(start, -1, axis=0) - start
    reach = np.full(count, 0.05)
    for index in range(count):
        turn = 2 * pi * index / count
        ray = np.array((cos(turn), sin(turn)))
        crossing = ray[0] * edge[:, 1] - ray[1] * edge[:, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            far = (start[:, 0] * edge[:, 1] - start[:, 1] * edge[:, 0]) / crossing
            along = (start[:, 0] * ray[1] - start[:, 1] * ray[0]) / crossing
        hit = (np.abs(crossing) > 1e-9) & (far > 0) & (along >= 0) & (along <= 1)
        if hit.any():
            reach[index] = far[hit].max()
    return reach


def from_radii(reach: np.ndarray) -> Points:
    """The silhouette that reaches so far."""
    turns = [2 * pi * index / len(reach) for index in range(len(reach))]
    return [(float(r) * cos(turn), float(r) * sin(turn)) for r, turn in zip(reach, turns, strict=True)]
