"""The lock file: which bytes of which versions make up a pack. Read strictly, since it may be a stranger's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.client.errors import ClientError, local, untrusted
from hub.client.names import check_commit, check_full_name, check_sha256, check_trigger, hub_address, origin

LOCK_VERSION: Final = 1
DEFAULT_NAME: Final = "glossa.lock.json"
MAX_BYTES: Final = 64 << 20
MAX_FILE_BYTES: Final = 1 << 30


@dataclass(frozen=True)
class LockedFile:
    """One file of a member in one layout: its bytes by digest, and where they are had."""

    layout: str
    filename: str
    size: int
    sha256: str
    url: str


@dataclass(frozen=True)
class Member:
    """One version of one embedding."""

    name: str
    version: int
    commit: str
    trigger: str
    family: str
    files: tuple[LockedFile, ...]
    note: str = ""

    @property
    def label(self) -> str:
        """`owner/name@v3`."""
        return f"{self.name}@v{self.version}"

    def file(self, layout: str) -> LockedFile | None:
        """The file in that layout."""
        return next((file for file in self.files if file.layout == layout), None)


@dataclass(frozen=True)
class Lock:
    """A whole lock file. `pack` is None where it was made from single names."""

    hub: str
    members: tuple[Member, ...]
    pack: str | None = None
    created_from: str | None = None


def read(path: Path) -> Lock:
    """The lock file at that path. ClientError when it is missing, or is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise untrusted(f"{path} is far too large for a lock file.")
        return parse(path.read_bytes(), source=str(path))
    except FileNotFoundError:
        raise local("no_lock", f"There is no lock file {path}. Make one: glossa lock owner/pack") from None
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None


def parse(data: bytes, *, source: str) -> Lock:
    """A lock out of bytes. ClientError that names `source` when anything in it is not as it must be."""
    try:
        record: Any = json.loads(data)
        if isinstance(record, dict) and record.get("lock_version") != LOCK_VERSION:
            raise untrusted(
                f"its lock_version is {record.get('lock_version')!a}, this client reads {LOCK_VERSION}: update it."
            )
        return _lock(record)
    except ClientError as error:
        raise untrusted(f"{source} is no lock file that can be used: {error.message}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise untrusted(f"{source} is not a lock file of this kind.") from None


def written(lock: Lock) -> bytes:
    """The one form of a lock: sorted keys, two spaces, a line break at the end."""
    record = {
        "lock_version": LOCK_VERSION,
        "hub": lock.hub,
        "pack": lock.pack,
        "created_from": lock.created_from,
        "members": [
            {
                "name": member.name,
                "version": member.version,
                "commit": member.commit,
                "trigger": member.trigger,
                "family": member.family,
                "note": member.note,
                "files": [vars(file) for file in member.files],
            }
            for member in lock.members
        ],
    }
    return (json.dumps(record, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _lock(record: Mapping[str, Any]) -> Lock:
    hub = hub_address(_text(record["hub"]))
    pack, revision = record.get("pack"), record.get("created_from")
    return Lock(
        hub=hub,
        members=tuple(_member(member, hub) for member in _list(record["members"])),
        pack=None if pack is None else check_full_name(pack),
        created_from=None if revision is None else check_commit(revision),
    )


def _member(record: Mapping[str, Any], hub: str) -> Member:
    return Member(
        name=check_full_name(record["name"]),
        version=_whole(record["version"], 10**9),
        commit=check_commit(record["commit"]),
        trigger=check_trigger(record["trigger"]),
        family=_text(record["family"]),
        files=tuple(locked_file(file, hub) for file in _list(record["files"])),
        note=_text(record.get("note") or ""),
    )


def locked_file(record: Mapping[str, Any], hub: str) -> LockedFile:
    """A line of `files`. Its bytes come from the hub itself; where that sends one on is the hub's affair."""
    url = _text(record["url"])
    if origin(url) != origin(hub):
        raise untrusted(f"{url[:200]!a} is not an address of {hub}.")
    return LockedFile(
        layout=_text(record["layout"]),
        filename=_text(record["filename"]),
        size=_whole(record["size"], MAX_FILE_BYTES),
        sha256=check_sha256(record["sha256"]),
        url=url,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _whole(value: object, ceiling: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= ceiling:
        raise TypeError(value)
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(value)
    return value
