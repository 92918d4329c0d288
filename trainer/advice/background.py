"""The same background again and again: it becomes part of the word."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, number
from trainer.advice.groups import alike
from trainer.advice.look import Look
from trainer.advice.thumbs import border_colours

# Middle difference of 16 pieces of the border, of 255. On made sets one ground stays under 10, others begin at 14.
APART = 10.0


def group(looks: Sequence[Look], once: Sequence[int]) -> tuple[int, ...]:
    """The pictures that have one background, if they are most."""
    borders = {place: border_colours(image) for place in once if (image := looks[place].image) is not None}

    def near(left: int, right: int) -> bool:
        return distance(borders[left], borders[right]) <= APART

    return alike(list(borders), near)


def find(looks: Sequence[Look], grounds: tuple[int, ...], *, kind: str) -> Finding | None:
    """Most pictures have one background. The ground may belong to a style, so there it is no finding."""
    if kind == "style" or not grounds:
        return None
    return Finding(
        "same_background",
        grounds,
        f"{number(len(grounds)).capitalize()} of {number(len(looks))} pictures have the same background.",
        "Take some elsewhere, or cut it out differently: what never changes is learned as part of the word.",
    )


def distance(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> float:
    """The middle difference of the pieces: what stands before a few of them does not count."""
    apart = sorted(
        sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 3
        for one, other in zip(left, right, strict=True)
    )
    return apart[len(apart) // 2]
