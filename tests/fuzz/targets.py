"""The readers, each as a function of bytes that must end in a value or in a FormatError, in little time and memory."""

import os
import re
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from hub.formats import FormatError, read
from hub.formats.image_embedding import read_image
from hub.formats.inspection import examine
from hub.formats.limits import Limits
from hub.formats.pictures import preload, reencode
from hub.formats.safetensors_file import read_safetensors
from hub.formats.torch_file import read_torch
from hub.formats.torch_zip import read_torch_zip
from hub.formats.unpickle import unpickle

Target = Callable[[bytes], None]
ROOT = Path(__file__).parents[2]
FIXTURES = Path(os.environ.get("GLOSSA_FIXTURES") or ROOT.parent / "shared" / "fixtures")
_LIMITS = Limits(max_bytes=1 << 20)
# Pictures for training may be of 40 megapixels; a fuzzer should not spend its time on decoding those.
_LARGEST_SIDE = 512
_SPAN_ENDS = re.compile(rb",\s*(\d{1,6})\s*\]")


def anything(data: bytes) -> None:
    """Whatever it is, as an upload is read; an accepted file is then written and read again."""
    facts, embedding = examine(data, filename="", limits=_LIMITS)
    assert facts["verdict"] in ("accept", "ask", "refuse")
    assert (embedding is None) == (facts["verdict"] == "refuse")
    assert facts["rule"] or embedding, facts
    if embedding is not None:
        again = read(data, filename="", limits=_LIMITS)
        assert again.tensors == embedding.tensors


def safetensors(data: bytes) -> None:
    """The frame of safetensors, and every tensor in it."""
    file = read_safetensors(data)
    for name in file.entries:
        with suppress(FormatError):
            file.tensor(name)


def header(data: bytes) -> None:
    """Safetensors that get past the first eight bytes: these are the header, and zeros follow as it asks for them."""
    longest = max(map(int, _SPAN_ENDS.findall(data)), default=0)
    safetensors(len(data).to_bytes(8, "little") + data + bytes(longest))


def zip_records(data: bytes) -> None:
    """The walk over a zip."""
    records = read_torch_zip(b"PK\x03\x04" + data[4:])
    assert sum(map(len, records.storages.values())) + len(records.pickle) <= len(data)


def torch_zip(data: bytes) -> None:
    """A PyTorch file whose zip is sound and whose pickle is not: the bytes are the pickle."""
    from tests.hostile.assemble import torch_zip as assembled

    contents = read_torch(assembled(data), "torch-zip")
    for name in contents.shapes:
        with suppress(FormatError):
            contents.tensor(name)


def torch_legacy(data: bytes) -> None:
    """PyTorch's old container."""
    contents = read_torch(data, "torch-legacy")
    for name in contents.shapes:
        with suppress(FormatError):
            contents.tensor(name)


def pickle(data: bytes) -> None:
    """The opcode machine alone, with every persistent id answered."""
    unpickle(data, persistent=lambda _value, _at: None)


def image(data: bytes) -> None:
    """A picture that may carry an embedding; what begins like none is made to begin like a PNG."""
    if not data.startswith(b"RIFF") or data[8:12] != b"WEBP":
        data = b"\x89PNG\r\n\x1a\n" + data[8:]
    contents = read_image(_mended(data))
    for name in contents.shapes:
        with suppress(FormatError):
            contents.tensor(name)


def picture(data: bytes) -> None:
    """An uploaded picture, made anew."""
    data = _mended(data)
    if _side(data) <= _LARGEST_SIDE:
        made = reencode(data, max_side=64)
        assert 0 < made.width <= 64


def _mended(data: bytes) -> bytes:
    """Every other PNG with the right checksums: no mutation would find them, and behind them it gets interesting."""
    if len(data) % 2 or not data.startswith(b"\x89PNG"):
        return data
    made, at = bytearray(data), 8
    while (end := at + 8 + int.from_bytes(made[at : at + 4], "big")) + 4 <= len(made):
        made[end : end + 4] = zlib.crc32(made[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(made)


def _side(data: bytes) -> int:
    """The longer side a PNG announces; other pictures are small here by their seeds."""
    if not data.startswith(b"\x89PNG") or len(data) < 24:
        return 0
    return max(int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big"))


TARGETS: dict[str, Target] = {
    function.__name__: function
    for function in (
        anything,
        safetensors,
        header,
        zip_records,
        torch_zip,
        torch_legacy,
        pickle,
        image,
        picture,
    )
}


def run(target: Target, data: bytes) -> None:
    """One execution: a refusal is as good an end as a value, everything else is a finding."""
    with suppress(FormatError):
        target(data)


def seeds(name: str, *, largest: int = 8_192) -> list[bytes]:
    """Files to begin with: the fixtures, the hostile corpus and its twins, as this target sees them."""
    from tests.hostile.assemble import LEGACY_MAGIC, PNG_START
    from tests.samples import picture as sample_picture

    preload()
    kept = [data for data in _files() if len(data) <= largest]
    pictures = [sample_picture(form, size=(32, 24)) for form in ("PNG", "WEBP", "JPEG")]
    chosen: dict[str, list[bytes]] = {
        "safetensors": [data for data in kept if data[8:9] == b"{"],
        "header": list(_headers(kept)),
        "zip_records": [data for data in kept if data.startswith(b"PK\x03\x04")],
        "torch_legacy": [data for data in kept if data.startswith(LEGACY_MAGIC)],
        "image": [data for data in kept if data.startswith((PNG_START, b"RIFF"))],
        "picture": pictures + [data for data in kept if data.startswith((PNG_START, b"RIFF", b"\xff\xd8"))],
        "torch_zip": list(_pickles(kept)),
        "pickle": list(_pickles(kept)),
    }
    return chosen.get(name, kept)


@cache
def _files() -> list[bytes]:
    from tests.hostile import hostile_files

    files = {path.read_bytes() for path in (FIXTURES / "embeddings").glob("fx-*") if path.is_file()}
    for sample in hostile_files():
        files |= {sample.data, sample.control}
    return sorted(files, key=len)


def _headers(files: list[bytes]) -> set[bytes]:
    """The headers of these safetensors, without the length before them."""
    return {data[8 : 8 + int.from_bytes(data[:8], "little")] for data in files if data[8:9] == b"{"}


def _pickles(files: list[bytes]) -> set[bytes]:
    """The pickles inside these zips."""
    found = set()
    for data in files:
        if data.startswith(b"PK\x03\x04"):
            with suppress(FormatError):
                found.add(read_torch_zip(data).pickle)
    return found
