"""What comes back from the sandbox is read again: only a file that we wrote, unchanged, passes."""

import json
import struct
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.formats import FAMILIES, FormatError, Limits, read, tensor_digest, write_canonical
from hub.formats.canonical import read_canonical
from hub.formats.names import last_part, stem_and_suffix
from tests import samples

LIMITS = Limits()


def changed(file: bytes, change: Callable[[dict[str, Any]], object], body: bytes | None = None) -> bytes:
    """The file with another header, or another body."""
    (length,) = struct.unpack("<Q", file[:8])
    header = json.loads(file[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + (file[8 + length :] if body is None else body)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_familys_canonical_file_passes_with_the_same_tensors(family: str) -> None:
    encoders = FAMILIES[family].encoders
    made = {encoder.slot: samples.tensor(2, encoder.width) for encoder in encoders}
    file = write_canonical(made, family=family, trigger="moss-dragon")
    found, tensors = read_canonical(file, LIMITS)
    whole = read(file, filename="")
    assert (found.id, tensors) == (family, whole.tensors)
    assert tensor_digest(tensors) == tensor_digest(whole.tensors)


def test_a_header_in_other_words_passes_when_it_says_the_same() -> None:
    assert read_canonical(changed(samples.canonical_file(), lambda _header: None), LIMITS)


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no family": lambda header: header["__metadata__"].pop("glossa.family"),
    "unknown family": lambda header: header["__metadata__"].update({"glossa.family": "sd9"}),
    "another family": lambda header: header["__metadata__"].update({"glossa.family": "sdxl"}),
    "no hash": lambda header: header["__metadata__"].pop("modelspec.hash_sha256"),
    "another hash": lambda header: header["__metadata__"].update({"modelspec.hash_sha256": "0x" + 64 * "0"}),
    "another name": lambda header: header.update({"other": header.pop("emb_params")}),
    "another dtype": lambda header: header["emb_params"].update({"dtype": "I32"}),
    "another shape": lambda header: header["emb_params"].update(
        {"shape": [header["emb_params"]["shape"][0] * 2, header["emb_params"]["shape"][1] // 2]}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_header_is_refused(change: str) -> None:
    with pytest.raises(FormatError):
        read_canonical(changed(samples.canonical_file(), CHANGES[change]), LIMITS)


def test_a_changed_value_is_refused() -> None:
    file = bytearray(samples.canonical_file())
    file[-2] ^= 1
    with pytest.raises(FormatError, match="changed"):
        read_canonical(bytes(file), LIMITS)


def test_more_vectors_than_allowed_are_refused() -> None:
    with pytest.raises(FormatError, match="too many"):
        read_canonical(samples.canonical_file(), Limits(max_vectors=0))


@given(st.text(alphabet="ab./\\", max_size=8))
def test_names_are_cut_as_paths_are(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    assert last_part(name) == path.name
    assert stem_and_suffix(name) == (path.stem, path.suffix)
