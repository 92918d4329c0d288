"""What only a bucket does: signed addresses, conditional writes, and a store that is out."""

import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import pytest

from hub import blobs
from hub.errors import Unavailable
from tests.parts.s3 import S3

pytestmark = pytest.mark.s3
DATA = b"signed, sealed, delivered"


def test_a_signed_address_serves_the_bytes_under_the_name_asked_for(s3_blobs: S3) -> None:
    name = blobs.put(DATA).sha256
    address = blobs.url(name, filename="moss glow.safetensors", content_type="application/x-moss")
    assert address is not None
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.read() == DATA
        assert answer.headers["Content-Type"] == "application/x-moss"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="moss glow.safetensors"'


def test_a_signed_address_serves_nothing_else(s3_blobs: S3) -> None:
    first, second = blobs.put(DATA).sha256, blobs.put(b"another").sha256
    address = blobs.url(first, filename="x", content_type="text/plain")
    assert address is not None
    with pytest.raises(HTTPError) as refusal:
        urllib.request.urlopen(address.replace(first, second), timeout=10)
    refusal.value.close()
    assert refusal.value.code == 403


def test_a_large_file_goes_up_and_comes_back(s3_blobs: S3, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (20 << 12))
    assert blobs.read(blobs.put(path).sha256) == path.read_bytes()


@pytest.mark.usefixtures("blobs_out")
def test_a_store_that_is_out_is_said_soon() -> None:
    begun = time.monotonic()
    for act in (lambda: blobs.put(DATA), lambda: blobs.read("0" * 64), lambda: list(blobs.walk())):
        with pytest.raises(Unavailable) as refusal:
            act()
        assert refusal.value.code == "store_unavailable"
    assert time.monotonic() - begun < 30
