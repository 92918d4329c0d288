"""F5 and F7: safetensors headers that lie or hide things, spans that are no embedding's, numbers that are none."""

import json
from collections.abc import Iterator
from typing import Any

from tests.hostile.sample import Hostile, hostile
from tests.samples import SIZES, floats, packed, raw_file, safetensors_file

_BODY = packed("F32", floats(256))
_SPAN = [0, 1024]


def _entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2, 128], "data_offsets": _SPAN, **changes}


@hostile
def headers() -> Iterator[Hostile]:
    """F5: headers that lie, overrun, or hide things."""
    good = raw_file({"emb_params": _entry()}, _BODY)
    quoted = json.dumps(_entry())
    broken = {
        "longer-than-the-file": raw_file({"emb_params": _entry()}, _BODY, length=1 << 19),
        "length-of-exabytes": raw_file({"emb_params": _entry()}, _BODY, length=(1 << 63) - 1),
        "over-one-mebibyte": raw_file(
            {"__metadata__": {"modelspec.thumbnail": "x" * (1 << 20)}, "a": _entry()}, _BODY
        ),
        "length-of-zero": raw_file({"emb_params": _entry()}, _BODY, length=0),
        "not-an-object": raw_file("[" + quoted + "]", _BODY),
        "space-before": raw_file(" " + json.dumps({"emb_params": _entry()}), _BODY),
        "newline-after": raw_file(json.dumps({"emb_params": _entry()}) + "\n", _BODY),
        "nul-after": raw_file(json.dumps({"emb_params": _entry()}).encode() + b"\0", _BODY),
        "cut-short": raw_file(json.dumps({"emb_params": _entry()})[:-4], _BODY),
        "not-utf-8": raw_file(b'{"emb_params\xff":' + quoted.encode() + b"}", _BODY),
        "not-json": raw_file("{emb_params:1}", _BODY),
        "deep": raw_file('{"a":' * 100_000 + "1" + "}" * 100_000, _BODY),
        "endless-number": raw_file('{"a":' + "9" * 10_000 + "}", _BODY),
        "same-tensor-twice": raw_file(f'{{"emb_params":{quoted},"emb_params":{quoted}}}', _BODY),
        "metadata-twice": raw_file(
            f'{{"__metadata__":{{}},"__metadata__":{{}},"emb_params":{quoted}}}', _BODY
        ),
        "same-metadata-key-twice": raw_file(
            f'{{"__metadata__":{{"a":"1","a":"2"}},"emb_params":{quoted}}}', _BODY
        ),
        "same-field-twice": raw_file('{"emb_params":' + quoted[:-1] + ',"dtype":"F32"}}', _BODY),
        "unknown-field": raw_file({"emb_params": _entry(strides=[128, 1])}, _BODY),
        "no-dtype": raw_file({"emb_params": {"shape": [2, 128], "data_offsets": _SPAN}}, _BODY),
        "entry-not-an-object": raw_file({"emb_params": [2, 128]}, _BODY),
        "no-tensors": raw_file({"__metadata__": {"a": "b"}}),
        "nothing": raw_file({}),
        "metadata-not-an-object": raw_file({"__metadata__": [], "emb_params": _entry()}, _BODY),
        "metadata-number": raw_file({"__metadata__": {"steps": 5}, "emb_params": _entry()}, _BODY),
        "metadata-nested": raw_file({"__metadata__": {"a": {"b": "c"}}, "emb_params": _entry()}, _BODY),
        "metadata-null": raw_file({"__metadata__": {"a": None}, "emb_params": _entry()}, _BODY),
        "metadata-of-257-keys": raw_file(
            {"__metadata__": {f"k{n}": "" for n in range(257)}, "emb_params": _entry()}, _BODY
        ),
        "metadata-value-over-64-kib": raw_file(
            {"__metadata__": {"a": "x" * 65_537}, "emb_params": _entry()}, _BODY
        ),
    }
    yield from (Hostile(name, "F5", data, good) for name, data in broken.items())


