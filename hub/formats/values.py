"""Numbers: widening to F32 without loss and back, and the rules that the values themselves must obey (F7)."""

import math
import struct
import sys
from array import array
from collections.abc import Iterable
from operator import mul
from typing import TypeAlias

from hub.formats.data import Tensor
from hub.formats.errors import FormatError
from hub.formats.limits import MAX_ABSOLUTE_VALUE, MAX_STD, MIN_STD

ITEM_SIZE = {"F16": 2, "BF16": 2, "F32": 4, "F64": 8}
# array is generic to the type checker only, before Python 3.12
Floats: TypeAlias = "array[float]"
# So few that the numbers stay where the last ones were: fresh memory costs a child more than counting does.
_CHUNK = 1 << 9
_SMALLEST_NORMAL = 1.1754943508222875e-38


def _kind(highest: int) -> str:
    """What the highest byte of an F32 says of the number: `+`, `-` from 2**-13 to 2**9, or how it lies outside."""
    magnitude = highest & 0x7F
    if magnitude == 0:
        return "0"  # zero, denormal, or next to it
    if magnitude < 0x39:
        return "s"
    return "l" if magnitude > 0x43 else "-" if highest & 0x80 else "+"


_KINDS = "".join(map(_kind, range(256))).encode()


def floats_of(tensor: Tensor) -> Floats:
    """The values of an F32 tensor."""
    values = array("f")
    values.frombytes(tensor.data)
    return _native(values)


def packed_floats(numbers: Iterable[float]) -> bytes:
    """These numbers as F32, little-endian; what is too large for it becomes infinity."""
    return _native(array("f", numbers)).tobytes()


def widen(dtype: str, data: bytes) -> bytes:
    """The same numbers as F32, little-endian. Exact from F16 and BF16; F64 is rounded."""
    if dtype == "F32":
        return data
    if dtype == "BF16":  # the upper half of an F32
        wide = bytearray(2 * len(data))
        wide[2::4], wide[3::4] = data[0::2], data[1::2]
        return bytes(wide)
    code, size = ("e", 2) if dtype == "F16" else ("d", 8)
    out = bytearray()
    for start in range(0, len(data), _CHUNK * size):
        part = data[start : start + _CHUNK * size]
        out += _native(array("f", struct.unpack(f"<{len(part) // size}{code}", part))).tobytes()
    return bytes(out)


def narrow(dtype: str, data: bytes) -> bytes:
    """F32 bytes back in the dtype they were widened from; the inverse of `widen` for F16, BF16 and F32."""
    if dtype == "F32":
        return data
    if dtype == "BF16":
        half = bytearray(len(data) // 2)
        half[0::2], half[1::2] = data[2::4], data[3::4]
        return bytes(half)
    values = array("f")
    values.frombytes(data)
    return struct.pack(f"<{len(values)}{'e' if dtype == 'F16' else 'd'}", *_native(values))


def check_values(name: str, tensor: Tensor) -> list[str]:
    """Warnings about the rows of an F32 tensor; FormatError (F7) when its numbers are no embedding's."""
    if _is_ordinary(tensor):
        return []
    values, width = floats_of(tensor), tensor.width
    squares = sum(map(mul, values, values))  # finite if and only if every value is
    if not math.isfinite(squares):
        raise _refusal(name, "holds NaN or infinity")
    largest = max(abs(min(values)), abs(max(values)))
    if largest == 0.0:
        raise _refusal(name, "is all zero")
    if largest >= MAX_ABSOLUTE_VALUE:
        raise _refusal(name, f"holds {largest:.6g}, which half precision cannot", largest=largest)
    if _mostly_denormal(tensor.data, values):
        raise _refusal(name, "consists mostly of denormal numbers")
    mean = sum(values) / len(values)
    std = math.sqrt(max(0.0, squares / len(values) - mean * mean))
    if not MIN_STD <= std <= MAX_STD:
        raise _refusal(
            name,
            f"has a standard deviation of {std:.3g}, outside {MIN_STD:g} to {MAX_STD:g}",
            std=std,
        )
    zero = [
        start // width + 1 for start in range(0, len(values), width) if not any(values[start : start + width])
    ]
    if not zero:
        return []
    return [f"{name}: vector {', '.join(map(str, zero[:5]))} is all zero and has no effect."]


def _is_ordinary(tensor: Tensor) -> bool:
    """Whether the highest bytes alone show that no rule and no warning applies; tensors of embeddings are like that.

    All numbers are below 2**9, so their deviation is too. At least a quarter each is over 2**-13 and under -2**-13:
    wherever the mean lies, the quarter on its other side makes a deviation over 2**-14. No row begins with a zero.
    """
    kinds = tensor.data[3::4].translate(_KINDS)
    enough = len(kinds) / 4
    return (
        b"l" not in kinds
        and kinds.count(b"+") >= enough
        and kinds.count(b"-") >= enough
        and b"0" not in kinds[:: tensor.width]
    )


def row_norms(tensor: Tensor) -> list[float]:
    """Euclidean length of each vector. Shown to people, never used to judge."""
    values, width = floats_of(tensor), tensor.width
    rows = (values[start : start + width] for start in range(0, len(values), width))
    return [math.sqrt(sum(map(mul, row, row))) for row in rows]


def _mostly_denormal(data: bytes, values: Floats) -> bool:
    """Whether over half of the values are denormal. The highest byte of each rules that out for most tensors."""
    highest = data[3::4]
    if 2 * (highest.count(0x00) + highest.count(0x80)) <= len(values):
        return False
    return 2 * sum(1 for value in values if value and abs(value) < _SMALLEST_NORMAL) > len(values)


def _native(values: Floats) -> Floats:
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _refusal(name: str, what: str, **detail: object) -> FormatError:
    return FormatError(
        "invalid_embedding",
        f"The tensor {name} {what}.",
        rule="F7",
        detail={"tensor": name, **detail},
    )
