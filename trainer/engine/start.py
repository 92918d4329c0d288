"""Where learning starts: the words of the initializer, noise, the text encoder's output, or another embedding."""

from pathlib import Path

import torch
from torch import Tensor

from trainer.engine import canonical
from trainer.engine.base_model import BaseModel
from trainer.engine.events import recipe_fault
from trainer.engine.seeds import generator
from trainer.engine.text import Encoder
from trainer.engine.tokens import PLACES, first_rows, framed, word_ids
from trainer.recipe import Recipe


def start_rows(base: BaseModel, recipe: Recipe, file: Path | None = None) -> list[Tensor]:
    """The rows before the first step, a function of the recipe, and of `file` where it starts from one.

    Raises a recipe fault for a file that does not fit.
    """
    if recipe.initializer_mode == "file":
        return _rows_of(base, recipe, file)
    rows = []
    for number, encoder in enumerate(base.encoders):
        ids = [] if recipe.initializer_mode == "random" else word_ids(encoder.tokenizer, recipe.initializer)
        states = None
        if recipe.initializer_mode == "cross":
            ids = ids[: PLACES - 2]
            states = _states(encoder, ids)
        rng = generator(recipe.seed, "start", number)
        own = first_rows(encoder.table, ids, recipe.vectors_per_token, rng, states)
        rows.append(own.to(base.device))
    return rows


def _states(encoder: Encoder, ids: list[int]) -> Tensor:
    """What the encoder's last layer says at the places of these words, alone in a prompt (Cross Initialization)."""
    body = getattr(encoder.model, "text_model", encoder.model)
    prompt = torch.tensor([framed(encoder.tokenizer, ids)], device=encoder.table.device)
    with torch.no_grad():
        states: Tensor = body(prompt).last_hidden_state
    return states[0, 1 : 1 + len(ids)]


def _rows_of(base: BaseModel, recipe: Recipe, file: Path | None) -> list[Tensor]:
    if file is None:
        raise recipe_fault("start_missing", "The recipe starts from a file, and no file was given.")
    rows = canonical.read(base, file)
    if canonical.digest(base, rows) != recipe.initializer_file:
        raise recipe_fault("start_differs", "The file to start from is not the one that the recipe names.")
    if any(len(own) != recipe.vectors_per_token for own in rows):
        raise recipe_fault(
            "start_vectors",
            f"The file to start from has {len(rows[0])} vectors and the recipe {recipe.vectors_per_token}.",
        )
    return rows
