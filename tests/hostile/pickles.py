"""F3: pickles with opcodes that no embedding needs, over the limits, or badly put together."""

import pickletools
import struct
from collections.abc import Iterator

from tests.hostile.assemble import (
    EMPTY_DICT,
    EMPTY_LIST,
    EMPTY_TUPLE,
    MARK,
    dictionary,
    items,
    legacy_file,
    number,
    pickle,
    tensor,
    text,
    torch_zip,
    word,
)
from tests.hostile.sample import Hostile, hostile

# Section 7.2 of the format notes: all that is read.
ALLOWED = frozenset(
    [
        "PROTO",
        "FRAME",
        "STOP",
        "MARK",
        "POP",
        "POP_MARK",
        "NONE",
        "NEWTRUE",
        "NEWFALSE",
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "BINFLOAT",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "SHORT_BINBYTES",
        "BINBYTES",
        "EMPTY_DICT",
        "DICT",
        "EMPTY_LIST",
        "LIST",
        "EMPTY_TUPLE",
        "TUPLE",
        "TUPLE1",
        "TUPLE2",
        "TUPLE3",
        "APPEND",
        "APPENDS",
        "SETITEM",
        "SETITEMS",
        "PUT",
        "BINPUT",
        "LONG_BINPUT",
        "MEMOIZE",
        "GET",
        "BINGET",
        "LONG_BINGET",
        "GLOBAL",
        "STACK_GLOBAL",
        "BINPERSID",
        "REDUCE",
        "NEWOBJ",
        "BUILD",
    ]
)
_CODES = {opcode.name: opcode.code.encode("latin-1") for opcode in pickletools.opcodes}
_KNOWN = {code[0] for code in _CODES.values()}
_GOOD = torch_zip()
_PT = "moss-dragon.pt"
_ARGUMENTS = {
    "INST": b"os\nsystem\n",
    "PERSID": b"0\n",
    "EXT1": b"\x01",
    "EXT2": b"\x01\x00",
    "EXT4": b"\x01\x00\x00\x00",
    "BYTEARRAY8": struct.pack("<Q", 2) + b"ab",
    "LONG": b"5L\n",
    "LONG4": struct.pack("<L", 1) + b"\x05",
    "FLOAT": b"0.5\n",
    "STRING": b"'ab'\n",
    "BINSTRING": struct.pack("<L", 2) + b"ab",
    "SHORT_BINSTRING": b"\x02ab",
    "BINUNICODE8": struct.pack("<Q", 2) + b"ab",
    "BINBYTES8": struct.pack("<Q", 2) + b"ab",
}


def _wrapped(body: bytes, *, protocol: int = 2) -> bytes:
    """An embedding before which something is built and dropped."""
    return torch_zip(pickle(body + b"0" + dictionary({"emb_params": tensor()}), protocol=protocol))


@hostile
def opcodes_outside_the_list() -> Iterator[Hostile]:
    """F3: every opcode of Python's that is not on the list, once each, with a fitting argument."""
    for label, code in _CODES.items():
        if label in ALLOWED:
            continue
        before = MARK + number(1) if label in ("INST", "OBJ", "FROZENSET", "ADDITEMS") else number(1) * 3
        yield Hostile(
            f"opcode-{label}", "F3", _wrapped(before + code + _ARGUMENTS.get(label, b"")), _GOOD, _PT
        )


@hostile
def bytes_that_are_no_opcode() -> Iterator[Hostile]:
    """F3: every byte that means nothing to Python."""
    for value in sorted(set(range(256)) - _KNOWN):
        yield Hostile(f"byte-{value:02x}", "F3", _wrapped(number(1) + bytes([value])), _GOOD, _PT)


