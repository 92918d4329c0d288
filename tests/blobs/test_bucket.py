"""What only a bucket does: signed addresses, conditional writes, and a store that is out."""

import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from hub import blobs
from hub.env import s3_storage
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


def test_links_are_signed_for_the_address_that_people_use(s3_blobs: S3, settings: Any) -> None:
    name = blobs.put(DATA).sha256
    public = f"http://localhost:{s3_blobs.port}"
    options = {**settings.STORAGES["blobs"]["OPTIONS"], "public_url": public}
    settings.STORAGES = {
        **settings.STORAGES,
        "blobs": {**settings.STORAGES["blobs"], "OPTIONS": {**options, "endpoint_url": s3_blobs.endpoint}},
    }
    address = blobs.url(name, filename="x", content_type="text/plain")
    assert address is not None
    assert address.startswith(public)
    with urllib.request.urlopen(address, timeout=10) as answer:
        assert answer.read() == DATA


def test_a_bucket_that_only_the_hub_reaches_gives_no_links(settings: Any) -> None:
    storage = s3_storage("s3://hub/blobs?endpoint=http://s3:8333&public=")
    settings.STORAGES = {**settings.STORAGES, "blobs": storage}
    assert blobs.url("0" * 64, filename="x", content_type="text/plain") is None


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
