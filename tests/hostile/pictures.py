"""F6: pictures that carry, or seem to carry, an embedding: bombs, lies, and data that are no numbers."""

import base64
import json
import struct
import zlib
from collections.abc import Iterator

from tests.hostile.assemble import PNG_START, chunk, png
from tests.hostile.pickle_names import LIVE
from tests.hostile.sample import Hostile, hostile
from tests.samples import floats, picture

_KEYWORD = b"sd-ti-embedding"
_PNG = "moss-dragon.png"
_VECTORS = [floats(768), floats(768, seed=2)]


def root(vectors: object = None, **changes: object) -> dict[str, object]:
    """What the WebUI puts into a picture."""
    rows = _VECTORS if vectors is None else vectors
    return {
        "string_to_token": {"*": 265},
        "string_to_param": {"*": {"TORCHTENSOR": rows}},
        "name": "moss-dragon",
        "step": 100,
        "sd_checkpoint": None,
        "sd_checkpoint_name": None,
        **changes,
    }


def carrying(value: object) -> bytes:
    """A picture with this value in its text."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return png(chunk(b"tEXt", _KEYWORD + b"\0" + base64.b64encode(raw)))


GOOD = carrying(root())


@hostile
def frame() -> Iterator[Hostile]:
    """F6, F1: chunks that lie, and bytes behind the end."""
    end = chunk(b"IEND", b"")
    text = chunk(b"tEXt", _KEYWORD + b"\0" + base64.b64encode(json.dumps(root()).encode()))
    for label, data in {
        "checksum-of-text": GOOD.replace(text, text[:-1] + b"\0"),
        "checksum-of-end": GOOD[:-1] + b"\0",
        "chunk-past-the-end": png(text, end=chunk(b"IEND", b"", length=100)),
        "chunk-of-gigabytes": png(text, chunk(b"tEXt", b"a\0b", length=0xFFFFFFF0)),
        "chunk-without-a-name": png(text, chunk(b"\0\0\0\0", b"x")),
        "no-end": GOOD[: -len(end)],
        "no-pixels-no-end": GOOD[:60],
        "signature-alone": PNG_START,
        "no-header": PNG_START + text + chunk(b"IDAT", zlib.compress(bytes(272))) + end,
        "header-twice": png(text, chunk(b"IHDR", struct.pack(">2L5B", 16, 16, 8, 0, 0, 0, 0))),
        "header-of-twelve-bytes": png(text, header=bytes(12)),
        "65-texts": png(text, *(chunk(b"tEXt", b"note\0%d" % number) for number in range(64))),
        "two-embeddings": png(text, text),
        "two-embeddings-of-two-kinds": png(text, chunk(b"zTXt", _KEYWORD + b"\0\0" + zlib.compress(b"e30="))),
    }.items():
        yield Hostile(f"png-{label}", "F6", data, GOOD, _PNG)
    for label, tail in {"byte": b"\0", "picture": GOOD, "script": b"<script>alert(1)</script>"}.items():
        yield Hostile(f"png-{label}-after-the-end", "F1", GOOD + tail, GOOD, _PNG)


@hostile
def sizes() -> Iterator[Hostile]:
    """F6: pictures too large to be decoded, whatever is in their text."""
    text = chunk(b"tEXt", _KEYWORD + b"\0" + base64.b64encode(json.dumps(root()).encode()))
    for label, width, height in (
        ("90-megapixels", 10_000, 9_000),
        ("17-megapixels", 4_200, 4_100),
        ("a-line", 16_385, 1),
        ("a-column", 1, 1 << 31),
        ("all-bits", 0xFFFFFFFF, 0xFFFFFFFF),
        ("no-width", 0, 16),
        ("no-height", 16, 0),
    ):
        data = png(text, header=struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0), pixels=zlib.compress(b""))
        yield Hostile(f"png-of-{label}", "F6", data, GOOD, _PNG)


@hostile
def texts() -> Iterator[Hostile]:
    """F6: texts that unpack to too much, or to nothing."""
    whole = json.dumps(root()).encode()
    packed = zlib.compress(base64.b64encode(whole))
    good = png(chunk(b"zTXt", _KEYWORD + b"\0\0" + packed))
    nine = 9 << 20
    for label, kind, body in (
        ("bomb", b"zTXt", b"\0" + zlib.compress(bytes(nine), 9)),
        ("bomb-of-base64", b"zTXt", b"\0" + zlib.compress(base64.b64encode(bytes(nine)), 9)),
        ("bomb-of-64-mebibytes", b"zTXt", b"\0" + zlib.compress(bytes(64 << 20), 9)),
        ("cut-short", b"zTXt", b"\0" + packed[:-5]),
        ("bytes-after", b"zTXt", b"\0" + packed + b"\0"),
        ("no-zlib", b"zTXt", b"\0" + b"not packed at all"),
        ("other-method", b"zTXt", b"\7" + packed),
        ("no-method", b"zTXt", b""),
        ("international-bomb", b"iTXt", b"\1\0\0\0" + zlib.compress(bytes(nine), 9)),
        ("international-cut-short", b"iTXt", b"\1\0\0\0" + packed[:-5]),
        ("international-method", b"iTXt", b"\1\7\0\0" + packed),
        ("international-flag", b"iTXt", b"\2\0\0\0" + packed),
        ("international-without-parts", b"iTXt", b"\0\0abc"),
        ("international-language", b"iTXt", b"\0\0" + b"x" * 100 + b"\0\0" + base64.b64encode(whole)),
        ("no-base64", b"tEXt", b"%%%%"),
        ("base64-of-other-kind", b"tEXt", base64.urlsafe_b64encode(b"\xff\xef\xbe" * 20)),
        ("half-base64", b"tEXt", base64.b64encode(whole)[:-3]),
        ("blanks", b"tEXt", base64.b64encode(whole)[:40] + b" \n" + base64.b64encode(whole)[40:]),
        ("empty", b"tEXt", b""),
        ("raw-json", b"tEXt", whole),
        ("pickle", b"tEXt", base64.b64encode(b"\x80\x02" + LIVE["os-system"] + b".")),
        ("of-9-mebibytes", b"tEXt", base64.b64encode(b" " * nine)),
    ):
        data = png(chunk(kind, _KEYWORD + b"\0" + body))
        yield Hostile(f"png-text-{label}", "F6", data, good, _PNG)


@hostile
def objects() -> Iterator[Hostile]:
    """F6: JSON that is deep, vast, ambiguous, or no embedding."""
    rows = json.dumps(_VECTORS)
    for label, value in {
        "deep-lists": b"[" * 17 + b"]" * 17,
        "deep-as-a-well": b"[" * 500_000,
        "deep-dicts": b'{"a":' * 17 + b"1" + b"}" * 17,
        "deep-in-the-tensor": root([[[[[[[[[[[[[[[[[1.0]]]]]]]]]]]]]]]]]),
        "no-json": b"{string_to_param: 1}",
        "not-utf-8": b'{"string_to_param": "\xff"}',
        "utf-16": json.dumps(root()).encode("utf-16"),
        "list": b"[1, 2]",
        "number": b"5",
        "nothing": b"null",
        "other-object": b'{"a": 1}',
        "json-after-json": json.dumps(root()).encode() + b"{}",
        "key-twice": b'{"string_to_param": {}, "string_to_param": {"*": {"TORCHTENSOR": '
        + rows.encode()
        + b"}}}",
        "tensor-twice": b'{"string_to_param": {"*": {"TORCHTENSOR": [[1]], "TORCHTENSOR": '
        + rows.encode()
        + b"}}}",
        "many-parts": b'{"string_to_param": {"*": {"TORCHTENSOR": ['
        + b",".join([b"[1.0]"] * 20_000)
        + b"]}}}",
    }.items():
        yield Hostile(f"image-json-{label}", "F6", carrying(value), GOOD, _PNG)


@hostile
def tensors() -> Iterator[Hostile]:
    """F6, F4, F7, U6: tensors of a picture that are ragged, no numbers, or no embedding's."""
    long = [[*floats(767), 0.5]]
    for label, rule, rows in (
        ("ragged", "F6", [floats(768), floats(767)]),
        ("text", "F6", [["0.5"] * 768]),
        ("true", "F6", [[True] * 768]),
        ("null", "F6", [[None] * 768]),
        ("object", "F6", {"a": 1}),
        ("a-number", "F6", 0.5),
        ("a-text", "F6", "0.5"),
        ("rows-and-numbers", "F6", [floats(768), 0.5]),
        ("three-deep", "F6", [[[0.5] * 768]]),
        ("nothing", "U6", []),
        ("empty-rows", "U6", [[], []]),
        ("zeros", "F7", [[0.0] * 768]),
        ("vast-values", "F7", [[1e30] * 767 + [-1e30]]),
        ("over-f32", "F7", [[1e300] * 768]),
        ("over-half", "F7", [[60_001.0, *floats(767)]]),
        ("other-width", "U6", [floats(777)]),
        ("257-vectors", "U6", [[0.5] * 767 + [-0.5]] * 257),
        ("300000-numbers", "U6", [[1] * 300_000]),
    ):
        yield Hostile(f"image-tensor-{label}", rule, carrying(root(rows)), carrying(root(long)), _PNG)
    for label, number in {"nan": b"NaN", "infinity": b"Infinity", "minus-infinity": b"-Infinity"}.items():
        data = json.dumps(root(long)).encode().replace(b"0.5]", number + b"]")
        yield Hostile(f"image-tensor-{label}", "F7", carrying(data), carrying(root(long)), _PNG)
    digits = json.dumps(root(long)).encode().replace(b"0.5]", b"9" * 5_000 + b"]")
    yield Hostile("image-tensor-5000-digits", "F6", carrying(digits), carrying(root(long)), _PNG)