@hostile
def beyond_the_limits() -> Iterator[Hostile]:
    """F3: more of anything than an embedding can have."""
    nested_lists = EMPTY_LIST * 101 + b"a" * 100
    nested_tuples = EMPTY_TUPLE + b"\x85" * 120
    nested_dicts = b"}" + (b"X\x01\x00\x00\x00a}") * 101 + b"s" * 101
    for label, body in {
        "opcodes": (b"N0" * 50_001) + number(1),
        "stack": b"N" * 1_001 + b"0" * 1_000,
        "stack-of-marks": MARK * 1_001 + b"1" * 1_000,
        "memo": b"".join(b"r" + struct.pack("<L", at) for at in range(10_001)),
        "memo-by-memoize": b"\x94" * 10_001,
        "memo-far-away": b"r\xff\xff\xff\xff",
        "memo-far-away-in-text": b"p4294967295\n",
        "memo-of-many-digits": b"p" + b"9" * 5_000 + b"\n",
        "number-of-17-bytes": b"0\x8a\x11" + b"\x01" * 17,
        "number-of-255-bytes": b"0\x8a\xff" + b"\x7f" * 255,
        "number-of-many-digits": b"0I" + b"9" * 100_000 + b"\n",
        "text-of-a-mebibyte": b"0" + text("x" * ((1 << 20) + 1)),
        "line-of-a-mebibyte": b"0V" + b"x" * ((1 << 20) + 1) + b"\n",
        "bytes-of-a-mebibyte": b"0B" + struct.pack("<L", (1 << 20) + 1) + bytes((1 << 20) + 1),
        "text-longer-than-the-file": b"0X\xff\xff\xff\x7f",
        "bytes-longer-than-the-file": b"0B\xff\xff\xff\x7f",
    }.items():
        yield Hostile(f"limit-{label}", "F3", _wrapped(b"N" + body), _GOOD, _PT)
    for label, body in {"lists": nested_lists, "tuples": nested_tuples, "dicts": nested_dicts}.items():
        data = torch_zip(pickle(dictionary([("emb_params", tensor()), ("deep", body)])))
        yield Hostile(f"limit-nesting-of-{label}", "F3", data, _GOOD, _PT)


@hostile
def things_that_contain_themselves() -> Iterator[Hostile]:
    """F3: cycles, which a walker would follow for ever."""
    for label, body in {
        "list": b"]q\x07h\x07a",
        "dict": b"}q\x07X\x01\x00\x00\x00ah\x07s",
        "tuple-in-a-list": b"]q\x07h\x07\x85a",
        "dict-in-a-list": b"]q\x07}X\x01\x00\x00\x00ah\x07sa",
    }.items():
        data = torch_zip(pickle(dictionary([("emb_params", tensor()), ("round", body)])))
        yield Hostile(f"cycle-{label}", "F3", data, _GOOD, _PT)


