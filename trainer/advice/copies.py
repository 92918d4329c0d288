"""Pictures that are there twice: saved again, made smaller, cropped, mirrored."""

from collections.abc import Sequence

from PIL import Image, ImageOps

from trainer.advice.finding import Finding
from trainer.advice.look import THUMB, Look
from trainer.advice.thumbs import Vector, product, window

# Correlation of colours on a grid of 16 x 16. Measured on made sets: copies and crops of 75 % and more reach 0.97,
# different pictures of one thing before one ground stay under 0.93.
LIKE = 0.96
# Parts of a side that a cropped copy keeps.
CROPS = (0.94, 0.88, 0.82, 0.76, 0.7)
PLACES = 5
# Mean colours of copies differ by less (of 255); this saves comparing all crops of all pictures.
COLOURS_APART = 40


def pairs(looks: Sequence[Look]) -> list[tuple[int, int]]:
    """Pictures that are copies of an earlier one: the earlier and the later."""
    shapes = [_Shape(look.image) if look.image else None for look in looks]
    found = []
    for later in range(len(looks)):
        for first in range(later):
            if looks[first].digest == looks[later].digest or _same(shapes[first], shapes[later]):
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
    """A thumb and, when first asked for, its crops."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.whole = window(image)
        self.mirrored = window(ImageOps.mirror(image))
        self.colour = image.resize((1, 1), Image.Resampling.BOX).tobytes()
        self._crops: list[Vector] = []

    @property
    def crops(self) -> list[Vector]:
        if not self._crops:
            for part in CROPS:
                side = THUMB * part
                for row in range(PLACES):
                    for column in range(PLACES):
                        x = (THUMB - side) * column / (PLACES - 1)
                        y = (THUMB - side) * row / (PLACES - 1)
                        self._crops.append(window(self.image, (x, y, x + side, y + side)))
        return self._crops


def _same(left: _Shape | None, right: _Shape | None) -> bool:
    if left is None or right is None:
        return False
    if max(abs(a - b) for a, b in zip(left.colour, right.colour, strict=True)) > COLOURS_APART:
        return False
    for small, large in ((left, right), (right, left)):
        for view in (small.whole, small.mirrored):
            if product(view, large.whole) > LIKE or any(product(view, crop) > LIKE for crop in large.crops):
                return True
    return False