@hostile
def ordinary_pictures() -> Iterator[Hostile]:
    """U6: pictures with no embedding in them."""
    noise = b"".join(bytes([0]) + bytes((x * 37 + y * 101) % 256 for x in range(64)) for y in range(64))
    for label, data, filename in (
        ("png", picture(), _PNG),
        ("png-grey", png(), _PNG),
        ("png-noise", png(width=64, height=64, pixels=zlib.compress(noise)), _PNG),
        ("png-with-parameters", png(chunk(b"tEXt", b"parameters\0a dragon, steps: 20")), _PNG),
        ("png-preview", picture(colour="navy"), "moss-dragon.preview.png"),
        ("webp", picture("WEBP"), "moss-dragon.webp"),
        ("webp-lossless", picture("WEBP", lossless=True), "moss-dragon.webp"),
    ):
        yield Hostile(f"no-embedding-in-{label}", "U6", data, GOOD, filename, _PNG)


@hostile
def pixels() -> Iterator[Hostile]:
    """F6: pixels that cannot be decoded, where no text says anything."""
    for label, data in {
        "cut-short": png(pixels=zlib.compress(bytes(272))[:-8]),
        "no-zlib": png(pixels=b"nonsense nonsense"),
        "too-few": png(pixels=zlib.compress(bytes(20))),
        "unknown-colours": png(header=struct.pack(">2L5B", 16, 16, 7, 5, 0, 0, 0)),
        "unknown-filter": png(pixels=zlib.compress(bytes([9] * 17) * 16)),
    }.items():
        yield Hostile(f"png-pixels-{label}", "F6", data, GOOD, _PNG)


