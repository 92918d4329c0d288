"""Hold a folder against a lock, without a network: what is missing, what was changed, what is there beside."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hub.client import planning, state
from hub.client.files import digest
from hub.client.lockfile import Lock, Member
from hub.client.tools import Placed, Tool

# What tools take for an embedding when it lies in their folder.
SUFFIXES: Final = frozenset({".safetensors", ".pt", ".bin", ".png", ".webp", ".jxl", ".avif"})


@dataclass
class Found:
    """`extra`: files that the client put there and the lock does not name; `foreign`: those of anybody else."""

    right: list[Placed] = field(default_factory=list)
    missing: list[Placed] = field(default_factory=list)
    changed: list[Placed] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    left_out: list[Member] = field(default_factory=list)


def check(lock: Lock, *, tool: Tool | None, folder: Path, without: tuple[str, ...] = ()) -> Found:
    """Compare every file by its SHA-256."""
    wanted = planning.wanted(lock.members, tool, without=without)
    found = Found(left_out=wanted.left_out)
    for filename, file in wanted.files.items():
        there = digest(folder / filename)
        if there == file.file.sha256:
            found.right.append(file)
        elif there is None:
            found.missing.append(file)
        else:
            found.changed.append(file)
    known = state.load(folder)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix.lower() in SUFFIXES and path.name not in wanted.files and path.is_file():
            (found.extra if path.name in known else found.foreign).append(path.name)
    return found
