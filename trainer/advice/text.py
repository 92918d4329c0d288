"""Writing in the picture: captions, signs, watermarks."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, counted
from trainer.advice.look import Look

# Marks in a line that look like letters. Rows of coins, pebbles and blades of grass reach six (measured).
FEWEST_LETTERS = 7


def find(looks: Sequence[Look], *, kind: str) -> Finding | None:
    """Pictures with a line of writing."""
    written = tuple(place for place, look in enumerate(looks) if look.letters >= FEWEST_LETTERS)
    if not written or (kind == "negative" and len(written) * 2 > len(looks)):
        return None
    return Finding(
        "text",
        written,
        f"{counted(written, 'seems', 'seem')} to have writing in it."
        if len(written) == 1
        else f"{counted(written, 'seems', 'seem')} to have writing in them.",
        "Crop or paint it out, unless it belongs there: the word would bring scribbles along.",
    )
