"""Too few pictures: the word copies them."""

from collections.abc import Sequence

from trainer.advice.finding import Finding
from trainer.advice.look import Look

# Gal et al. (2022) use three to five, people up to ten; the trainer shortens runs of fewer than three.
FEWEST = 3


def find(looks: Sequence[Look], once: Sequence[int]) -> Finding | None:
    """Fewer different pictures than a word can be learned from."""
    if len(once) >= FEWEST:
        return None
    only = "picture" if len(looks) == 1 else "different pictures" if len(once) == 2 else "different picture"
    return Finding(
        "few",
        (),
        f"Only {len(once)} {only}: the word will copy rather than learn.",
        "Add more: three to ten, alike only in what matters, work best.",
    )
