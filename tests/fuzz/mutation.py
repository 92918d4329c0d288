"""A small mutational fuzzer: no coverage, no dependency, the same inputs for the same seed."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.fuzz.targets import Target, run

_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
_WORDS = (
    *(
        b"PK\x03\x04",
        b"PK\x01\x02",
        b"PK\x05\x06",
        b"PK\x07\x08",
        b"data.pkl",
        b"IDAT",
        b"tEXt",
        b"IEND",
        b"VP8X",
    ),
    *(
        b"torch\nFloatStorage\n",
        b"cos\nsystem\n",
        b"storage",
        b"emb_params",
        b'"dtype"',
        b"data_offsets",
        b"NaN",
    ),
    *(b"(", b"t", b"R", b"}", b"]", b"u", b"\x93", b"\x95", b"Q", b"."),
)
SLOW_SECONDS = 2.0


@dataclass
class Tally:
    """What a run over one target came to."""

    executions: int = 0
    slowest: float = 0.0
    findings: list[tuple[bytes, str]] = field(default_factory=list)


def mutated(source: random.Random, seeds: Sequence[bytes], data: bytes) -> bytes:
    """These bytes with one to eight changes of the kinds that break parsers."""
    changed = bytearray(data)
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(changed) + 1)
        kind = source.randrange(8)
        if kind == 0 and changed:
            changed[at - 1] ^= 1 << source.randrange(8)
        elif kind == 1 and changed:
            changed[at - 1] = source.randrange(256)
        elif kind == 2:
            del changed[at : at + source.choice((1, 2, 4, 16, 256))]
        elif kind == 3:
            changed[at:at] = changed[at : at + source.choice((1, 4, 16, 64))]
        elif kind == 4:
            width = source.choice((1, 2, 4, 8))
            number = source.choice(_NUMBERS) & ((1 << 8 * width) - 1)
            changed[at : at + width] = number.to_bytes(width, source.choice(("little", "big")))
        elif kind == 5:
            changed[at:at] = source.choice(_WORDS)
        elif kind == 6:
            other = source.choice(seeds)
            start = source.randrange(len(other) + 1)
            changed[at:] = other[start:]
        else:
            del changed[at:]
    return bytes(changed[:65_536])


def inputs(source: random.Random, seeds: Sequence[bytes]) -> Iterator[bytes]:
    """Endless inputs, each made from a seed."""
    while True:
        yield mutated(source, seeds, source.choice(seeds))


def fuzz(target: Target, seeds: Sequence[bytes], *, seconds: float, seed: int) -> Tally:
    """Run a target for so long; slow executions and everything but a refusal are findings."""
    tally, end = Tally(), time.process_time() + seconds
    for data in inputs(random.Random(seed), seeds):
        before = time.process_time()
        try:
            run(target, data)
        except Exception as error:
            tally.findings.append((data, f"{type(error).__name__}: {error}"[:300]))
        took = time.process_time() - before
        if took > SLOW_SECONDS:
            tally.findings.append((data, f"slow: {took:.1f} s"))
        tally.slowest = max(tally.slowest, took)
        tally.executions += 1
        if before > end or len(tally.findings) > 10:
            return tally
    return tally
