"""A blob that is handed over as a file was compared with its name: once, and again when the file is another."""

import hashlib
from typing import Any

import pytest

from hub import blobs
from hub.errors import NotFound, Unavailable

DATA = b"values" * 1000


@pytest.mark.usefixtures("blob_store")
def test_the_file_holds_the_bytes_from_their_beginning_each_time() -> None:
    name = blobs.put(DATA).sha256
    for _ in range(2):
        with blobs.checked(name) as file:
            assert file.read() == DATA
    with pytest.raises(NotFound):
        blobs.checked("0" * 64)


def test_a_file_that_was_damaged_after_it_was_compared_is_refused(disk_blobs: Any) -> None:
    name = blobs.put(DATA).sha256
    blobs.checked(name).close()
    path = next(path for path in disk_blobs.rglob(name))
    path.chmod(0o644)
    path.write_bytes(b"x" * len(DATA))
    with pytest.raises(Unavailable) as refusal:
        blobs.checked(name)
    assert refusal.value.code == "blob_damaged"


def test_a_file_is_compared_again_after_a_day(disk_blobs: Any, monkeypatch: Any) -> None:
    name = blobs.put(DATA).sha256
    blobs.checked(name).close()
    compared = []
    digest = hashlib.file_digest
    monkeypatch.setattr("hashlib.file_digest", lambda *given: compared.append(1) or digest(*given))
    blobs.checked(name).close()
    assert compared == []
    monkeypatch.setattr(blobs, "COMPARED_SECONDS", -1.0)
    blobs.checked(name).close()
    assert compared == [1]
