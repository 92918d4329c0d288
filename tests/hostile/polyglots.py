"""F1: files that are two things at once, or go on after their end, or hold another archive."""

import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.hostile.assemble import LEGACY_MAGIC, legacy_file, members, png, torch_zip, word, zip_file
from tests.hostile.sample import Hostile, hostile
from tests.samples import embedding_file, floats, packed, raw_file, safetensors_file

_BODY = packed("F32", floats(256))
_SPAN = [0, 1024]


def _entry(**changes: Any) -> dict[str, Any]:
    return {"dtype": "F32", "shape": [2, 128], "data_offsets": _SPAN, **changes}


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


@hostile
def two_things_at_once() -> Iterator[Hostile]:
    """F1: sound safetensors that a zip, tar or pickle reader would read as something else."""
    plain = safetensors_file({"emb_params": ("F32", [2, 128], _BODY)}, {"note": "x" * 300})
    yield Hostile("safetensors-and-zip", "F1", *_with_zip_in_the_tail())
    header = b'{"__metadata__":{"note":"' + b"a" * 224 + b"ustar" + b'"},"emb_params":'
    header += json.dumps(_entry()).encode() + b"}"
    yield Hostile("safetensors-and-tar", "F1", raw_file(header.ljust(600), _BODY), plain)
    yield Hostile("safetensors-and-pickle", "F1", *_with_pickle_in_the_length())


@hostile
def pictures_with_a_tail() -> Iterator[Hostile]:
    """F1: a picture with something behind it that other readers find from the end of the file."""
    good = torch_zip()
    behind = zip_file(members().values(), prefix=png())
    yield Hostile("png-and-zip", "F1", behind, good, "moss-dragon.png", "moss-dragon.pt")
    yield Hostile("png-and-shifted-zip", "F1", png() + good, good, "moss-dragon.png", "moss-dragon.pt")
    yield Hostile(
        "png-and-safetensors", "F1", png() + embedding_file(), good, "moss-dragon.png", "moss-dragon.pt"
    )
    yield Hostile("png-and-pickle", "F1", png() + word(), good, "moss-dragon.png", "moss-dragon.pt")


@hostile
def zips_that_are_more() -> Iterator[Hostile]:
    """F1, F2: zips that a tar or pickle reader would read too, or that have something before them."""
    good = torch_zip()
    parts = members()
    yield Hostile("zip-and-tar", "F1", _zip_and_tar(), good, "moss-dragon.pt")
    yield Hostile(
        "tar-and-zip",
        "F1",
        zip_file(parts.values(), prefix=bytes(257) + b"ustar\x0000" + bytes(247)),
        good,
        "moss-dragon.pt",
    )
    yield Hostile("pickle-and-zip", "F1", zip_file(parts.values(), prefix=word()), good, "moss-dragon.pt")
    yield Hostile(
        "safetensors-in-front-of-a-zip",
        "F5",
        embedding_file() + good,
        good,
        "moss-dragon.safetensors",
        "moss-dragon.pt",
    )
    yield Hostile("legacy-in-front-of-a-zip", "F1", legacy_file() + good, good, "moss-dragon.pt")
    yield Hostile("legacy-magic-in-front-of-a-zip", "F3", LEGACY_MAGIC + good, good, "moss-dragon.pt")
    yield Hostile(
        "page-and-zip",
        "F1",
        zip_file(parts.values(), prefix=b"<html><script>alert(1)</script>"),
        good,
        "moss-dragon.pt",
    )
    yield Hostile(
        "gif-and-zip", "F1", zip_file(parts.values(), prefix=b"GIF89a" + bytes(20)), good, "moss-dragon.pt"
    )


def _zip_and_tar() -> bytes:
    """A sound zip whose first tensor holds a tar header's magic number and checksum, where tar looks for them."""
    parts = members()
    # The checksum behind the record instead of before it: tar sums up the first 512 bytes.
    first = parts.pop("data/0").with_(descriptor=True)
    shift = 30 + len(first.name)
    numbers = bytearray(first.data)
    numbers[257 - shift : 265 - shift] = b"ustar\x0000"
    numbers[148 - shift : 156 - shift] = b" " * 8
    total = sum(zip_file([first.with_(data=bytes(numbers)), *parts.values()])[:512])
    numbers[148 - shift : 156 - shift] = f"{total:06o}\0 ".encode()
    return zip_file([first.with_(data=bytes(numbers)), *parts.values()])
