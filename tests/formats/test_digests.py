"""Digests as each tool and site makes them, compared with values made elsewhere."""

import hashlib
import random
import struct

import pytest

from hub.formats import read
from hub.formats.digests import Digester, civitai_crc32, digests_of, webui_checksum
from hub.formats.values import floats_of
from tests import samples

HELLO = digests_of(b"hello world")


def test_vector_of_the_civitai_scanner() -> None:
    sha = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"
    assert (HELLO["sha256"], HELLO["autov2"]) == (sha, "b94d27b993")
    assert HELLO["blake3"] == "d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24"
    assert (HELLO["crc32"], civitai_crc32(HELLO["crc32"])) == ("0d4a1185", "85114a0d")
    assert "autov1" not in HELLO
    assert "autov3" not in HELLO


def test_autov3_is_of_what_follows_the_header() -> None:
    file = samples.canonical_file()
    (length,) = struct.unpack("<Q", file[:8])
    assert digests_of(file)["autov3"] == hashlib.sha256(file[8 + length :]).hexdigest()[:12]
    assert digests_of(file)["autov3"] == read(file, filename="x").metadata["modelspec.hash_sha256"][2:14]


@pytest.mark.parametrize("file", [b"", b"short", b"\x80\x02}q\x00.", struct.pack("<Q", 900) + b"{" * 20])
def test_what_is_no_safetensors_has_no_autov3(file: bytes) -> None:
    assert "autov3" not in digests_of(file)


def test_autov1_is_of_a_piece_in_the_middle_of_large_files() -> None:
    file = random.Random(1).randbytes(2 << 20)
    assert digests_of(file)["autov1"] == hashlib.sha256(file[0x100000:0x110000]).hexdigest()[:8]
    assert "autov1" not in digests_of(file[:-1])


@pytest.mark.parametrize("size", [1, 7, 9, 64 * 1024, 1 << 20])
def test_pieces_of_any_size_give_the_same(size: int) -> None:
    file = samples.canonical_file() if size < 100 else samples.canonical_file() + bytes(2 << 20)
    digester = Digester()
    for start in range(0, len(file), size):
        digester.update(file[start : start + size])
    assert digester.digests == digests_of(file)


def test_short_hash_that_a1111_writes_for_used_embeddings() -> None:
    import torch

    tensors = read(samples.embedding_file("sd1", vectors=3), filename="moss.safetensors").tensors
    checksum = 0
    for value in torch.tensor(floats_of(tensors["emb_params"])) * 100:
        checksum = (checksum * 281 ^ int(value) * 997) & 0xFFFFFFFF
    assert webui_checksum(tensors) == f"{checksum & 0xFFFF:04x}"
