"""Editability: the words around the new one should keep the meaning they have around the initializer.

Context regularisation (CoRe, AAAI 2025). The text encoders read prompts with the new word, and what they say of the
words after it is held near what they say when the initializer stands in its place. These encoders read from left to
right: words before the new one do not know of it, so nothing is asked of them, nor of the end mark and the padding,
which stand for the prompt as a whole. No picture is needed, so the prompts are others than those of the pictures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.tokens import PLACES, framed, prompt_ids, word_ids
from trainer.prompts import NAME, templates
from trainer.recipe import Recipe

# Prompts a step, by turns: each is one more prompt for the text encoders, which are 2 % of the work.
SHOWN = 4
# Ordinary things to say beside a word; none of the preview sheet's, which shall find out whether it worked.
_LINES = {
    "style": (
        "a [name] picture of a dog asleep on a sofa",
        "a [name] painting of a bridge over a river",
        "a [name] drawing of two children with a kite",
        "[name] style, a train in the mountains",
        "a [name] picture of a market full of people",
        "[name] style, a tree in autumn",
        "a [name] illustration of a cup of coffee beside a book",
        "a [name] drawing of a bird on a branch",
    ),
    "object": (
        "a [name] on a kitchen shelf beside a green bottle",
        "a [name] under a tree in the rain",
        "a photo of a [name] held by a child in a red coat",
        "a [name] on the back seat of an old car",
        "a [name] floating in a swimming pool",
        "an oil painting of a [name] in front of a castle",
        "a [name] in a shop window at night",
        "a photo of a [name] next to a sleeping cat",
    ),
    "subject": (
        "[name] walking a dog in the park",
        "a photo of [name] reading a newspaper on a train",
        "[name] at a desk in a red pullover",
        "an oil painting of [name] in front of a castle",
        "[name] under a tree in the rain",
        "a photo of [name] playing the piano",
        "[name] in a shop full of flowers",
        "[name] next to a sleeping cat",
    ),
    "negative": (
        "a [name] picture of a dog asleep on a sofa",
        "a [name] photo of a bridge over a river",
        "a [name] picture of two children with a kite",
        "a [name] photo of a market full of people",
        "a [name] drawing of a tree in autumn",
        "a [name] picture of a bird on a branch",
    ),
}


def context_prompts(kind: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Prompts in which words follow [name]. A base that brings lines of its own is asked in those: it knows no others.

    Each holds [name] once.
    """
    if not (record.get("templates") or {}).get(kind):
        return _LINES[kind]
    lines = (*templates(kind, record), *((record.get("scenes") or {}).get(kind) or ()))
    return (
        tuple(line for line in lines if line.count(NAME) == 1 and line.partition(NAME)[2].strip())
        or _LINES[kind]
    )


@dataclass(frozen=True)
class Context:
    """Prompts and what is wanted of them; lists have an entry per encoder.

    `ids` are [prompt, 77]; `places` say for each prompt where its other words stand; `wanted` are their states beside
    the initializer, [words, width] for each prompt.
    """

    ids: list[Tensor]
    places: list[list[slice]]
    wanted: list[list[Tensor]]
    clip_skip: int

    @classmethod
    def of(cls, base: BaseModel, recipe: Recipe) -> "Context":
        """The context of a run. The base is frozen, so what is wanted is read once."""
        lines = context_prompts(recipe.kind, base.facts.record)
        ids, places, wanted = [], [], []
        for encoder in base.encoders:
            beside = [_beside(encoder.tokenizer, line, recipe.initializer) for line in lines]
            with torch.no_grad():
                states, _ = encoder.encode(
                    torch.tensor([own for own, _ in beside], device=base.device), recipe.clip_skip
                )
            wanted.append([own[place] for own, (_, place) in zip(states, beside, strict=True)])
            vectors = recipe.vectors_per_token
            own = [prompt_ids(encoder.tokenizer, line, vectors) for line in lines]
            ids.append(torch.tensor(own, device=base.device))
            places.append([_after(encoder.tokenizer, line, vectors) for line in lines])
        return cls(ids, places, wanted, recipe.clip_skip)

    def turn(self, step: int) -> list[int]:
        """The prompts of a step, counted from 0: the next ones each time, then from the first again."""
        count = len(self.places[0])
        return [(step * SHOWN + place) % count for place in range(min(SHOWN, count))]

    def distance(self, base: BaseModel, prompts: Sequence[int]) -> Tensor:
        """How far the other words of these prompts are from what is wanted, with the rows that the base shows.

        One minus the cosine, 0 to 2: the mean over words, then over prompts and encoders. It has no unit, so a
        weight means the same for every family.
        """
        apart = []
        for encoder, ids, places, wanted in zip(
            base.encoders, self.ids, self.places, self.wanted, strict=True
        ):
            states, _ = encoder.encode(ids[list(prompts)], self.clip_skip)
            for own, prompt in zip(states, prompts, strict=True):
                near = torch.cosine_similarity(own[places[prompt]], wanted[prompt], dim=-1)
                apart.append(1 - near.mean())
        return torch.stack(apart).mean()


def _after(tokenizer: Any, line: str, word: int) -> slice:
    """Where the words after [name] stand, when it takes `word` places."""
    before, after = (word_ids(tokenizer, part) for part in line.split(NAME))
    first = 1 + len(before) + word
    return slice(first, first + len(after))


def _beside(tokenizer: Any, line: str, initializer: str) -> tuple[list[int], slice]:
    """The ids of a prompt with the initializer for [name], and where the words after it stand."""
    before, after = (word_ids(tokenizer, part) for part in line.split(NAME))
    word = word_ids(tokenizer, initializer)[: PLACES - 2 - len(before) - len(after)]
    return framed(tokenizer, [*before, *word, *after]), _after(tokenizer, line, len(word))
