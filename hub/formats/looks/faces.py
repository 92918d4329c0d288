"""Faces: two like dark marks on one level, a wider one under their middle, and one plain colour around them that ends.

This is geometry, not recognition: it sees drawn faces and some clear frontal ones, and neither profiles nor faces
that are small, tilted, covered or dimly lit.
"""

from collections.abc import Sequence

from PIL import Image, ImageStat

from hub.formats.looks.marks import Mark

# In a picture with more marks than this nothing can be told, and it would take long to find that out.
_MOST_EYES, _MOST_MARKS = 150, 3000
_SMALLEST_EYE = 3
# Where skin is looked for, from the point between the eyes, in distances of the eyes: cheeks, bridge of the nose.
_SKIN = ((-0.42, 0.42), (0.42, 0.42), (0.0, 0.12))
# Where a face is over: left, right, above the head, under the chin.
_OUTSIDE = ((-1.6, 0.0), (1.6, 0.0), (0.0, -1.7), (0.0, 2.0))
_MOST_MARKS_INSIDE = 6  # eyes, brows, nose, mouth
_LIKE_SKIN, _UNLIKE_SKIN, _ROUGHEST = 45, 30, 20

Rgb = tuple[float, ...]


def count_faces(marks: Sequence[Mark], image: Image.Image) -> int:
    """How many places of a picture look like a face, given its dark marks."""
    eyes = [mark for mark in marks if _may_be_eye(mark)]
    if len(eyes) > _MOST_EYES or len(marks) > _MOST_MARKS:
        return 0
    found: list[tuple[float, float, float]] = []
    for place, left in enumerate(eyes):
        for right in eyes[place + 1 :]:
            if not _are_eyes(left, right):
                continue
            apart = right.middle[0] - left.middle[0]
            x, y = (left.middle[0] + right.middle[0]) / 2, (left.middle[1] + right.middle[1]) / 2
            is_new = all(abs(x - fx) > size or abs(y - fy) > size for fx, fy, size in found)
            if is_new and _has_mouth(marks, x, y, apart) and _has_skin(image, x, y, apart):
                found.append((x, y, apart))
    return len(found)


def _may_be_eye(mark: Mark) -> bool:
    is_big_enough = min(mark.width, mark.height) >= _SMALLEST_EYE
    return is_big_enough and 0.55 <= mark.width / mark.height <= 3.2 and mark.fill >= 0.5


def _are_eyes(left: Mark, right: Mark) -> bool:
    apart = right.middle[0] - left.middle[0]
    size = (left.width + right.width) / 2
    return (
        1.9 * size <= apart <= 8 * size
        and abs(left.middle[1] - right.middle[1]) <= 0.18 * apart
        and max(left.width, right.width) <= 1.5 * min(left.width, right.width)
        and max(left.height, right.height) <= 1.6 * min(left.height, right.height)
        and abs(left.grey - right.grey) <= 40
    )


def _has_mouth(marks: Sequence[Mark], x: float, y: float, apart: float) -> bool:
    inside = [
        mark
        for mark in marks
        if abs(mark.middle[0] - x) < 0.75 * apart and -0.25 * apart < mark.middle[1] - y < 1.3 * apart
    ]
    if len(inside) > _MOST_MARKS_INSIDE:
        return False
    return any(
        abs(mark.middle[0] - x) <= 0.2 * apart
        and 0.4 * apart <= mark.middle[1] - y <= 1.3 * apart
        and 0.25 * apart <= mark.width <= 1.5 * apart
        and mark.width >= 1.25 * mark.height
        for mark in inside
    )


def _has_skin(image: Image.Image, x: float, y: float, apart: float) -> bool:
    """Whether cheeks and nose are one smooth colour, which is over on most sides where a face is over."""
    half = max(1.0, 0.1 * apart)
    skin = [_patch(image, x + dx * apart, y + dy * apart, half) for dx, dy in _SKIN]
    if any(one is None or max(one[1]) > _ROUGHEST for one in skin):
        return False
    colours = [one[0] for one in skin if one is not None]
    if max(_apart(one, colours[0]) for one in colours) > _LIKE_SKIN:
        return False
    around = [_patch(image, x + dx * apart, y + dy * apart, half) for dx, dy in _OUTSIDE]
    return sum(one is None or _apart(one[0], colours[0]) > _UNLIKE_SKIN for one in around) >= 3


def _patch(image: Image.Image, x: float, y: float, half: float) -> tuple[Rgb, Rgb] | None:
    """Mean and spread of the colours of a small square; None where that leaves the picture."""
    box = (round(x - half), round(y - half), round(x + half) + 1, round(y + half) + 1)
    if box[0] < 0 or box[1] < 0 or box[2] > image.width or box[3] > image.height:
        return None
    found = ImageStat.Stat(image.crop(box))
    return tuple(found.mean), tuple(found.stddev)


def _apart(left: Rgb, right: Rgb) -> float:
    return max(abs(a - b) for a, b in zip(left, right, strict=True))
