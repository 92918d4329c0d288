"""Faces in pictures that are not about anybody."""

from collections.abc import Sequence

from trainer.advice.finding import Finding, counted
from trainer.advice.look import Look

TO_DO = {
    "style": "One or two are fine; if most pictures have one, the word will bring faces along.",
    "object": "Crop it out, or choose others: the word would learn the face as well.",
    "negative": "Choose others, unless faces are what should be avoided.",
}


def find(looks: Sequence[Look], *, kind: str) -> Finding | None:
    """Pictures with what looks like a face, when the word is not for a person or character."""
    if kind == "subject":
        return None
    seen = tuple(place for place, look in enumerate(looks) if look.faces)
    if not seen:
        return None
    return Finding(
        "face",
        seen,
        f"{counted(seen, 'seems', 'seem')} to show a face.",
        TO_DO.get(kind, TO_DO["object"]),
    )
