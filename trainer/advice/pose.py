"""The same thing in the same place, turned the same way."""

from collections.abc import Sequence
from math import hypot, sqrt

from PIL import Image, ImageChops

from hub.formats.looks import THUMB
from trainer.advice.finding import Finding, number
from trainer.advice.look import Look
from trainer.advice.thumbs import Vector, product, unit

# Mean likeness of the edges of all pairs. On made sets the pictures of one pose that are most alike reach 0.6 and
# more before grounds of every sort, others stay under 0.3.
LIKE = 0.42
# The same when a common ground was taken out, whose traces are alike as well: under 0.66 in other poses, over 0.74 in
# the same.
LIKE_ON_ONE_GROUND = 0.7
SHARE_OF_SET = 0.6
SMALLEST_GROUP = 3
CELLS = 8
TURNS = 4
FAINTEST = 3.0

TO_DO = {
    "style": "Add other scenes: the word should learn how things are painted, not what is where.",
    "negative": "Add others: what they have in common beside the fault is avoided too.",
}
OTHERWISE = "Add some from other sides, nearer and further: the word will repeat what never changes."


def find(
    looks: Sequence[Look], once: Sequence[int], grounds: tuple[int, ...], *, kind: str
) -> Finding | None:
    """Most pictures have their edges in the same places; those of a common background do not count."""
    images = {place: image for place in once if (image := looks[place].image) is not None}
    ground = _median([images[place] for place in grounds]) if grounds else None
    outlines = {place: outline(image, ground) for place, image in images.items()}
    group = _group(outlines, LIKE_ON_ONE_GROUND if grounds else LIKE)
    if not group:
        return None
    return Finding(
        "same_pose",
        group,
        f"{number(len(group)).capitalize()} of {number(len(looks))} pictures show it in the same place and pose.",
        TO_DO.get(kind, OTHERWISE),
    )


def _group(outlines: dict[int, Vector], like: float) -> tuple[int, ...]:
    """The pictures left when those least like the others are taken out, until the rest are alike or too few."""
    like_all = {
        place: {at: product(own, other) for at, other in outlines.items() if at < place}
        for place, own in outlines.items()
    }
    sums = dict.fromkeys(outlines, 0.0)
    for place, others in like_all.items():
        for at, likeness in others.items():
            sums[place] += likeness
            sums[at] += likeness
    fewest = max(SMALLEST_GROUP, SHARE_OF_SET * len(outlines))
    while len(sums) >= fewest:
        if sum(sums.values()) / (len(sums) * (len(sums) - 1)) >= like:
            return tuple(sorted(sums))
        stranger = min(sums, key=lambda place: sums[place])
        del sums[stranger]
        for place in sums:
            sums[place] -= like_all[max(place, stranger)][min(place, stranger)]
    return ()


def outline(image: Image.Image, ground: Image.Image | None = None) -> Vector:
    """How strong edges are in each cell and direction, less the mean of each direction."""
    if ground is not None:
        image = ImageChops.difference(image, ground)
    bands = [band.tobytes() for band in image.split()]
    cells = [[0.0] * (CELLS * CELLS) for _ in range(TURNS)]
    for y in range(1, THUMB - 1):
        for x in range(1, THUMB - 1):
            at = y * THUMB + x
            dx, dy = max(
                ((band[at + 1] - band[at - 1], band[at + THUMB] - band[at - THUMB]) for band in bands),
                key=lambda slope: abs(slope[0]) + abs(slope[1]),
            )
            strength = sqrt(hypot(dx, dy))
            if strength >= FAINTEST:
                cells[_turn(dx, dy)][y * CELLS // THUMB * CELLS + x * CELLS // THUMB] += strength
    return unit([value - sum(plane) / len(plane) for plane in cells for value in plane])


def _turn(dx: int, dy: int) -> int:
    """Upright, level, or one of the slants."""
    if abs(dx) > 2 * abs(dy):
        return 0
    if abs(dy) > 2 * abs(dx):
        return 1
    return 2 if (dx > 0) == (dy > 0) else 3


def _median(images: Sequence[Image.Image]) -> Image.Image:
    """What most of the pictures show at each place: their common ground."""
    middle = len(images) // 2
    values = bytes(
        sorted(column)[middle] for column in zip(*(image.tobytes() for image in images), strict=True)
    )
    return Image.frombytes("RGB", (THUMB, THUMB), values)
