"""The CLIP tokenizer, made from the vocabulary file alone, and the short table of the rows that training uses.

A byte-pair vocabulary lists its merges in order: the merge behind an entry is the pair of parts that the
earlier merges leave of it, so the merges file need not be kept beside it.
"""

import gzip
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTokenizer

from trainer.tiny import shapes, world
from trainer.tiny.compounds import NAMELESS

VOCABULARY_FILE = Path(__file__).resolve().parents[2] / "hub" / "formats" / "clip_vocabulary.txt.gz"
BYTES = 512  # the single-byte entries, plain and word-final, come before the first merge
LENGTH = 77


@lru_cache(maxsize=1)
def vocabulary() -> list[str]:
    """The 49,408 entries in id order."""
    return gzip.decompress(VOCABULARY_FILE.read_bytes()).decode("utf-8").splitlines()


def merges() -> list[tuple[str, str]]:
    """The merges in order of rank."""
    ranks: dict[tuple[str, str], int] = {}
    for entry in vocabulary()[BYTES:-2]:
        first, second = _parts_before(entry, ranks)
        ranks[(first, second)] = len(ranks)
    return list(ranks)


def _parts_before(entry: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """What the merges so far make of the entry: always two parts, or it would not be the next entry."""
    word = entry.removesuffix("</w>")
    parts = list(word)
    if entry.endswith("</w>") and word:
        parts[-1] += "</w>"
    while len(parts) > 2:
        rank, at = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(pairwise(parts)))
        if rank == len(ranks):
            raise ValueError(f"The vocabulary is not in order of its merges at {entry!r}.")
        parts[at : at + 2] = ["".join(parts[at : at + 2])]
    return parts


def build_tokenizer() -> CLIPTokenizer:
    """The full CLIP tokenizer, padded with the end mark as in Stable Diffusion 1.x."""
    entries = {entry: index for index, entry in enumerate(vocabulary())}
    return CLIPTokenizer(vocab=entries, merges=merges(), model_max_length=LENGTH)


def world_words() -> list[str]:
    """Every word that a caption can hold."""
    words = {"a", "an", "and", "with", "on", "in", "the", "style", "of", "outline", "face", "background"}
    words |= {"shape", "patterned", "plain", "small", *world.DEFECTS, *world.COLOURS, *world.GROUNDS}
    words |= {*shapes.SHAPES, *shapes.FILLS}
    for prefix in (*world.PREFIXES, world.SNAPSHOT):
        words |= set(prefix.replace("{}", "").split())
    return sorted(words)


class ShortTable:
    """The token ids that captions use, renumbered; the last three rows are unknown, start and end."""

    def __init__(self, tokenizer: CLIPTokenizer) -> None:
        self.tokenizer = tokenizer
        ids = {token for word in world_words() for token in tokenizer(word).input_ids[1:-1]}
        self.ids = sorted(ids)
        self.unknown = len(self.ids)
        self.start, self.end = self.unknown + 1, self.unknown + 2
        self.short = {token: row for row, token in enumerate(self.ids)}
        self.short |= {tokenizer.bos_token_id: self.start, tokenizer.eos_token_id: self.end}

    def __len__(self) -> int:
        return len(self.ids) + 3

    def rows(self, captions: list[str]) -> list[list[int]]:
        """The captions as rows of the short table, padded to 77."""
        found = self.tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True).input_ids
        return [[self.short.get(token, self.unknown) for token in row] for row in found]

    def rows_with_places(
        self, captions: list[str], stand_ins: tuple[str, ...]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The rows, and of each caption where each stand-in is, 0 for those that it lacks."""
        found = self.tokenizer(captions, padding="max_length", max_length=LENGTH, truncation=True).input_ids
        marks = [self.tokenizer(word).input_ids[1] for word in stand_ins]
        places = [[row.index(mark) if mark in row else 0 for mark in marks] for row in found]
        return self.rows(captions), places

    def summands(self, word: str) -> list[int]:
        """The rows whose sum stands for a word in a compound; the nameless ones come after the table."""
        if word in NAMELESS:
            return [len(self) + NAMELESS.index(word)]
        return [self.short[token] for token in self.tokenizer(word).input_ids[1:-1]]
