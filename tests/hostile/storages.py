"""F4: storages that lie about their size, and tensors that reach out of them or over each other."""

from collections.abc import Iterator

from tests.hostile.assemble import (
    EMPTY_TUPLE,
    NUMBERS,
    Member,
    dictionary,
    items,
    members,
    name,
    number,
    pickle,
    sizes,
    storage,
    tensor,
    text,
    torch_zip,
    word,
    zip_file,
)
from tests.hostile.sample import Hostile, hostile

_GOOD = torch_zip()
_PT = "moss-dragon.pt"


@hostile
def references() -> Iterator[Hostile]:
    """F4: references to storages that torch does not write."""
    for label, changes in {
        "kind-module": {"kind": text("module")},
        "kind-number": {"kind": number(1)},
        "class-text": {"cls": text("FloatStorage")},
        "class-function": {"cls": name("torch._utils", "_rebuild_tensor_v2")},
        "class-ordered": {"cls": name("collections", "OrderedDict")},
        "key-empty": {"key": text("")},
        "key-letters": {"key": text("abc")},
        "key-path": {"key": text("../data.pkl")},
        "key-minus": {"key": text("-1")},
        "key-other-digits": {"key": text("\u0663")},
        "key-newline": {"key": text("0\n")},
        "key-long": {"key": text("0" * 1000)},
        "key-number": {"key": number(0)},
        "location-number": {"location": number(0)},
        "count-text": {"count": text("256")},
        "count-true": {"count": b"\x88"},
        "count-negative": {"count": number(-256)},
        "count-huge": {"count": number(1 << 62)},
        "count-of-128-bits": {"count": number(1 << 126)},
        "count-just-over": {"count": number(4_000_001)},
        "count-fraction": {"count": b"G\x40\x70\x00\x00\x00\x00\x00\x00"},
        "tail": {"tail": number(1)},
        "tail-view": {"tail": items(text("0"), number(0), number(1))},
    }.items():
        data = torch_zip(word(tensor(source=storage(**changes))))
        yield Hostile(f"storage-{label}", "F4", data, _GOOD, _PT)


@hostile
def lies_about_size() -> Iterator[Hostile]:
    """F4: a storage whose record is shorter or longer than said, or is not there."""
    for label, count in {"shorter": 255, "longer": 257, "gigabytes": 3_999_999, "none": 0}.items():
        value = tensor(
            source=storage(count=number(count)), shape=sizes(1, min(count, 128)), strides=sizes(128, 1)
        )
        yield Hostile(f"size-{label}", "F4", torch_zip(word(value)), _GOOD, _PT)
    for label, data in {
        "record-of-four-bytes": torch_zip(
            word(tensor(source=storage(count=number(3_000_000)))), {"0": bytes(4)}
        ),
        "record-empty": torch_zip(None, {"0": b""}),
        "record-with-a-byte-more": torch_zip(None, {"0": NUMBERS + b"\0"}),
        "record-with-a-byte-less": torch_zip(None, {"0": NUMBERS[:-1]}),
        "record-missing": torch_zip(None, {}),
        "record-of-another-key": torch_zip(None, {"1": NUMBERS}),
        "record-without-a-tensor": torch_zip(None, {"0": NUMBERS, "1": NUMBERS}),
        "wrong-type": torch_zip(word(tensor(source=storage(cls=name("torch", "DoubleStorage"))))),
        "half-type": torch_zip(word(tensor(source=storage(cls=name("torch", "HalfStorage"))))),
    }.items():
        yield Hostile(f"size-{label}", "F4", data, _GOOD, _PT)


