"""The pickle reader: every opcode of its list does what it should, its limits hold at their very edge, and it runs
nothing. (What it refuses, file by file, is in tests/hostile.)
"""

import io
import pickle
import sys
from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_MEMO, MAX_OPCODES, MAX_STACK, MAX_STRING_BYTES
from hub.formats.rebuild import ALLOWED_NAMES, Global
from hub.formats.unpickle import unpickle

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 126), 1 << 126),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.binary(max_size=300),
)
data = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.text(max_size=20), inner, max_size=4),
    ),
    max_leaves=20,
)


def refused(raw: bytes) -> FormatError:
    with pytest.raises(FormatError) as refusal:
        unpickle(raw)
    assert refusal.value.rule == "F3"
    return refusal.value


@settings(deadline=None)
@given(value=data, protocol=st.sampled_from([3, 4, 5]))
def test_plain_data_of_newer_protocols_is_read_as_python_reads_it(value: object, protocol: int) -> None:
    assert unpickle(pickle.dumps(value, protocol=protocol)).value == value


@settings(deadline=None)
@given(
    value=st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(-(1 << 126), 1 << 126),
            st.floats(allow_nan=False),
            st.text(),
        ),
        lambda inner: st.one_of(st.lists(inner), st.tuples(inner, inner), st.dictionaries(st.text(), inner)),
        max_leaves=20,
    )
)
def test_plain_data_of_protocol_2_is_read_as_python_reads_it(value: object) -> None:
    assert unpickle(pickle.dumps(value, protocol=2)).value == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"I12\n.", 12),
        (b"I00\n.", False),
        (b"I01\n.", True),
        (b"I-5\n.", -5),
        (b"Vmoss\\u00e9\n.", "mossé"),
        (b"(I1\nI2\nt.", (1, 2)),
        (b"(I1\nI2\nl.", [1, 2]),
        (b"(Va\nI1\nd.", {"a": 1}),
        (b"]p0\ng0\n0.", []),
        (b"(NNN1N.", None),
        (b"I7\n(0.", 7),
        (b"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x05.", 5),
        (b"K\x05r\xff\x00\x00\x000j\xff\x00\x00\x00.", 5),
    ],
)
def test_old_opcodes_mean_what_they_always_meant(raw: bytes, value: object) -> None:
    assert unpickle(raw).value == value


def test_a_name_of_the_list_is_a_record_and_never_the_thing() -> None:
    read = unpickle(b"ccollections\nOrderedDict\n.")
    assert read.value == Global("collections OrderedDict")
    assert read.names == ("collections OrderedDict",)
    assert unpickle(pickle.dumps(OrderedDict(), protocol=2)).value == {}


def test_no_name_that_python_knows_is_read_but_those_of_the_list() -> None:
    known = {name.split()[0] for name in ALLOWED_NAMES}
    for module in sorted(set(sys.stdlib_module_names) - known):
        for name in ("system", "eval", "run", "OrderedDict", "set", "FloatStorage", "_rebuild_tensor_v2"):
            refused(f"c{module}\n{name}\n.".encode())


@pytest.mark.parametrize(
    "name",
    [
        "collections OrderedDict.fromkeys",
        "collections  OrderedDict",
        "collections OrderedDict ",
        "Collections OrderedDict",
        "torch._utils _rebuild_tensor_v3",
        "torch storage.FloatStorage",
        "torch.nn.modules.container ParameterList",
        "builtins getattr",
    ],
)
def test_a_name_has_to_be_the_very_one(name: str) -> None:
    module, _, attribute = name.partition(" ")
    assert "names" in refused(f"c{module}\n{attribute}\n.".encode()).message
    stacked = b"".join(b"\x8c" + bytes([len(part)]) + part.encode() for part in (module, attribute))
    refused(b"\x80\x04" + stacked + b"\x93.")


def test_limits_hold_at_their_edge() -> None:
    unpickle(b"(" + b"N" * (MAX_STACK - 1) + b"l.")
    assert "stack" in refused(b"(" + b"N" * MAX_STACK + b"l.").message
    assert "stack" in refused(b"(" * (MAX_STACK + 1) + b".").message
    unpickle(b"N0" * (MAX_OPCODES // 2 - 1) + b"N.")
    assert "opcodes" in refused(b"N0" * (MAX_OPCODES // 2) + b"N.").message
    text = b"X" + MAX_STRING_BYTES.to_bytes(4, "little") + b"a" * MAX_STRING_BYTES
    unpickle(text + b".")
    assert "string" in refused(b"X" + (MAX_STRING_BYTES + 1).to_bytes(4, "little") + text[5:] + b"a.").message
    unpickle(b"Nr" + (MAX_MEMO - 1).to_bytes(4, "little") + b".")
    assert "remembers" in refused(b"Nr" + MAX_MEMO.to_bytes(4, "little") + b".").message
    unpickle(b"\x8a\x10" + b"\xff" * 16 + b".")
    assert "number of 17 bytes" in refused(b"\x8a\x11" + b"\xff" * 17 + b".").message
    assert "128 bits" in refused(b"I" + b"9" * 39 + b"\n.").message


def test_refusal_says_where_and_what() -> None:
    error = refused(b"\x80\x02}X\x01\x00\x00\x00acos\nsystem\n.")
    assert error.message == "The pickle names os.system, which no embedding needs (byte 9)."
    assert error.detail == {"at": 9, "name": "os.system"}


@settings(deadline=None, max_examples=300)
@given(raw=st.binary(max_size=200))
def test_any_bytes_are_data_or_a_refusal_and_nothing_is_imported(raw: bytes) -> None:
    before = set(sys.modules)
    try:
        unpickle(raw)
    except FormatError as error:
        assert error.rule == "F3"
    assert set(sys.modules) == before


class _Calls:
    """Pickles to a call."""

    def __reduce__(self) -> Any:
        return print, ("it ran",)


def test_a_call_is_refused_and_does_not_happen(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.BytesIO()
    pickle.dump({"a": _Calls()}, out, protocol=2)
    refused(out.getvalue())
    assert capsys.readouterr().out == ""
