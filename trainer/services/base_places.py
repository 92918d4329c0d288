"""Where base models lie in the models folder: one install at a time, whole or not at all."""

import fcntl
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from hub.errors import Conflict, Full
from hub.models import BaseModel
from trainer.models import RUNNING, WAITING, TrainingRun


def folder_of(name: str) -> Path:
    """The folder of an installed base."""
    return Path(settings.MODELS_DIR) / name


@contextmanager
def making(name: str) -> Iterator[Path]:
    """A folder to build a base in, which `take` then puts in its place. What is left of a killed install goes first.

    Raises Conflict `state_conflict` while another install works in the models folder.
    """
    target = folder_of(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / ".installing").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                "state_conflict", "Another install works in the models folder; wait until it is done."
            ) from None
        # A name of its own for each try: the engine of a killed one may be about to write a last part still.
        partial = target.with_name(f".{name}.part-{secrets.token_hex(4)}")
        old = target.with_name(f".{name}.old")
        if old.is_dir() and not target.exists():
            old.rename(target)
        for left in (*target.parent.glob(f".{name}.part-*"), old):
            shutil.rmtree(left, ignore_errors=True)
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def take(partial: Path, name: str) -> Path:
    """Put a finished folder, read-only from here on, in the place of its name; the one before it goes last."""
    target = folder_of(name)
    for path in partial.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    old = target.with_name(f".{name}.old")
    if target.exists():
        target.rename(old)
    partial.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    return target


def check_room(size: int) -> None:
    """Raise Full unless so many bytes and the room that must stay free are there."""
    root = Path(settings.MODELS_DIR)
    while not root.exists():
        root = root.parent
    free = shutil.disk_usage(root).free
    wanted = size + settings.HUB["HUB_MIN_FREE_BYTES"]
    if free < wanted:
        raise Full(
            "storage_full",
            f"This base takes {size / 2**30:.1f} GiB and {(wanted - size) / 2**30:.1f} GiB must stay free, but the "
            f"models folder has {free / 2**30:.1f} GiB left. Make room, or set HUB_MODELS_DIR to another disk.",
        )


def drop(name: str) -> None:
    """Delete the folder of a base: away under its name at once, then file by file."""
    target = folder_of(name)
    with making(name) as partial:
        if target.is_dir():
            target.rename(partial)


def size_of(folder: Path) -> int:
    """Bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def check_unused(base: BaseModel) -> None:
    """Raise Conflict `base_in_use` while a run needs these files: it could not go on, or not to the same end."""
    needed = TrainingRun.objects.filter(base_model=base)
    running, waiting = (needed.filter(state__in=states).count() for states in (RUNNING, WAITING))
    if running or waiting:
        raise Conflict(
            "base_in_use",
            f"“{base.name}” is needed by {running} runs in progress and {waiting} that wait. "
            "Let them end or stop them first.",
        )
