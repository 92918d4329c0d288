"""Pictures that are there twice: saved again, made smaller, cropped, mirrored."""

from collections.abc import Sequence
from functools import cached_property

from PIL import Image, ImageOps

from hub.formats.looks import THUMB
from trainer.advice.finding import Finding
from trainer.advice.look import Look
from trainer.advice.thumbs import Vector, product, window

# Correlation of colours on a grid of 16 x 16. Measured on made sets: copies and crops of 75 % and more reach 0.97,
# different pictures of one thing before one ground stay under 0.93.
LIKE = 0.96
# Parts of a side that a cropped copy keeps.
CROPS = (0.94, 0.88, 0.82, 0.76, 0.7)
PLACES = 5
# Mean colours of copies differ by less (of 255); this saves comparing all crops of all pictures.
COLOURS_APART = 40
# A first look at crops, on a grid of 8 x 8.
COARSE, MAYBE_LIKE = 8, 0.88
# In larger sets only whole pictures are compared, so that advice stays quick.
MOST_FOR_CROPS = 24

Box = tuple[float, float, float, float]


def pairs(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """Pictures that are copies of an earlier one: the earlier and the later."""
    shapes = [_Shape(look.image) if look.image else None for look in looks]
    cropped = len(looks) <= MOST_FOR_CROPS
    found = []
    for later in range(len(looks)):
        for first in range(later):
            if looks[first].digest == looks[later].digest or _same(
                shapes[first], shapes[later], cropped=cropped
            ):
                found.append((first, later))
                break
    return found


def find(doubles: Sequence[tuple[int, int]]) -> Finding | None:
    """Pictures that show the same twice."""
    if not doubles:
        return None
    both = tuple(sorted({place for pair in doubles for place in pair}))
    more = len(doubles)
    what = "One picture is" if more == 1 else f"{more} pictures are"
    return Finding(
        "duplicate",
        both,
        f"{what} nearly the same as another here.",
        "Keep the best of each: a copy teaches nothing new, and the word leans towards what it sees more often.",
    )


class _Shape:
    """A thumb as vectors, and, when first asked for, its crops on a coarse grid."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        mirrored = ImageOps.mirror(image)
        self.views = [(window(one), window(one, grid=COARSE)) for one in (image, mirrored)]
        self.colour = image.resize((1, 1), Image.Resampling.BOX).tobytes()

    @cached_property
    def crops(self) -> list[tuple[Box, Vector]]:
        """Every crop looked at, with its place."""
        boxes = []
        for side in (THUMB * part for part in CROPS):
            steps = [(THUMB - side) * step / (PLACES - 1) for step in range(PLACES)]
            boxes += [(x, y, x + side, y + side) for x in steps for y in steps]
        return [(box, window(self.image, box, grid=COARSE)) for box in boxes]

    def has(self, view: Vector, coarse: Vector) -> bool:
        """Whether a part of this picture is that view; most parts are ruled out at a glance."""
        return any(
            product(coarse, crop) > MAYBE_LIKE and product(view, window(self.image, box)) > LIKE
            for box, crop in self.crops
        )


def _same(left: _Shape | None, right: _Shape | None, *, cropped: bool) -> bool:
    if left is None or right is None:
        return False
    if max(abs(a - b) for a, b in zip(left.colour, right.colour, strict=True)) > COLOURS_APART:
        return False
    whole, glance = right.views[0]
    if any(
        product(coarse, glance) > MAYBE_LIKE and product(view, whole) > LIKE for view, coarse in left.views
    ):
        return True
    return cropped and any(
        large.has(*view) for small, large in ((left, right), (right, left)) for view in small.views
    )
