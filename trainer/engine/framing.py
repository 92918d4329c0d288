"""Which part of a picture is trained on: the middle, around a focus box, or a bucket of its own shape."""

import math
from collections import Counter
from dataclasses import dataclass

STEP = 64
LONGEST = 3.0
BUCKETS_PER_PICTURE = 0.4
Size = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Frame:
    """A part of a picture of `source` pixels, shown at `size` pixels. Sizes are (width, height)."""

    source: Size
    box: Box
    size: Size

    def conditioning(self) -> list[float]:
        """SDXL's six numbers: true size, where the frame lies in the resized picture, size shown."""
        left, top, right, _ = self.box
        scale = self.size[0] / (right - left)
        width, height = self.source
        return [height, width, round(top * scale), round(left * scale), self.size[1], self.size[0]]

    def mirrored(self) -> "Frame":
        """The frame of the mirrored picture that shows the same part."""
        left, top, right, bottom = self.box
        width = self.source[0]
        return Frame(self.source, (width - right, top, width - left, bottom), self.size)


def frame(source: Size, size: Size, focus: Box | None = None) -> Frame:
    """The part of a picture that fills `size` with aspect kept.

    Without focus it is the largest possible and in the middle. Around a focus box (shares of width and
    height) it is the smallest that holds the box, moved inward at the picture's border.
    """
    width, height = source
    ratio = size[0] / size[1]
    if width / height >= ratio:
        most = (width if width / height == ratio else ratio * height, float(height))
    else:
        most = (float(width), width / ratio)
    shown, middle = most, (width / 2, height / 2)
    if focus is not None:
        left, top, right, bottom = focus
        wanted = max((right - left) * width, (bottom - top) * height * ratio)
        shown = min(wanted, most[0]), min(wanted / ratio, most[1])
        middle = (left + right) / 2 * width, (top + bottom) / 2 * height
    start = _within(middle[0], shown[0], width), _within(middle[1], shown[1], height)
    end = min(start[0] + shown[0], width), min(start[1] + shown[1], height)
    return Frame(source, (*start, *end), size)


def bucket_sizes(sources: list[Size], resolution: int) -> list[Size]:
    """The bucket of each picture: sides multiples of 64, area that of the resolution, nearest in shape.

    Of ten pictures at most four buckets are used; the pictures of the rarest go to the next nearest.
    """
    shapes = _shapes(resolution)
    allowed = max(1, math.ceil(len(sources) * BUCKETS_PER_PICTURE))
    while True:
        chosen = [min((_apart(source, shape), shape) for shape in shapes)[1] for source in sources]
        used = Counter(chosen)
        if len(used) <= allowed:
            return chosen
        rarest = min(used, key=lambda shape: (used[shape], shape))
        shapes = [shape for shape in shapes if shape in used and shape != rarest]


def _shapes(resolution: int) -> list[Size]:
    shapes = {(resolution, resolution)}
    for side in range(STEP, int(resolution * LONGEST), STEP):
        other = resolution * resolution // side // STEP * STEP
        if other and max(side, other) / min(side, other) <= LONGEST:
            shapes |= {(side, other), (other, side)}
    return sorted(shapes)


def _apart(source: Size, shape: Size) -> tuple[float, int]:
    """Distance in shape; of equal shapes the larger one is nearer."""
    return abs(math.log(source[0] / source[1] * shape[1] / shape[0])), -shape[0] * shape[1]


def _within(middle: float, length: float, whole: int) -> float:
    return min(max(middle - length / 2, 0.0), whole - length)
