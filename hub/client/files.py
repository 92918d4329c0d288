"""Files that are there whole or not at all, and digests of what is there."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path


def write_atomically(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write a file so that any reader, at any time, sees the old bytes or the new ones."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder outlive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        return  # some network file systems cannot; the rename itself has happened
    finally:
        os.close(handle)


def put_in_place(source: Path, target: Path, *, may_replace: bool) -> bool:
    """Give a finished file its name. False, with nothing changed, where a file that may not be replaced has it."""
    if may_replace:
        os.replace(source, target)
        return True
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError:
        # A file system without links: nearly as good.
        if os.path.lexists(target):
            return False
        os.replace(source, target)
        return True
    source.unlink()
    return True


def digest(path: Path) -> str | None:
    """SHA-256 of a plain file; None where there is none, and "" for what is there but no plain file."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return _linked(path)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _linked(path: Path) -> str:
    """The digest of the file that a link leads to: people link their models together."""
    if path.is_symlink() and path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    return ""