@hostile
def badly_put_together() -> Iterator[Hostile]:
    """F3: pickles that no writer makes."""
    body = dictionary({"emb_params": tensor()})
    for label, data in {
        "nothing": b"",
        "stop-alone": b".",
        "no-value": b"\x80\x02.",
        "no-stop": b"\x80\x02" + body,
        "two-values": b"\x80\x02" + number(1) + body + b".",
        "mark-left": b"\x80\x02" + MARK + body + b".",
        "bytes-after-stop": b"\x80\x02" + body + b".\n",
        "second-pickle": pickle(body) + pickle(number(1)),
        "protocol-6": b"\x80\x06" + body + b".",
        "protocol-255": b"\x80\xff" + body + b".",
        "protocol-twice": b"\x80\x02\x80\x02" + body + b".",
        "protocol-in-the-middle": b"\x80\x02" + b"N\x80\x020" + body + b".",
        "pop-of-nothing": b"\x80\x020" + body + b".",
        "pop-mark-without-mark": b"\x80\x021" + body + b".",
        "tuple-without-mark": b"\x80\x02t" + body + b".",
        "tuple3-of-two": b"\x80\x02NN\x870" + body + b".",
        "setitems-without-mark": b"\x80\x02}u0" + body + b".",
        "setitems-odd": b"\x80\x02}(X\x01\x00\x00\x00au0" + body + b".",
        "setitem-under-mark": b"\x80\x02}(X\x01\x00\x00\x00aNs10" + body + b".",
        "key-number": b"\x80\x02" + EMPTY_DICT + number(1) + tensor() + b"s.",
        "key-nothing": b"\x80\x02" + EMPTY_DICT + b"N" + tensor() + b"s.",
        "key-tuple": b"\x80\x02" + EMPTY_DICT + items(number(1)) + tensor() + b"s.",
        "key-list": b"\x80\x02" + EMPTY_DICT + b"]" + tensor() + b"s.",
        "key-bytes": b"\x80\x02" + EMPTY_DICT + b"C\x01a" + tensor() + b"s.",
        "key-twice": pickle(dictionary([("emb_params", tensor()), ("emb_params", tensor())])),
        "get-of-nothing": b"\x80\x02h\x090" + body + b".",
        "get-by-line-of-nothing": b"\x80\x02g9\n0" + body + b".",
        "get-of-minus-one": b"\x80\x02Np-1\ng-1\n00" + body + b".",
        "put-of-nothing": b"\x80\x02q\x01" + body + b".",
        "int-of-letters": b"\x80\x02Iabc\n0" + body + b".",
        "int-with-underscore": b"\x80\x02I1_0\n0" + body + b".",
        "int-of-other-digits": b"\x80\x02I\xd9\xa3\n0" + body + b".",
        "line-without-end": b"\x80\x02V" + b"x" * 40,
        "name-of-one-line": b"\x80\x02ctorch\n",
        "text-not-utf-8": b"\x80\x02X\x02\x00\x00\x00\xff\xfe0" + body + b".",
        "escapes-broken": b"\x80\x02V\\u12\n0" + body + b".",
        "name-of-numbers": b"\x80\x04" + number(1) + number(2) + b"\x930" + body + b".",
        "frame-over-the-end": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + body + b".",
        "frame-short-of-an-opcode": b"\x80\x04\x95" + struct.pack("<Q", 3) + text("abc") + b"0" + body + b".",
        "frame-in-a-frame": b"\x80\x04\x95"
        + struct.pack("<Q", len(body) + 10)
        + b"\x95"
        + struct.pack("<Q", len(body) + 1)
        + body
        + b".",
        "frame-longer-than-the-pickle": b"\x80\x04\x95"
        + struct.pack("<Q", len(body) + 9)
        + body
        + b"."
        + b"\0" * 8,
    }.items():
        yield Hostile(f"pickle-{label}", "F3", torch_zip(data), _GOOD, _PT)


@hostile
def data_that_multiply() -> Iterator[Hostile]:
    """U6: a few hundred bytes that stand for more things than there are atoms, and long work for few bytes."""
    layer = b"}(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00uq\x000"
    leaf = {"nothing": b"}q\x000", "text": text("x") + b"q\x000", "list": b"]q\x000"}
    for label, bottom in leaf.items():
        laughing = bottom + layer * 60
        data = torch_zip(pickle(laughing + dictionary([("emb_params", tensor()), ("ha", b"h\x00")])))
        yield Hostile(f"multiply-dicts-of-{label}", "U6", data, _GOOD, _PT)
    lists = b"]q\x000" + b"](h\x00h\x00eq\x000" * 60
    data = torch_zip(pickle(lists + dictionary([("emb_params", tensor()), ("ha", b"h\x00")])))
    yield Hostile("multiply-lists", "U6", data, _GOOD, _PT)


@hostile
def opcodes_in_legacy_files() -> Iterator[Hostile]:
    """F3: the same reader, with the same rules, in each part of a legacy file."""
    good = legacy_file()
    bad = b"\x80\x02" + MARK + b"ios\nsystem\n."
    for part in ("version", "system", "content", "keys"):
        yield Hostile(f"legacy-inst-in-{part}", "F3", legacy_file(**{part: bad}), good, _PT)
    unframed = b"\x80\x04\x95" + struct.pack("<Q", 1 << 20) + EMPTY_DICT + b"."
    yield Hostile("legacy-frame-over-the-end", "F3", legacy_file(unframed), good, _PT)


@hostile
def protocols() -> Iterator[Hostile]:
    """F3: the newest protocol's buffers outside the pickle."""
    for label, code in {
        "next-buffer": b"\x97",
        "read-only": b"N\x98",
        "bytearray": b"\x96" + struct.pack("<Q", 1 << 62),
    }.items():
        yield Hostile(
            f"out-of-band-{label}", "F3", torch_zip(pickle(code, protocol=5)), torch_zip(word()), _PT
        )