@hostile
def geometry() -> Iterator[Hostile]:
    """F4: views that are expanded, transposed, out of range, or no sizes at all."""
    for label, changes in {
        "expanded": {"strides": sizes(0, 1)},
        "expanded-to-gigabytes": {"shape": sizes(1 << 30, 1), "strides": sizes(0, 0)},
        "expanded-both": {"strides": sizes(0, 0)},
        "transposed": {"shape": sizes(128, 2), "strides": sizes(1, 128)},
        "overlapping-rows": {"strides": sizes(1, 1)},
        "rows-apart": {"shape": sizes(2, 64), "strides": sizes(128, 1)},
        "stride-negative": {"strides": sizes(-128, -1)},
        "stride-huge": {"strides": sizes(1 << 62, 1)},
        "offset-over": {"offset": number(1)},
        "offset-negative": {"offset": number(-1)},
        "offset-huge": {"offset": number(1 << 62)},
        "offset-wraps": {"offset": number((1 << 64) - 128)},
        "offset-text": {"offset": text("0")},
        "offset-true": {"offset": b"\x88"},
        "shape-over": {"shape": sizes(3, 128)},
        "shape-negative": {"shape": sizes(-2, -128)},
        "shape-huge": {"shape": sizes(1 << 40, 1 << 40)},
        "shape-wraps": {"shape": sizes(1 << 32, 1 << 32), "strides": sizes(1 << 32, 1)},
        "shape-text": {"shape": text("2,128")},
        "shape-list": {"shape": b"]" + number(2) + b"a"},
        "shape-of-texts": {"shape": items(text("2"), text("128"))},
        "shape-of-true": {"shape": items(b"\x88", number(128))},
        "shape-and-strides-differ": {"strides": sizes(1)},
        "shape-of-nine": {"shape": sizes(*[1] * 7, 2, 128), "strides": sizes(*[1] * 7, 128, 1)},
        "shape-of-three": {"shape": sizes(1, 2, 128), "strides": sizes(256, 128, 1)},
        "scalar": {"shape": EMPTY_TUPLE, "strides": EMPTY_TUPLE},
    }.items():
        yield Hostile(f"geometry-{label}", "F4", torch_zip(word(tensor(**changes))), _GOOD, _PT)


@hostile
def shared_numbers() -> Iterator[Hostile]:
    """F4: distinct tensors that are made of the same numbers, and storages that are two things."""
    half = {"shape": sizes(1, 128)}
    pair = {"one": tensor(**half), "two": tensor(**half, offset=number(128))}
    good = torch_zip(pickle(dictionary({"emb_params": tensor()})))
    for label, entries in {
        "same": {"one": tensor(**half), "two": tensor(**half)},
        "by-one": {"one": tensor(**half), "two": tensor(**half, offset=number(127))},
        "inside": {"one": tensor(), "two": tensor(**half, offset=number(64))},
        "two-lengths": {"one": tensor(**half), "two": tensor(source=storage(count=number(128)), **half)},
        "two-types": {**pair, "two": tensor(source=storage(cls=name("torch", "LongStorage")), **half)},
    }.items():
        yield Hostile(f"shared-{label}", "F4", torch_zip(pickle(dictionary(entries))), good, _PT)


@hostile
def too_many() -> Iterator[Hostile]:
    """F4: storages that are small one by one."""
    wide = {f"k{at}": tensor(source=storage(key=text(str(at)), count=number(3_000_000))) for at in range(2)}
    yield Hostile(
        "many-numbers-in-two", "F4", torch_zip(pickle(dictionary(wide)), {"0": b"", "1": b""}), _GOOD, _PT
    )
    row = storage(key=text("{}"), count=number(1))
    start, _, end = row.partition(text("{}"))
    thousands = b"".join(start + text(f"{at:05}") + end + b"0" for at in range(6_000))
    data = torch_zip(pickle(thousands + dictionary({"emb_params": tensor()})))
    yield Hostile("many-storages", "F4", data, _GOOD, _PT)


@hostile
def byte_order() -> Iterator[Hostile]:
    """F4: numbers of the other byte order, or of none."""
    for label, said in {"big": b"big", "nonsense": b"middle", "padded": b"little "}.items():
        parts = members() | {"byteorder": Member(b"archive/byteorder", said)}
        fine = members() | {"byteorder": Member(b"archive/byteorder", b"little")}
        yield Hostile(f"byte-order-{label}", "F4", zip_file(parts.values()), zip_file(fine.values()), _PT)
