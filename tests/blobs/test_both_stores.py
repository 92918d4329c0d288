"""What a blob store promises, the same for the folder and for the bucket."""

import hashlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import storages

from hub import blobs
from hub.blobs.names import path_of
from hub.errors import Invalid, NotFound, Unavailable

DATA = b"one word, three pictures"
NAME = hashlib.sha256(DATA).hexdigest()

pytestmark = pytest.mark.usefixtures("blob_store")


@pytest.fixture
def damage(blob_store: str, request: pytest.FixtureRequest) -> Callable[[bytes], None]:
    """Replace the stored bytes behind the store's back."""

    def on_disk(data: bytes) -> None:
        path = Path(request.getfixturevalue("disk_blobs")) / path_of(NAME)
        path.unlink()
        path.write_bytes(data)

    def in_bucket(data: bytes) -> None:
        client = request.getfixturevalue("s3_blobs").client()
        client.put_object(Bucket="hub", Key=f"{storages['blobs'].location}/{path_of(NAME)}", Body=data)

    return on_disk if blob_store == "disk" else in_bucket


def test_stored_bytes_come_back_under_their_sha256() -> None:
    stored = blobs.put(DATA)
    assert (stored.sha256, stored.size) == (NAME, len(DATA))
    assert blobs.read(NAME) == DATA
    assert blobs.exists(NAME)
    assert blobs.size(NAME) == len(DATA)


def test_a_file_is_stored_like_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(DATA * 100_000)
    stored = blobs.put(path)
    assert blobs.read(stored.sha256) == DATA * 100_000


def test_empty_bytes_are_a_blob() -> None:
    assert blobs.read(blobs.put(b"").sha256) == b""


def test_storing_twice_changes_nothing() -> None:
    assert blobs.put(DATA) == blobs.put(DATA)
    assert list(blobs.walk()) == [NAME]


def test_an_announced_digest_that_differs_is_refused_and_nothing_is_stored() -> None:
    with pytest.raises(Invalid) as refusal:
        blobs.put(DATA, sha256="0" * 64)
    assert refusal.value.code == "digest_mismatch"
    assert list(blobs.walk()) == []


@pytest.mark.parametrize("damaged", [b"half of", DATA[::-1]], ids=["other length", "same length"])
def test_a_damaged_blob_is_never_read_and_is_healed_by_storing_it_again(
    damage: Callable[[bytes], None], damaged: bytes
) -> None:
    blobs.put(DATA)
    damage(damaged)
    with pytest.raises(Unavailable) as refusal:
        blobs.read(NAME)
    assert refusal.value.code == "blob_damaged"
    blobs.put(DATA)
    assert blobs.read(NAME) == DATA


def test_an_opened_blob_can_be_read_in_any_order() -> None:
    blobs.put(DATA)
    with blobs.open(NAME) as file:
        file.seek(4)
        assert file.read(4) == DATA[4:8]
        file.seek(0)
        assert file.read() == DATA


def test_an_absent_blob_is_not_found() -> None:
    assert not blobs.exists(NAME)
    for act in (blobs.open, blobs.read, blobs.size):
        with pytest.raises(NotFound) as refusal:
            act(NAME)
        assert refusal.value.code == "blob_not_found"


def test_deleting_is_final_and_may_be_repeated() -> None:
    blobs.put(DATA)
    blobs.delete(NAME)
    blobs.delete(NAME)
    assert not blobs.exists(NAME)


def test_walk_names_every_blob_in_order() -> None:
    names = sorted(blobs.put(bytes([number])).sha256 for number in range(20))
    assert list(blobs.walk()) == names


def test_walking_an_unused_store_finds_nothing() -> None:
    assert list(blobs.walk()) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", NAME.upper(), NAME[:-1], f"{NAME}\n"])
def test_a_name_that_is_no_digest_never_reaches_the_store(name: str) -> None:
    for act in (blobs.open, blobs.exists, blobs.size, blobs.delete):
        with pytest.raises(ValueError, match="not a SHA-256"):
            act(name)


def test_many_writers_of_one_blob_all_succeed() -> None:
    failures: list[BaseException] = []

    def write() -> None:
        try:
            blobs.put(DATA)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert blobs.read(NAME) == DATA
