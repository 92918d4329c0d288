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
_CHUNK = 1 << 16
_SMALLEST_NORMAL = 1.1754943508222875e-38


def floats_of(tensor: Tensor) -> Floats:
    """The values of an F32 tensor."""
    values = array("f")
    values.frombytes(tensor.data)
    return _native(values)


def tensor_of(values: Floats, shape: tuple[int, ...]) -> Tensor:
    """An F32 tensor of these values."""
    return Tensor("F32", shape, _native(array("f", values)).tobytes())


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
    values = floats_of(tensor)
    if not all(map(math.isfinite, values)):
        raise _refusal(name, "holds NaN or infinity")
    largest = max(map(abs, values))
    if largest == 0.0:
        raise _refusal(name, "is all zero")
    if largest >= MAX_ABSOLUTE_VALUE:
        raise _refusal(name, f"holds {largest:.6g}, which half precision cannot", largest=largest)
    subnormal = sum(1 for value in values if value and -_SMALLEST_NORMAL < value < _SMALLEST_NORMAL)
    if subnormal * 2 > len(values):
        raise _refusal(name, "consists mostly of denormal numbers", subnormal=subnormal)
    std = _std(values)
    if not MIN_STD <= std <= MAX_STD:
        raise _refusal(
            name,
            f"has a standard deviation of {std:.3g}, outside {MIN_STD:g} to {MAX_STD:g}",
            std=std,
        )
    zero = [row for row, norm in enumerate(row_norms(tensor)) if norm == 0.0]
    if not zero:
        return []
    return [f"{name}: vector {', '.join(str(row + 1) for row in zero[:5])} is all zero and has no effect."]


def row_norms(tensor: Tensor) -> list[float]:
    """Euclidean length of each vector. Shown to people, never used to judge."""
    values, width = floats_of(tensor), tensor.width
    rows = (values[start : start + width] for start in range(0, len(values), width))
    return [math.sqrt(sum(map(mul, row, row))) for row in rows]


def _std(values: Floats) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(max(0.0, sum(map(mul, values, values)) / len(values) - mean * mean))


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