@hostile
def webp() -> Iterator[Hostile]:
    """F6, F1: WebP files whose frame lies."""
    good = picture("WEBP", lossless=True)
    animated = b"RIFF" + struct.pack("<L", 4 + 18 + 14) + b"WEBP"
    animated += (
        b"VP8X" + struct.pack("<L", 10) + b"\x02" + bytes(9) + b"ANIM" + struct.pack("<L", 6) + bytes(6)
    )
    huge = b"VP8X" + struct.pack("<L", 10) + bytes(4) + b"\xff\xff\xff\xff\xff\xff"
    huge = b"RIFF" + struct.pack("<L", 4 + len(huge)) + b"WEBP" + huge
    for label, data, rule in (
        ("cut-short", good[:-8], "F6"),
        ("head-alone", good[:12], "F6"),
        ("chunk-past-the-end", good[:16] + b"\xff\xff\xff\x7f" + good[20:], "F6"),
        ("size-larger", good[:4] + struct.pack("<L", len(good)) + good[8:], "F6"),
        ("bytes-after", good + b"\0\0", "F1"),
        ("zip-after", good + b"PK\x05\x06" + bytes(18), "F1"),
        ("animated", animated, "F6"),
        ("of-16-million-a-side", huge, "F6"),
        ("no-picture", b"RIFF" + struct.pack("<L", 4) + b"WEBP", "F6"),
    ):
        yield Hostile(f"webp-{label}", rule, data, GOOD, "moss-dragon.webp", _PNG)
