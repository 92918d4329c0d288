"""The same colours in every picture, light and ground included: they become part of the word."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, number
from trainer.advice.groups import alike
from trainer.advice.look import Look

# Difference of the pictures' pixels when both are sorted by colour, of 255. On made sets pictures in one tint differ
# by 9 to 13, others by 30 and more.
APART = 16.0

SHARE = 0.75
EVERY = 8  # pixels, in that order, are enough

Sorted = tuple[bytes, bytes]


def find(
    looks: Sequence[Look], once: Sequence[int], grounds: tuple[int, ...], *, kind: str
) -> Finding | None:
    """Most pictures are in one colour. Colours may be the style, so there it is no finding; nor does one background,
    which is a finding of its own, make another.
    """
    if kind == "style" or grounds:
        return None
    tones = {place: tones_of(looks[place]) for place in once if looks[place].image is not None}

    def near(left: int, right: int) -> bool:
        return distance(tones[left], tones[right]) <= APART

    group = alike(list(tones), near, share=SHARE)
    if not group:
        return None
    return Finding(
        "same_colour",
        group,
        f"{number(len(group)).capitalize()} of {number(len(looks))} pictures have the same colours throughout.",
        "Add some in other light or surroundings, unless the colours belong to the word.",
    )


def tones_of(look: Look) -> Sorted:
    """Both colour differences of the pixels, each in order of size; brightness is left out."""
    assert look.image is not None
    _light, blue, red = look.image.convert("YCbCr").split()
    return bytes(sorted(blue.tobytes())[::EVERY]), bytes(sorted(red.tobytes())[::EVERY])


def distance(left: Sorted, right: Sorted) -> float:
    """How far the colours of one would have to be moved to become those of the other."""
    apart = [
        sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
        for one, other in zip(left, right, strict=True)
    ]
    return sum(apart)
