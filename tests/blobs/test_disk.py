"""What only a folder does: room, rights, leftovers, and every instruction at which a writer can die."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from hub import blobs
from hub.blobs.names import path_of
from hub.errors import Full, Unavailable
from tests import kill

DATA = b"kept or absent, never half"
NAME = hashlib.sha256(DATA).hexdigest()
PUT = "import sys; from hub import blobs; blobs.put(sys.argv[1].encode())"


@pytest.mark.parametrize("point", ["K2", "K3", "K4"])
def test_a_killed_writer_leaves_the_blob_whole_or_absent_and_a_retry_succeeds(
    tmp_path: Path, point: str
) -> None:
    place = {"HUB_DATA_DIR": str(tmp_path), "HUB_BLOBS_URL": f"file://{tmp_path}/blobs"}
    kill.run(PUT, DATA.decode(), point=point, **place)
    stored = tmp_path / "blobs" / path_of(NAME)
    if point == "K4":
        assert stored.read_bytes() == DATA
    else:
        assert not stored.exists()
    kill.run(PUT, DATA.decode(), **place)
    assert stored.read_bytes() == DATA


def test_leftovers_of_dead_writers_are_swept_after_an_hour_and_not_before(disk_blobs: Path) -> None:
    blobs.put(DATA)
    leftover = disk_blobs / "tmp" / "dead"
    leftover.write_bytes(b"half")
    assert blobs.sweep() == 0
    long_ago = time.time() - 3700
    os.utime(leftover, (long_ago, long_ago))
    assert blobs.sweep() == 1
    assert list(blobs.walk()) == [NAME]


def test_stored_files_cannot_be_written_by_accident(disk_blobs: Path) -> None:
    blobs.put(DATA)
    assert (disk_blobs / path_of(NAME)).stat().st_mode & 0o777 == 0o444


def test_a_full_disk_refuses_before_anything_is_written(disk_blobs: Path, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_MIN_FREE_BYTES": shutil.disk_usage("/").total * 2}
    with pytest.raises(Full) as refusal:
        blobs.put(DATA)
    assert refusal.value.code == "storage_full"
    assert list(blobs.walk()) == []
    assert not any((disk_blobs / "tmp").glob("*"))


def test_what_is_stored_already_is_accepted_on_a_full_disk(disk_blobs: Path, settings: Any) -> None:
    blobs.put(DATA)
    settings.HUB = {**settings.HUB, "HUB_MIN_FREE_BYTES": shutil.disk_usage("/").total * 2}
    assert blobs.put(DATA).sha256 == NAME


def test_a_store_that_is_no_folder_is_unavailable(disk_blobs: Path) -> None:
    disk_blobs.write_bytes(b"a file where the folder should be")
    with pytest.raises(Unavailable):
        blobs.put(DATA)


def test_the_site_serves_the_bytes_itself(disk_blobs: Path) -> None:
    assert blobs.url(NAME, filename="moss.safetensors", content_type="application/octet-stream") is None
