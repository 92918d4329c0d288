"""Every hostile file, built in code, one function for each group of rules.

Each comes with its control: a harmless file that differs in the attacked property alone.
"""

import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.samples import (
    SIZES,
    embedding_file,
    floats,
    keyed_file,
    lora_file,
    packed,
    picture,
    raw_file,
    safetensors_file,
)


@dataclass(frozen=True)
class Hostile:
    """A file to refuse by `rule`, and its harmless twin."""

    name: str
    rule: str
    data: bytes
    control: bytes


_BUILDERS: list[Callable[[], Iterator[Hostile]]] = []


def hostile_files() -> list[Hostile]:
    """All hostile files with their controls."""
    return [sample for build in _BUILDERS for sample in build()]


def _hostile(build: Callable[[], Iterator[Hostile]]) -> Callable[[], Iterator[Hostile]]:
    _BUILDERS.append(build)
    return build


_GOOD = embedding_file()
_BODY = packed("F32", floats(256))
_SPAN = [0, 1024]


def _entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2, 128], "data_offsets": _SPAN, **changes}


@_hostile
def containers() -> Iterator[Hostile]:
    """F1: not a safetensors file, or one that is something else as well."""
    for name, data in {
        "empty": b"",
        "zip": b"PK\x03\x04" + bytes(60),
        "empty-zip": b"PK\x05\x06" + bytes(18),
        "legacy-torch": b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.",
        "pickle": b"\x80\x04K\x01.",
        "tar": bytes(257) + b"ustar" + bytes(250),
        "png": picture(),
        "webp": picture("WEBP"),
        "jpeg": picture("JPEG"),
        "gif": picture("GIF"),
        "numpy": b"\x93NUMPY\x01\x00v\x00{'descr': '|O'}",
        "gguf": b"GGUF\x03\x00\x00\x00" + bytes(40),
        "gzip": b"\x1f\x8b\x08" + bytes(40),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
        "lfs-pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
        "page": b"\n<!DOCTYPE html><title>Sign in</title>",
        "text": b"just some words, saved under the wrong name",
        "json": b'{"error": "not found"}',
        "noise": bytes(range(255, 100, -1)),
    }.items():
        yield Hostile(name, "F1", data, _GOOD)
    plain = safetensors_file({"emb_params": ("F32", [2, 128], _BODY)}, {"note": "x" * 300})
    yield Hostile("zip-in-the-tail", "F1", *_with_zip_in_the_tail())
    header = b'{"__metadata__":{"note":"' + b"a" * 224 + b"ustar" + b'"},"emb_params":'
    header += json.dumps(_entry()).encode() + b"}"
    yield Hostile("tar-by-magic", "F1", raw_file(header.ljust(600), _BODY), plain)
    yield Hostile("pickle-by-length", "F1", *_with_pickle_in_the_length())


def _with_zip_in_the_tail() -> tuple[bytes, bytes]:
    """Tensor bytes that end in a zip's central directory; as numbers they are harmless."""
    end = b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 1, 1, 46, 0, 0)
    tail = (b"PK\x01\x02" + bytes(42) + end).rjust(72, b"\0")
    body = _BODY[:-72] + tail
    return (
        safetensors_file({"emb_params": ("F32", [2, 128], body)}),
        safetensors_file({"emb_params": ("F32", [2, 128], _BODY)}),
    )


def _with_pickle_in_the_length() -> tuple[bytes, bytes]:
    """A header length that reads `(X` and a count: a pickle machine skips to the tensor's name and goes on.

    K takes the first byte of the next letter, whose second byte is then an opcode: 0x8c begins a string of 32
    characters (a blank is its length), 0x93 looks up a name in a module.
    """
    skipped = 15
    length = 0x5828 + (skipped << 16)

    def build(start: str) -> bytes:
        name = "x" * (skipped - 4) + start + " " + "m" * 32 + "K\u00cc " + "n" * 32 + "K\u00d3."
        header = json.dumps({name: _entry()}, ensure_ascii=False).encode()
        return raw_file(header.ljust(length), _BODY)

    return build("K\u00cc"), build("ZZ")


@_hostile
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


@_hostile
def names() -> Iterator[Hostile]:
    """F5: tensor names that cannot be shown or stored."""
    for label, name, control in (
        ("empty", "", "a"),
        ("nul", "moss\0dragon", "moss dragon"),
        ("control", "moss\x1b[31m", "moss[31m"),
        ("newline", "moss\ndragon", "moss/../dragon"),
        ("c1-control", "moss\x85dragon", "moss<script>"),
        ("bidi-override", "moss\u202edragon", "'; DROP TABLE files;--"),
        ("bidi-isolate", "moss\u2066dragon", "苔の龍"),
        ("lone-surrogate", "moss\ud800", "moss🐉"),
        ("too-long", "x" * 201, "x" * 200),
    ):
        yield Hostile(
            f"name-{label}",
            "F5",
            raw_file({name: _entry()}, _BODY),
            raw_file({control: _entry()}, _BODY),
        )


@_hostile
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


@_hostile
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


@_hostile
def not_embeddings() -> Iterator[Hostile]:
    """U6: sound files of something else, or of no family."""
    tiny = {"emb_params": 128}
    for name, widths in {
        "width-777": {"emb_params": 777},
        "width-512": {"word": 512},
        "cross-attention-width": {"emb_params": 320},
        "narrow-clip-l": {"clip_l": 512, "clip_g": 1280},
        "swapped-encoders": {"clip_l": 1280, "clip_g": 768},
        "no-such-set": {"clip_g": 1280, "llama": 4096},
        "two-words": {"<one>": 768, "<two>": 768},
        "outputs-only": {"emp_params_out": 768},
        "bundle-of-two": {"bundle_emb.a.clip_l": 768, "bundle_emb.b.clip_l": 768},
        "bundle-of-unknown": {"bundle_emb.a.spare": 768},
        "vae": {"encoder.conv_in.weight": 128},
        "checkpoint": {"model.diffusion_model.input_blocks.0.weight": 128},
        "text-encoder": {"text_model.embeddings.token_embedding.weight": 768},
        "controlnet": {"control_model.input_blocks.0.0.weight": 128},
        "ip-adapter": {"image_proj.proj.weight": 768},
    }.items():
        yield Hostile(name, "U6", keyed_file(widths), keyed_file(tiny))
    yield Hostile("lora", "U6", lora_file(), keyed_file(tiny))
    yield Hostile("257-vectors", "U6", embedding_file(vectors=257), embedding_file(vectors=256))
    latent = packed("F32", floats(256))
    yield Hostile(
        "latent",
        "U6",
        safetensors_file({"latent": ("F32", [1, 4, 8, 8], latent)}),
        safetensors_file({"latent": ("F32", [2, 128], latent)}),
    )
    uneven = {"clip_l": ("F32", [2, 768], packed("F32", floats(1536)))}
    uneven["clip_g"] = ("F32", [1, 1280], packed("F32", floats(1280)))
    yield Hostile(
        "uneven-encoders", "U6", safetensors_file(uneven), keyed_file({"clip_l": 768, "clip_g": 1280})
    )
