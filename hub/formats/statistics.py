"""Numbers about the vectors of an embedding: lengths, likeness, and what a base model's vocabulary has beside them.

Shown to people, never used to judge. Pure Python: one pass over a table of 49,408 words takes about a second.
"""

import json
import math
import mmap
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.formats.data import Tensor
from hub.formats.values import floats_of

NEAREST = 5
# More vectors than this are not looked up: the first ones say what the word is made of.
MAX_LOOKED_UP = 8
WORD_END = "</w>"
# A small base gives words it never saw one common row. A row that so many words share says nothing about any.
SHARED = 8
Row = tuple[float, ...]
# transformers 5 leaves out the first part of the name.
_TABLES = ("text_model.embeddings.token_embedding.weight", "embeddings.token_embedding.weight")
_WEIGHTS = ("model.safetensors", "model.fp16.safetensors")
_FORMS = {"F32": ("f", 4), "F16": ("e", 2), "F64": ("d", 8)}
_MAX_HEADER = 8 << 20


@dataclass(frozen=True, slots=True)
class Near:
    """A word of the vocabulary and the cosine between its vector and a learned one."""

    word: str
    cosine: float


@dataclass(frozen=True)
class VocabularyTable:
    """The token vectors of one text encoder, read from its file when they are needed.

    `norms` are the lengths of all rows, `words` the rows that are whole words with a vector of their own.
    """

    path: Path
    offset: int
    count: int
    width: int
    form: str
    norms: Sequence[float] = field(repr=False)
    words: Sequence[tuple[int, str]] = field(repr=False)

    @property
    def percentiles(self) -> tuple[float, float, float]:
        """Length of vectors that 1, 50 and 99 of 100 rows do not exceed; equal rows count once."""
        distinct = sorted(set(self.norms))
        last = len(distinct) - 1
        low, middle, high = (distinct[round(share * last)] for share in (0.01, 0.5, 0.99))
        return low, middle, high

    def nearest(self, rows: Sequence[Row], count: int = NEAREST) -> list[list[Near]]:
        """The words nearest to each of these vectors, by cosine."""
        lengths = [math.hypot(*row) for row in rows]
        best: list[list[tuple[float, str]]] = [[] for _ in rows]
        place = (self.offset, self.width, self.form)
        usable = [(number, word) for number, word in self.words if self.norms[number]]
        vectors = _rows(self.path, *place, [number for number, _ in usable])
        for (number, candidate), own in zip(usable, vectors, strict=True):
            for row, length, found in zip(rows, lengths, best, strict=True):
                distance = math.dist(row, own)
                product = 2 * length * self.norms[number]
                cosine = (length**2 + self.norms[number] ** 2 - distance**2) / product if product else 0.0
                if len(found) < count or cosine > found[-1][0]:
                    found.append((cosine, candidate))
                    found.sort(reverse=True)
                    del found[count:]
        return [[Near(word, round(cosine, 4)) for cosine, word in found] for found in best]


def rows_of(tensor: Tensor) -> list[Row]:
    """The vectors of an F32 tensor."""
    values, width = floats_of(tensor), tensor.width
    return [tuple(values[start : start + width]) for start in range(0, len(values), width)]


def cosine(one: Row, other: Row) -> float:
    """The cosine of the angle between two vectors; 0 where one has no length."""
    lengths = math.hypot(*one) * math.hypot(*other)
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / lengths if lengths else 0.0


def alike(rows: Sequence[Row], others: Sequence[Row]) -> list[float]:
    """For each vector the cosine of the one among the others that is most like it."""
    return [
        max((cosine(row, other) for other in others if len(other) == len(row)), default=0.0) for row in rows
    ]


def open_table(folder: Path, encoder: str) -> VocabularyTable | None:
    """The table of a base model's text encoder (`text_encoder`, `text_encoder_2`) in a diffusers folder.

    None where there is no CLIP encoder of that name, or its files are not as expected. One pass over the file.
    """
    path = next((folder / encoder / name for name in _WEIGHTS if (folder / encoder / name).is_file()), None)
    tokens = _tokens(folder / encoder.replace("text_encoder", "tokenizer"))
    if path is None or not tokens:
        return None
    place = _place(path)
    if place is None:
        return None
    offset, count, width, form = place
    norms = array("d", [math.hypot(*row) for row in _rows(path, offset, width, form, range(count))])
    shared = Counter(norms)
    words = [
        (number, token.removesuffix(WORD_END))
        for token, number in sorted(tokens.items(), key=lambda pair: pair[1])
        if number < count and shared[norms[number]] <= SHARED and _is_word(token)
    ]
    return VocabularyTable(path, offset, count, width, form, norms, words)


def _is_word(token: str) -> bool:
    """Whether a token is a whole word by itself; single letters and byte stand-ins are none."""
    word = token.removesuffix(WORD_END)
    return token.endswith(WORD_END) and len(word) > 1 and word.isascii() and word.isalpha()


def _rows(path: Path, offset: int, width: int, form: str, numbers: Iterable[int]) -> Iterator[Row]:
    """These rows of a table, one at a time, from a file that is mapped and not loaded."""
    code, size = _FORMS.get(form, ("H", 2))
    layout = struct.Struct(f"<{width}{code}")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        for number in numbers:
            row = layout.unpack_from(mapped, offset + number * width * size)
            if form == "BF16":  # the upper half of an F32
                row = struct.unpack(f"<{width}f", struct.pack(f"<{width}I", *[half << 16 for half in row]))
            yield row


def _place(path: Path) -> tuple[int, int, int, str] | None:
    """Where the table begins in a safetensors file, its rows, width and dtype."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, _MAX_HEADER)))
        entry = next(header[name] for name in _TABLES if name in header)
        count, width = entry["shape"]
        form, (begin, end) = str(entry["dtype"]), entry["data_offsets"]
        size = 2 if form == "BF16" else _FORMS[form][1]
    except (OSError, ValueError, KeyError, TypeError, StopIteration, struct.error):
        return None
    whole = end - begin == count * width * size and path.stat().st_size >= 8 + length + end
    return (8 + length + begin, count, width, form) if whole else None


def _tokens(folder: Path) -> dict[str, int]:
    """The vocabulary of a tokenizer: token to row."""
    for name, within in (("tokenizer.json", True), ("vocab.json", False)):
        try:
            said: Any = json.loads((folder / name).read_text("utf-8"))
            vocabulary = said["model"]["vocab"] if within else said
            return {str(token): int(number) for token, number in vocabulary.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return {}
