"""Pictures that are too small, or too long, for the square they are trained at."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, counted
from trainer.advice.look import Look

# Under half of the resolution more than three of four pixels are invented by enlarging.
SMALLEST_PART = 0.5
# The middle square of a picture three times as long as high is a third of it.
LONGEST = 3.0


def find_small(looks: Sequence[Look], *, resolution: int) -> Finding | None:
    """Pictures whose short side is under half of what is trained at."""
    small = tuple(place for place, look in enumerate(looks) if look.short < SMALLEST_PART * resolution)
    if not small:
        return None
    return Finding(
        "small",
        small,
        f"{counted(small, 'is', 'are')} under half of the {resolution} pixels trained at.",
        "Use the originals if you have them: enlarging adds no detail, and the word learns the softness.",
    )


def find_long(looks: Sequence[Look]) -> Finding | None:
    """Pictures of which most is cut away."""
    long = tuple(
        place for place, look in enumerate(looks) if max(look.width, look.height) > LONGEST * look.short
    )
    if not long:
        return None
    return Finding(
        "long",
        long,
        f"{counted(long, 'is', 'are')} so long that only the middle is used.",
        "Crop to what matters.",
    )