@hostile
def spans() -> Iterator[Hostile]:
    """F5: dtypes, shapes and offsets that are no embedding's, or disagree."""
    good = raw_file({"emb_params": _entry()}, _BODY)
    two = {"clip_l": ("F32", [1, 768], packed("F32", floats(768)))}
    two["clip_g"] = ("F32", [1, 1280], packed("F32", floats(1280, seed=2)))
    pair = safetensors_file(two)
    for dtype in ("I32", "I64", "U8", "BOOL", "F8_E4M3", "F31", "", "f32"):
        size = SIZES.get(dtype, 4)
        body = bytes(256 * size)
        entry = _entry(dtype=dtype, data_offsets=[0, len(body)])
        yield Hostile(f"dtype-{dtype or 'empty'}", "F5", raw_file({"emb_params": entry}, body), good)
    for name, changes in {
        "dtype-number": {"dtype": 5},
        "shape-zero": {"shape": [0, 128], "data_offsets": [0, 0]},
        "shape-negative": {"shape": [-2, -128]},
        "shape-fraction": {"shape": [2.0, 128]},
        "shape-text": {"shape": ["2", "128"]},
        "shape-true": {"shape": [True, 256]},
        "shape-empty": {"shape": [], "data_offsets": [0, 4]},
        "shape-three": {"shape": [1, 2, 128]},
        "shape-overflow": {"shape": [1 << 40, 1 << 40]},
        "shape-too-large-for-span": {"shape": [3, 128]},
        "shape-of-many": {"shape": [1] * 1000 + [2, 128]},
        "offsets-reversed": {"data_offsets": [1024, 0]},
        "offsets-negative": {"data_offsets": [-1024, 0]},
        "offsets-three": {"data_offsets": [0, 512, 1024]},
        "offsets-beyond": {"data_offsets": [0, 2048], "shape": [4, 128]},
        "offsets-late": {"data_offsets": [64, 1088]},
        "offsets-huge": {"data_offsets": [0, 1 << 63]},
        "offsets-fraction": {"data_offsets": [0.0, 1024.0]},
    }.items():
        yield Hostile(name, "F5", raw_file({"emb_params": _entry(**changes)}, _BODY), good)
    yield Hostile("bytes-after", "F5", good + b"\0", good)
    yield Hostile("file-cut-short", "F5", good[:-1], good)
    part = two["clip_l"][2]
    for name, second in (("overlap", [1536, 6656]), ("hole", [3076, 8196])):
        header = {
            "clip_l": {"dtype": "F32", "shape": [1, 768], "data_offsets": [0, 3072]},
            "clip_g": {"dtype": "F32", "shape": [1, 1280], "data_offsets": second},
        }
        body = (part + two["clip_g"][2] + bytes(64))[: second[1]]
        yield Hostile(name, "F5", raw_file(header, body), pair)


@hostile
def values() -> Iterator[Hostile]:
    """F7: numbers that are no embedding's."""
    plain = floats(256)
    for name, dtype, numbers in (
        ("nan", "F32", [float("nan"), *plain[1:]]),
        ("infinity", "F32", [*plain[1:], float("inf")]),
        ("minus-infinity-in-half", "F16", [float("-inf"), *plain[1:]]),
        ("nan-in-bfloat", "BF16", [float("nan"), *plain[1:]]),
        ("too-large-for-f32", "F64", [1e300, *plain[1:]]),
        ("too-large-for-half", "F32", [60_001.0, *plain[1:]]),
        ("all-zero", "F32", [0.0] * 256),
        ("all-denormal", "F32", [1e-40] * 256),
        ("vanishing", "F32", [1e-9 * number for number in plain]),
        ("exploding", "F32", [1e5 * number for number in plain]),
    ):
        data = safetensors_file({"emb_params": (dtype, [2, 128], packed(dtype, numbers))})
        control = safetensors_file({"emb_params": (dtype, [2, 128], packed(dtype, plain))})
        yield Hostile(name, "F7", data, control)
