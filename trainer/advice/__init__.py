"""Advice on a set of pictures before a run: alike in what matters, different in everything else, made measurable.

PURE: from looks (small numbers taken where a picture was decoded) to findings. One file for each thing looked for,
its threshold named there with where it comes from. Nothing here forbids anything.
"""

from collections.abc import Sequence

from trainer.advice import background, colour, copies, count, faces, pose, sharpness, size, text
from trainer.advice.finding import Finding
from trainer.advice.look import Look

__all__ = ["Finding", "Look", "advise"]


def advise(looks: Sequence[Look], *, kind: str, resolution: int) -> list[Finding]:
    """What the maker of a set should know, the most important first. `resolution` is the side trained at."""
    if not looks:
        return []
    doubles = copies.pairs(looks)
    # What is there twice is alike anyway; likeness is looked for among the others.
    once = [place for place in range(len(looks)) if place not in {later for _first, later in doubles}]
    grounds = background.group(looks, once)
    found = [
        count.find(looks, once),
        copies.find(doubles),
        size.find_small(looks, resolution=resolution),
        size.find_long(looks),
        sharpness.find(looks, kind=kind, resolution=resolution),
        pose.find(looks, once, grounds, kind=kind),
        background.find(looks, grounds, kind=kind),
        colour.find(looks, once, grounds, kind=kind),
        text.find(looks, kind=kind),
        faces.find(looks, kind=kind),
    ]
    return [finding for finding in found if finding is not None]
