"""The names that bytes have elsewhere: every digest by which tools, sites and pictures speak of an embedding.

Small hexadecimal everywhere; a protocol that writes them otherwise (Civitai: capitals) does so at its door.
"""

import hashlib
import zlib
from array import array
from collections.abc import Iterator, Mapping

from blake3 import blake3

from hub.formats.data import Tensor
from hub.formats.values import floats_of

AUTOV1_START, AUTOV1_SIZE = 0x100000, 0x10000
AUTOV2_DIGITS, AUTOV3_DIGITS, WEBUI_DIGITS, AUTOV1_DIGITS = 10, 12, 12, 8
# Of these a file's rows are kept; what is cut from a SHA-256 is found by its first digits.
KEPT = ("sha256", "autov1", "autov3", "blake3", "crc32")


class Digester:
    """Takes a file piece by piece; `digests` are those of all bytes given so far.

    `sha256`; `autov1`, the old short hash of A1111, SHA-256 of 64 KiB at 1 MiB, only of files of 2 MiB and more;
    `autov2`, the first 10 digits of the SHA-256; `autov3`, of safetensors alone: the first 12 digits of the
    SHA-256 of what follows the header; `webui`, the first 12 digits of the SHA-256, which A1111 and Forge write
    into pictures as TI hashes; `crc32` as most tools print it; `blake3`.
    """

    def __init__(self) -> None:
        self._whole, self._blake, self._crc, self._size = hashlib.sha256(), blake3(), 0, 0
        self._early, self._after = hashlib.sha256(), hashlib.sha256()
        self._head, self._header_end = b"", -1

    def update(self, block: bytes) -> None:
        """Go on with the next bytes."""
        start, self._size = self._size, self._size + len(block)
        self._whole.update(block)
        self._blake.update(block)
        self._crc = zlib.crc32(block, self._crc)
        self._early.update(_part(block, start, AUTOV1_START, AUTOV1_START + AUTOV1_SIZE))
        if len(self._head) < 9:
            self._head += block[: 9 - len(self._head)]
            if len(self._head) == 9 and self._head[8:] == b"{":
                self._header_end = 8 + int.from_bytes(self._head[:8], "little")
        if self._header_end >= 0:
            self._after.update(_part(block, start, self._header_end, self._size))

    @property
    def digests(self) -> dict[str, str]:
        """Every digest of the bytes so far, by its name."""
        whole = self._whole.hexdigest()
        found = {
            "sha256": whole,
            "autov2": whole[:AUTOV2_DIGITS],
            "webui": whole[:WEBUI_DIGITS],
            "crc32": f"{self._crc:08x}",
            "blake3": self._blake.hexdigest(),
        }
        if 0 <= self._header_end < self._size:
            found["autov3"] = self._after.hexdigest()[:AUTOV3_DIGITS]
        if self._size >= 2 * AUTOV1_START:
            found["autov1"] = self._early.hexdigest()[:AUTOV1_DIGITS]
        return found


def digests_of(data: bytes) -> dict[str, str]:
    """Every digest of these bytes, by its name."""
    digester = Digester()
    digester.update(data)
    return digester.digests


def civitai_crc32(crc32: str) -> str:
    """The CRC-32 as Civitai writes it: the four bytes the other way round."""
    return bytes.fromhex(crc32)[::-1].hex()


def webui_checksum(tensors: Mapping[str, Tensor]) -> str:
    """The four digits that A1111 writes behind a word in `Used embeddings: word [0a1b]`: of the values alone.

    For an embedding of several encoders those of the first, in the order of the canonical file.
    """
    checksum = 0
    for number in _hundredths(next(iter(tensors.values()))):
        checksum = (checksum * 281 ^ number * 997) & 0xFFFFFFFF
    return f"{checksum & 0xFFFF:04x}"


def _hundredths(tensor: Tensor) -> Iterator[int]:
    # The product is rounded to single precision before its fraction is cut off, as tensors do it.
    return map(int, array("f", (value * 100 for value in floats_of(tensor))))


def _part(block: bytes, start: int, begin: int, end: int) -> bytes:
    """What of a block, which starts at `start`, lies between two places of the file."""
    return block[max(0, begin - start) : max(0, end - start)]
