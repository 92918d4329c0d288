"""Numbers from thumbs, for comparing two pictures."""

from collections.abc import Sequence
from math import sqrt
from operator import mul

from PIL import Image

from hub.formats.looks import THUMB

Vector = tuple[float, ...]
GRID = 16


def unit(values: Sequence[float]) -> Vector:
    """The values made of length one; zeros if there is next to nothing."""
    length = sqrt(sum(map(mul, values, values)))
    return tuple(value / length for value in values) if length > 1 else (0.0,) * len(values)


def product(left: Vector, right: Vector) -> float:
    """Their scalar product."""
    return sum(map(mul, left, right))


def window(
    image: Image.Image, box: tuple[float, float, float, float] | None = None, *, grid: int = GRID
) -> Vector:
    """A part of a thumb, or all of it, as a unit vector of colours on a grid, each colour about its own mean.

    So neither a common tint nor a change of light makes two pictures alike or unlike.
    """
    small = image.resize((grid, grid), Image.Resampling.BILINEAR, box=box)
    planes = []
    for band in small.split():
        values = band.tobytes()
        mean = sum(values) / len(values)
        planes += [value - mean for value in values]
    return unit(planes)


def border_colours(image: Image.Image, *, deep: int = 4, pieces: int = 4) -> list[tuple[float, ...]]:
    """Mean colours of the border, piece by piece around the picture."""
    step = THUMB // pieces
    boxes = []
    for number in range(pieces):
        start, end = number * step, (number + 1) * step
        boxes += [(start, 0, end, deep), (start, THUMB - deep, end, THUMB)]
        boxes += [(0, start, deep, end), (THUMB - deep, start, THUMB, end)]
    return [image.resize((1, 1), Image.Resampling.BOX, box=box).tobytes() for box in boxes]  # type: ignore[misc]
