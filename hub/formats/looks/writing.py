"""Writing: a line of marks of like height and brightness, on one baseline, that are not all the same shape.

Rows of windows, bricks or dots repeat one shape; letters do not. Joined handwriting, a few big letters and lines
that are far from level are not seen.
"""

from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from operator import mul

from PIL import Image

from hub.formats.looks.marks import Mark

_SMALLEST = 6
_TALLEST = 34  # in pixels: of bigger marks only the outlines are seen
_MOST_MARKS = 1500
_FEWEST = 4
_SHAPE = 5
# Pairs of letters are alike by this much on average, at most (1 is the same). Words have 0.1 to 0.4, windows over 0.8.
_MOST_ALIKE = 0.62
_COMPARED = 20
# A line in which most second marks follow at one distance is a pattern; letters are of many widths.
_EVEN_STEPS, _STEP = 0.7, 0.07
# Only l, I and stops fill their boxes.
_SOLID, _MOST_SOLID = 0.85, 0.5


def longest_line(marks: Sequence[Mark], grey: Image.Image) -> int:
    """How many marks the longest line has that may be writing in a grey picture."""
    letters = [mark for mark in marks if _may_be_letter(mark, grey.size)][:_MOST_MARKS]
    best = 0
    used: set[int] = set()
    for first in range(len(letters)):
        if first in used:
            continue
        line = _line_from(letters, first)
        if len(line) > best and _is_writing([letters[place] for place in line], grey):
            best = len(line)
            used.update(line)
    return best


def _may_be_letter(mark: Mark, size: tuple[int, int]) -> bool:
    width, height = size
    is_cut = mark.left == 0 or mark.top == 0 or mark.right == width or mark.bottom == height
    return (
        not is_cut
        and _SMALLEST <= mark.height <= _TALLEST
        and 0.08 <= mark.width / mark.height <= 2.0
        and mark.fill >= 0.18
    )


def _line_from(letters: Sequence[Mark], first: int) -> list[int]:
    """The chain of neighbours to the right, each of the last one's height, baseline and brightness."""
    line = [first]
    last = letters[first]
    for place in range(first + 1, len(letters)):
        mark = letters[place]
        if mark.left - last.right > 3 * last.height:
            break
        if _are_neighbours(last, mark):
            line.append(place)
            last = mark
    return line


def _are_neighbours(last: Mark, mark: Mark) -> bool:
    tall, low = max(last.height, mark.height), min(last.height, mark.height)
    overlap = min(last.bottom, mark.bottom) - max(last.top, mark.top)
    return (
        tall <= 1.7 * low
        and overlap >= 0.7 * low
        and -0.15 * tall <= mark.left - last.right <= 1.1 * tall
        and abs(last.grey - mark.grey) <= 40
    )


def _is_writing(line: Sequence[Mark], grey: Image.Image) -> bool:
    """Whether a line has letters' variety of shapes, and their evenness of everything else."""
    if len(line) < _FEWEST:
        return False
    heights = sorted(mark.height for mark in line)
    bottoms = sorted(mark.bottom for mark in line)
    middle, base = heights[len(heights) // 2], bottoms[len(bottoms) // 2]
    even = sum(0.65 * middle <= height <= 1.55 * middle for height in heights)
    level = sum(abs(bottom - base) <= max(1, 0.15 * middle) for bottom in bottoms)
    solid = sum(mark.fill >= _SOLID for mark in line)
    return (
        even >= 0.8 * len(line)
        and level >= 0.65 * len(line)
        and solid <= _MOST_SOLID * len(line)
        and not _is_pattern(line)
        and _likeness(line, grey) <= _MOST_ALIKE
    )


def _is_pattern(line: Sequence[Mark]) -> bool:
    """Whether the marks, or every second one, stand at even distances."""
    middles = [mark.middle[0] for mark in line]
    steps = sorted(later - first for first, later in zip(middles, middles[2:], strict=False))
    usual = steps[len(steps) // 2]
    return sum(abs(step - usual) <= _STEP * usual for step in steps) >= _EVEN_STEPS * len(steps)


def _likeness(line: Sequence[Mark], grey: Image.Image) -> float:
    """How alike the marks are on average, each made as wide as the others."""
    shapes = [shape for mark in line[:_COMPARED] if mark.fill < _SOLID and (shape := _shape(mark, grey))]
    pairs = [sum(map(mul, left, right)) for left, right in combinations(shapes, 2)]
    return sum(pairs) / len(pairs) if pairs else 1.0


def _shape(mark: Mark, grey: Image.Image) -> tuple[float, ...]:
    """Brightness over the mark's box, about its mean and of length one; nothing where it is all the same."""
    box = (mark.left, mark.top, mark.right, mark.bottom)
    values = grey.resize((_SHAPE, _SHAPE), Image.Resampling.BOX, box=box).tobytes()
    mean = sum(values) / len(values)
    centred = [value - mean for value in values]
    length = sqrt(sum(map(mul, centred, centred)))
    return tuple(value / length for value in centred) if length > 1 else ()
