"""Captions of tags: shuffled and thinned in a few variants that are drawn before the run.

Variants rather than a new order each step: every prompt can then be shown and tokenised beforehand.
"""

import torch

from trainer.engine.seeds import generator
from trainer.prompts import NAME
from trainer.recipe import Recipe

VARIANTS = 8


def caption_variants(recipe: Recipe, caption: str | None, picture: int) -> list[str | None]:
    """The captions a picture is shown with, a function of the seed and the picture's place in the set."""
    tags = [tag.strip() for tag in (caption or "").split(",") if tag.strip()]
    if not (recipe.tag_shuffle or recipe.tag_drop) or len(tags) < 2:
        return [caption]
    return [_variant(recipe, tags, picture * VARIANTS + number) for number in range(VARIANTS)]


def _variant(recipe: Recipe, tags: list[str], number: int) -> str:
    """One order and choice of the tags. Those that hold [name] stay, and stay where they are."""
    rng = generator(recipe.seed, "tags", number)
    order = torch.randperm(len(tags), generator=rng).tolist()
    kept = (torch.rand(len(tags), generator=rng) >= recipe.tag_drop).tolist()
    movable = [place for place in order if NAME not in tags[place]]
    if not recipe.tag_shuffle:
        movable.sort()
    waiting = iter(movable)
    chosen = [place if NAME in tag else next(waiting) for place, tag in enumerate(tags)]
    return ", ".join(tags[place] for place in chosen if kept[place] or NAME in tags[place])
