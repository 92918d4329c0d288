"""Blobs in a folder. The order of the steps in `put` is what makes a crash at any of them harmless."""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from django.conf import settings

from hub.blobs.names import absent, digest_of, is_name, path_of
from hub.errors import Full, HubError, Unavailable
from hub.killpoints import kill_point

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskStore:
    """A folder with `sha256/ab/cd/<sha256>` and `tmp`, both in one file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, source: bytes | Path, sha256: str, length: int) -> None:
        """Store the bytes, or leave everything as it was."""
        target = self.root / path_of(sha256)
        try:
            if self._is_sound(target, sha256, length):
                # An earlier writer may have died between its rename and its fsync of the folder.
                _sync_folder(target.parent)
                return
            self._check_room(length)
            self._write(source, target, sha256)
        except OSError as error:
            raise _translated(error) from error

    def open(self, sha256: str) -> BinaryIO:
        """The file, for reading."""
        try:
            # With every pull, so not by way of a new Path.
            return open(f"{self.root}/{path_of(sha256)}", "rb")
        except FileNotFoundError:
            raise absent(sha256) from None
        except OSError as error:
            raise _translated(error) from error

    def size(self, sha256: str) -> int | None:
        """Length, or None when it is not there."""
        try:
            return (self.root / path_of(sha256)).stat().st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _translated(error) from error

    def delete(self, sha256: str) -> None:
        """Remove the file durably."""
        path = self.root / path_of(sha256)
        try:
            path.unlink()
            _sync_folder(path.parent)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _translated(error) from error

    def walk(self) -> Iterator[str]:
        """Names in order; entries that are no blobs are passed over."""
        for first in _names(self.root / "sha256"):
            for second in _names(self.root / "sha256" / first):
                yield from filter(is_name, _names(self.root / "sha256" / first / second))

    def url(self, sha256: str, filename: str, content_type: str) -> str | None:
        """A folder has no addresses: the site serves the bytes."""
        return None

    def sweep(self, max_age_seconds: float) -> int:
        """Remove temporary files of writers that died."""
        folder, removed = self.root / "tmp", 0
        oldest = time.time() - max_age_seconds
        for name in _names(folder):
            with contextlib.suppress(FileNotFoundError):
                if (folder / name).stat().st_mtime < oldest:
                    (folder / name).unlink()
                    removed += 1
        return removed

    def _is_sound(self, target: Path, sha256: str, length: int) -> bool:
        try:
            return target.stat().st_size == length and digest_of(target)[0] == sha256
        except FileNotFoundError:
            return False

    def _check_room(self, length: int) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.root).free - length < settings.HUB["HUB_MIN_FREE_BYTES"]:
            raise _full()

    def _write(self, source: bytes | Path, target: Path, sha256: str) -> None:
        staging = self.root / "tmp"
        staging.mkdir(exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=staging, prefix=f"{sha256[:16]}-")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                _copy(source, file)
                file.flush()
                kill_point("K2")
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            if digest_of(temporary)[0] != sha256:
                raise Unavailable(
                    "source_changed", "The file changed while it was being stored; send it again."
                )
            kill_point("K3")
            _make_folders(target.parent, self.root)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        kill_point("K4")
        _sync_folder(target.parent)


def _copy(source: bytes | Path, file: IO[bytes]) -> None:
    if isinstance(source, bytes):
        file.write(source)
        return
    with source.open("rb") as original:
        shutil.copyfileobj(original, file, 1 << 20)


def _make_folders(folder: Path, root: Path) -> None:
    """Make missing folders below root; a new name is durable once its parent is synced."""
    if folder == root or folder.is_dir():
        return
    _make_folders(folder.parent, root)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _full() -> Full:
    return Full("storage_full", "The hub's disk is full; nothing was stored. Its operator has to make room.")


def _translated(error: OSError) -> HubError:
    if error.errno in _NO_ROOM:
        return _full()
    return Unavailable("store_unavailable", "The hub's file store does not answer; try again in a minute.")
