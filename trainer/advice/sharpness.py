"""Blurred pictures."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, counted
from trainer.advice.look import Look

# Width in pixels of the sharpest edges at the size trained at. Sharp photographs have 1.3 to 2.8, a blur of sigma
# 2.5 makes it 5 and more (measured on photographs and on made sets).
WIDEST = 2.5


def find(looks: Sequence[Look], *, kind: str, resolution: int) -> Finding | None:
    """Pictures without a sharp edge. When most of a style or of what is to be avoided is soft, that is meant."""
    blurred = tuple(place for place, look in enumerate(looks) if is_blurred(look, resolution))
    if not blurred or (kind in ("style", "negative") and len(blurred) * 2 > len(looks)):
        return None
    return Finding(
        "blurred",
        blurred,
        f"{counted(blurred, 'is', 'are')} blurred.",
        "Use sharper ones, or leave them out: the word learns blur like everything else it sees.",
    )


def is_blurred(look: Look, resolution: int) -> bool:
    """Whether no edge is sharp at the largest size measured that is not over the one trained at."""
    sides = [side for side in look.edges or {} if side <= resolution]
    return bool(sides) and (look.edges or {})[max(sides)] > WIDEST
