"""Marks: connected spots that are darker, or lighter, than what is around them. Letters and eyes are such."""

import re
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

_AROUND = 12  # pixels each way: spots up to about twice this are seen whole
_STAND_OUT = 28  # of 255
_MOST_RUNS = 40_000  # a texture this busy has marks everywhere, which then say nothing
_LEAST_PIXELS = 6
_RUN = re.compile(rb"\xff+")


@dataclass(slots=True)
class Mark:
    """A spot: its box, the right and lower sides outside it; how many pixels, and the sum of their grey values."""

    left: int
    top: int
    right: int
    bottom: int
    pixels: int = 0
    total: int = 0

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """The middle of its box."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    @property
    def fill(self) -> float:
        """How much of its box it covers."""
        return self.pixels / (self.width * self.height)

    @property
    def grey(self) -> float:
        """Its mean brightness."""
        return self.total / self.pixels

    def take(self, other: "Mark") -> None:
        """Become one with a mark that touches it."""
        self.left, self.top = min(self.left, other.left), min(self.top, other.top)
        self.right, self.bottom = max(self.right, other.right), max(self.bottom, other.bottom)
        self.pixels += other.pixels
        self.total += other.total


def find_marks(grey: Image.Image, *, darker: bool) -> list[Mark]:
    """The marks of a grey picture, from left to right; none in one that is too busy."""
    around = grey.filter(ImageFilter.BoxBlur(_AROUND))
    pair = (around, grey) if darker else (grey, around)
    spots = ImageChops.subtract(*pair).point(lambda value: 255 if value > _STAND_OUT else 0)
    return _marks(spots, grey)


def find_darker(grey: Image.Image) -> list[Mark]:
    """Marks that are darker than a part of what is around them: seen on dark skin as on pale."""
    around = grey.filter(ImageFilter.BoxBlur(_AROUND)).point(
        lambda value: max(0, min(value * 0.8, value - 10))
    )
    return _marks(ImageChops.subtract(around, grey).point(lambda value: 255 if value else 0), grey)


def _marks(spots: Image.Image, grey: Image.Image) -> list[Mark]:
    width, height = grey.size
    rows, values = spots.tobytes(), grey.tobytes()
    parents: list[int] = []
    marks: list[Mark] = []
    above: list[tuple[int, int, int]] = []
    for y in range(height):
        row = []
        for run in _RUN.finditer(rows, y * width, (y + 1) * width):
            start, end = run.span()
            left, right = start - y * width, end - y * width
            row.append((left, right, len(marks)))
            parents.append(len(marks))
            marks.append(Mark(left, y, right, y + 1, right - left, sum(values[start:end])))
        if len(marks) > _MOST_RUNS:
            return []
        _join(above, row, parents)
        above = row
    return _whole(marks, parents)


def _join(above: list[tuple[int, int, int]], row: list[tuple[int, int, int]], parents: list[int]) -> None:
    """Note which runs of two rows touch, corners included."""
    at = 0
    for left, right, number in row:
        while at < len(above) and above[at][1] < left:
            at += 1
        over = at
        while over < len(above) and above[over][0] <= right:
            parents[_root(parents, above[over][2])] = _root(parents, number)
            over += 1


def _root(parents: list[int], number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


def _whole(marks: list[Mark], parents: list[int]) -> list[Mark]:
    whole: dict[int, Mark] = {}
    for number, mark in enumerate(marks):
        root = _root(parents, number)
        if root in whole:
            whole[root].take(mark)
        else:
            whole[root] = mark
    return sorted((m for m in whole.values() if m.pixels >= _LEAST_PIXELS), key=lambda m: (m.left, m.top))
