"""What the client has put into a folder: a small hidden folder `.glossa` beside the files, and a lock on it.

Only what stands here is ever replaced or removed. A file is written down before it is put in place, with all digests
it may have until then, so that a kill at any moment leaves no file that nobody owns up to.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.client.errors import local
from hub.client.files import write_atomically
from hub.client.names import check_sha256

FOLDER: Final = ".glossa"
STATE_VERSION: Final = 1
# Pulled by hand, not by a lock: no lock removes it.
BY_HAND: Final = "pull"


@dataclass(frozen=True)
class Entry:
    """A file that was put there: the digests it may have, which version it is, and which lock wanted it."""

    digests: tuple[str, ...]
    name: str
    version: int
    wanted_by: str


State = dict[str, Entry]


def inner(folder: Path) -> Path:
    """The hidden folder, made if it is missing."""
    hidden = folder / FOLDER
    try:
        (hidden / "parts").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise local("unwritable", f"{hidden}: {error.strerror}.") from None
    return hidden


def load(folder: Path) -> State:
    """What was put there; nothing where nothing was."""
    path = folder / FOLDER / "state.json"
    try:
        record: Any = json.loads(path.read_bytes())
        if record["state_version"] != STATE_VERSION:
            raise local("newer_state", f"{path} is of a newer client. Update this one.")
        return {_plain(filename): _entry(row) for filename, row in record["files"].items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise local("bad_state", f"{path} is damaged. Remove it: then all files count as your own.") from None
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None


def save(folder: Path, state: State) -> None:
    """Write it down."""
    files = {
        filename: {
            "digests": list(entry.digests),
            "name": entry.name,
            "version": entry.version,
            "wanted_by": entry.wanted_by,
        }
        for filename, entry in state.items()
    }
    content = json.dumps({"state_version": STATE_VERSION, "files": files}, indent=1, sort_keys=True) + "\n"
    write_atomically(inner(folder) / "state.json", content.encode())


@contextmanager
def alone(folder: Path, note: Callable[[str], None]) -> Iterator[None]:
    """Be the only client that works in this folder; wait for another one. A killed client holds nothing."""
    handle = os.open(inner(folder) / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _locked(handle, wait=False):
            note(f"Another glossa works in {folder}; waiting for it.")
            _locked(handle, wait=True)
        yield
    finally:
        os.close(handle)


if sys.platform == "win32":  # pragma: no cover
    import msvcrt

    def _locked(handle: int, *, wait: bool) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return _locked(handle, wait=True) if wait else False
        return True

else:
    import fcntl

    def _locked(handle: int, *, wait: bool) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: alone as far as anybody can tell
        return True


def _entry(record: Any) -> Entry:
    digests = tuple(check_sha256(digest) for digest in record["digests"])
    return Entry(digests, str(record["name"]), int(record["version"]), str(record["wanted_by"]))


def _plain(filename: str) -> str:
    """A name without a folder in it, or ValueError."""
    if filename in ("", ".", "..") or "/" in filename or "\\" in filename or "\0" in filename:
        raise ValueError(filename)
    return filename
