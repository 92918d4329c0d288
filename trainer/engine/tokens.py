"""From prompts to token ids, and the row overlay that lets new vectors stand beside a frozen table.

New vectors have ids from the end of the table upward. They are written straight into the id lists: the
tokenizer and the table are never changed, so nothing has to be put back and no word can collide.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from trainer.engine.events import recipe_fault
from trainer.prompts import NAME

PLACES = 77


class RowOverlay(nn.Module):
    """A token table that looks up ids beyond its end in `rows`, a small tensor that can be swapped."""

    rows: Tensor | None

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.table = table
        self.first = table.num_embeddings
        self.rows = None

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors of the ids; gradients reach `rows` and nothing else."""
        if self.rows is None:
            return self.table(ids)
        new = ids >= self.first
        known = self.table(ids.masked_fill(new, 0))
        rows = self.rows.to(ids.device)
        own = nn.functional.embedding((ids - self.first).clamp(0, len(rows) - 1), rows)
        return torch.where(new.unsqueeze(-1), own.to(known.dtype), known)

    @contextmanager
    def showing(self, rows: Tensor | None) -> Iterator[None]:
        """Use these rows inside the block; None is the bare table."""
        before, self.rows = self.rows, rows
        try:
            yield
        finally:
            self.rows = before


def word_ids(tokenizer: Any, text: str) -> list[int]:
    """Token ids of plain text, without the start and end marks."""
    if not text.strip():
        return []
    return list(tokenizer(text, add_special_tokens=False, truncation=False, verbose=False).input_ids)


def prompt_ids(tokenizer: Any, prompt: str, vectors: int) -> list[int]:
    """The 77 token ids of a prompt, with each [name] turned into the ids of the new rows.

    What does not fit is cut, as the diffusers pipelines do.
    """
    ids = [own for unit in _units(tokenizer, prompt, vectors) for own in unit]
    return framed(tokenizer, ids[: PLACES - 2])


def chunked_ids(tokenizer: Any, prompt: str, vectors: int) -> list[int]:
    """The ids of a prompt of any length as chunks of 77, each with its own marks, as A1111 reads them.

    A word's vectors stay together: one that does not fit any more opens the next chunk.
    """
    chunks: list[list[int]] = [[]]
    for unit in _units(tokenizer, prompt, vectors):
        if len(chunks[-1]) + len(unit) > PLACES - 2:
            chunks.append([])
        chunks[-1] += unit
    return [own for chunk in chunks for own in framed(tokenizer, chunk)]


def training_ids(tokenizer: Any, prompt: str, vectors: int, *, chunks: bool = False) -> list[int]:
    """The ids of a training prompt. Recipe fault when a new row was cut off: it would not learn."""
    ids = (chunked_ids if chunks else prompt_ids)(tokenizer, prompt, vectors)
    if ids.count(len(tokenizer) + vectors - 1) == 0:
        raise recipe_fault(
            "prompt_without_name", f"In '{prompt[:80]}…' [name] is missing or beyond place 75."
        )
    return ids


def padded_ids(tokenizer: Any, prompts: list[list[int]]) -> list[list[int]]:
    """Prompts of equal length: shorter ones get empty chunks, as A1111 gives them."""
    longest = max(len(ids) for ids in prompts)
    empty = framed(tokenizer, [])
    return [ids + empty * ((longest - len(ids)) // PLACES) for ids in prompts]


def _units(tokenizer: Any, prompt: str, vectors: int) -> Iterator[list[int]]:
    """Ids that must not be parted: single tokens, and the rows of each [name]."""
    first = len(tokenizer)
    for number, piece in enumerate(prompt.split(NAME)):
        if number:
            yield list(range(first, first + vectors))
        yield from ([own] for own in word_ids(tokenizer, piece))


def framed(tokenizer: Any, ids: list[int]) -> list[int]:
    """At most 75 ids between the start and end marks, padded to 77."""
    padding = [tokenizer.pad_token_id] * (PLACES - 2 - len(ids))
    return [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id, *padding]


def first_rows(
    table: Tensor,
    ids: Sequence[int],
    vectors: int,
    generator: torch.Generator,
    states: Tensor | None = None,
) -> Tensor:
    """Starting rows: the initializer's tokens spread over the rows in order; `states` stand in for their words.

    A token that has to serve twice gets a little noise, since equal rows would learn alike. Without an
    initializer the rows are drawn like words of the table.
    """
    spread = table.float().std()
    noise = torch.randn(vectors, table.shape[1], generator=generator)
    if not ids:
        return table.float().mean(dim=0).cpu() + noise * spread.cpu()
    places = [row * len(ids) // vectors for row in range(vectors)]
    words = table[list(ids)] if states is None else states
    rows = torch.stack([words[place].float().cpu() for place in places])
    repeated = torch.tensor([place in places[:row] for row, place in enumerate(places)])
    return rows + torch.where(repeated.unsqueeze(1), noise * 0.01 * spread.cpu(), torch.zeros(()))
