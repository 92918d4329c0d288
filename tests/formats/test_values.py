"""Rules about numbers: the quick look at their highest bytes never says anything else than the full sum."""

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.formats import FormatError, Tensor
from hub.formats import values as rules
from hub.formats.values import check_values, packed_floats, widen

WIDTH = 16


def tensor(numbers: list[float]) -> Tensor:
    return Tensor("F32", (len(numbers) // WIDTH, WIDTH), packed_floats(numbers))


def said(numbers: Tensor) -> object:
    """The warnings, or the refusal in words."""
    try:
        return check_values("emb_params", numbers)
    except FormatError as error:
        return error.message


def said_by_the_full_sum(numbers: Tensor, monkeypatch: pytest.MonkeyPatch) -> object:
    with monkeypatch.context() as patch:
        patch.setattr(rules, "_is_ordinary", lambda _tensor: False)
        return said(numbers)


def test_numbers_of_an_embedding_are_ordinary() -> None:
    source = random.Random(1)
    for deviation in (0.005, 0.02, 1.0, 30.0):
        assert rules._is_ordinary(tensor([source.gauss(0, deviation) for _ in range(64 * WIDTH)]))


@pytest.mark.parametrize(
    "odd", [0.0, -0.0, 1e-40, 1e-9, 511.9, 512.0, 6e4, 7e4, 1e38, float("inf"), float("-inf"), float("nan")]
)
@pytest.mark.parametrize("share", ["one", "row", "quarter", "half", "most", "all"])
def test_quick_look_and_full_sum_agree(odd: float, share: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = random.Random(2)
    numbers = [source.gauss(0, 0.02) for _ in range(8 * WIDTH)]
    count = {"one": 1, "row": WIDTH, "quarter": 32, "half": 64, "most": 8 * WIDTH - 2, "all": 8 * WIDTH}[
        share
    ]
    numbers[3 * WIDTH : 3 * WIDTH + count] = [odd] * count
    numbers = numbers[: 8 * WIDTH]
    assert said(tensor(numbers)) == said_by_the_full_sum(tensor(numbers), monkeypatch)


@given(st.lists(st.floats(width=32), min_size=WIDTH, max_size=WIDTH), st.integers(0, 3))
def test_quick_look_and_full_sum_agree_on_any_numbers(few: list[float], copies: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        numbers = tensor([sign * number for sign in (1, -1) * (copies + 1) for number in few])
        assert said(numbers) == said_by_the_full_sum(numbers, patch)


def test_all_half_precision_numbers_are_widened_exactly() -> None:
    import numpy

    halves = numpy.arange(1 << 16, dtype="<u2").view("<f2")
    wide = numpy.frombuffer(widen("F16", halves.tobytes()), "<f4")
    assert numpy.array_equal(wide, halves.astype("<f4"), equal_nan=True)


@pytest.mark.parametrize("dtype", ["F16", "F64"])
def test_widening_goes_on_past_its_first_piece(dtype: str) -> None:
    count = 3 * rules._CHUNK + 5
    numbers = array("f", [(number % 1024) / 1024 for number in range(count)])
    assert widen(dtype, rules.narrow(dtype, numbers.tobytes())) == numbers.tobytes()
