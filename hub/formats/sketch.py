"""A short fingerprint of a token vector, by which near copies of an embedding are found without reading it.

256 bits, each the side of one fixed plane on which the vector lies: the share of equal bits of two sketches says
how large the angle between the vectors is, whatever their lengths. Parts of the sketch (`bands`) are whole numbers,
so a database finds rows that may be alike by an index.
"""

import hashlib
import math
import struct
from collections.abc import Sequence
from functools import lru_cache

BITS = 256
BANDS = 6
BAND_BITS = 16
# How many vectors of an embedding are sketched: the first say enough, and a row in a table stays small.
MAX_ROWS = 8
_DIMENSIONS = 64


def sketch(row: Sequence[float]) -> int:
    """The sketch of one vector; the same for the vector times any positive number."""
    bits = 0
    for plus, minus in _planes(len(row)):
        above = sum([row[place] for place in plus]) > sum([row[place] for place in minus])
        bits = bits << 1 | above
    return bits


def bands(value: int) -> list[int]:
    """Numbers of which two sketches of like vectors most likely share one; each says which band it is."""
    mask = (1 << BAND_BITS) - 1
    return [band << BAND_BITS | (value >> band * BAND_BITS & mask) for band in range(BANDS)]


def likeness(one: int, other: int) -> float:
    """The cosine of the angle between two vectors, as their sketches tell it: within about 0.01 near 1."""
    return math.cos(math.pi * (one ^ other).bit_count() / BITS)


def to_hex(values: Sequence[int]) -> str:
    """Sketches as one line of text."""
    return "".join(f"{value:0{BITS // 4}x}" for value in values)


def from_hex(text: str) -> list[int]:
    """The sketches in such a line."""
    step = BITS // 4
    return [int(text[at : at + step], 16) for at in range(0, len(text), step)]


@lru_cache(maxsize=16)
def _planes(width: int) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """The places with plus and with minus of every plane: the same for ever, since sketches are stored."""
    stream = hashlib.shake_256(f"glossa sketch 1, width {width}".encode()).digest(BITS * _DIMENSIONS * 2)
    places = [number % width for number in struct.unpack(f"<{BITS * _DIMENSIONS}H", stream)]
    half = _DIMENSIONS // 2
    starts = range(0, len(places), _DIMENSIONS)
    return tuple(
        (tuple(places[at : at + half]), tuple(places[at + half : at + _DIMENSIONS])) for at in starts
    )
