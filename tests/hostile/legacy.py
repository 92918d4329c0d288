"""F4 and F1: the old container with parts that lie, are missing, or go on."""

import struct
from collections.abc import Iterator

from tests.hostile.assemble import (
    EMPTY_LIST,
    LEGACY_VERSION,
    NUMBERS,
    dictionary,
    items,
    legacy_file,
    legacy_storage,
    name,
    number,
    pickle,
    tensor,
    text,
    word,
)
from tests.hostile.sample import Hostile, hostile

_GOOD = legacy_file()
_PT = "moss-dragon.pt"


def _keys(*keys: bytes) -> bytes:
    return pickle(EMPTY_LIST + b"".join(key + b"a" for key in keys))


@hostile
def parts() -> Iterator[Hostile]:
    """F4: headers of another version or byte order, or that are something else."""
    for label, changes in {
        "version-1002": {"version": pickle(number(1002))},
        "version-text": {"version": pickle(text("1001"))},
        "version-none": {"version": pickle(b"N")},
        "system-empty": {"system": pickle(dictionary({}))},
        "system-list": {"system": pickle(EMPTY_LIST)},
        "system-big": {"system": pickle(dictionary({"little_endian": b"\x89"}))},
        "system-one": {"system": pickle(dictionary({"little_endian": number(1)}))},
        "keys-number": {"keys": pickle(number(0))},
        "keys-tuple": {"keys": pickle(items(text("0")))},
        "keys-of-numbers": {"keys": _keys(number(0))},
        "keys-none": {"keys": _keys()},
        "keys-twice": {
            "keys": _keys(text("0"), text("0")),
            "numbers": (struct.pack("<q", 256) + NUMBERS) * 2,
        },
        "keys-of-another": {"keys": _keys(text("1"))},
        "keys-of-one-more": {"keys": _keys(text("0"), text("1"))},
    }.items():
        yield Hostile(f"legacy-{label}", "F4", legacy_file(**changes), _GOOD, _PT)


@hostile
def numbers() -> Iterator[Hostile]:
    """F4, F1: raw storages that lie about their length, end early or go on."""
    for label, raw, rule in (
        ("count-smaller", struct.pack("<q", 255) + NUMBERS, "F4"),
        ("count-larger", struct.pack("<q", 257) + NUMBERS, "F4"),
        ("count-negative", struct.pack("<q", -1) + NUMBERS, "F4"),
        ("count-huge", struct.pack("<q", (1 << 63) - 1) + NUMBERS, "F4"),
        ("count-big-endian", struct.pack(">q", 256) + NUMBERS, "F4"),
        ("missing", b"", "F4"),
        ("cut-in-the-count", struct.pack("<q", 256)[:5], "F4"),
        ("cut-in-the-numbers", struct.pack("<q", 256) + NUMBERS[:-1], "F4"),
        ("byte-after", struct.pack("<q", 256) + NUMBERS + b"\0", "F1"),
        ("storage-after", (struct.pack("<q", 256) + NUMBERS) * 2, "F1"),
        ("pickle-after", struct.pack("<q", 256) + NUMBERS + b"\x80\x02N.", "F1"),
    ):
        yield Hostile(f"legacy-numbers-{label}", rule, legacy_file(numbers=raw), _GOOD, _PT)


@hostile
def references() -> Iterator[Hostile]:
    """F4: storages and modules referred to in ways that the old torch did not write."""
    module = items(
        text("module"), name("torch.nn.modules.container", "ParameterDict"), text("/home/me/x.py"), text("x")
    )
    for label, source in {
        "without-view": legacy_storage(tail=b""),
        "with-a-view": legacy_storage(tail=items(text("1"), number(0), number(256))),
        "with-two-tails": legacy_storage(tail=b"NN"),
        "count-huge": legacy_storage(count=number(1 << 40)),
        "key-of-letters": legacy_storage(key=text("cpu0")),
        "number": number(3) + b"Q",
        "module-as-storage": module[:-1] + number(0) + b"tQ",
    }.items():
        yield Hostile(f"legacy-reference-{label}", "F4", legacy_file(word(tensor(source=source))), _GOOD, _PT)
    other = items(text("module"), name("collections", "OrderedDict"), text("x.py"), text("class X")) + b"Q"
    data = legacy_file(pickle(other + b"0" + dictionary({"emb_params": tensor(source=legacy_storage())})))
    yield Hostile("legacy-reference-other-module", "F4", data, _GOOD, _PT)


@hostile
def order() -> Iterator[Hostile]:
    """F3, F4, F1: parts left out or in another order."""
    magic = _GOOD[: _GOOD.index(LEGACY_VERSION)]
    rest = _GOOD[len(magic) + len(LEGACY_VERSION) :]
    yield Hostile("legacy-without-version", "F3", magic + rest, _GOOD, _PT)
    yield Hostile("legacy-twice", "F1", _GOOD + _GOOD, _GOOD, _PT)
    yield Hostile("legacy-magic-alone", "F3", magic, _GOOD, _PT)
    yield Hostile(
        "legacy-other-magic", "F1", b"\x80\x02\x8a\x0a" + bytes(10) + b"." + LEGACY_VERSION + rest, _GOOD, _PT
    )
