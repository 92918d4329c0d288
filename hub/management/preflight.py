"""What has to be true before the hub starts; what is not is said in one line, with the cure."""

import fcntl
import importlib.util
import os
import shutil
import socket
import sqlite3
import sys
import time
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.management.base import CommandError

# A site that was just stopped may need a moment to let go of its port.
PORT_SECONDS = 3.0
ROOM_TO_START = 64 << 20


def check_python() -> None:
    """CommandError for a Python that the libraries are not made for."""
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise CommandError("Glossa runs on Python 3.11, 3.12 and 3.13. Remove .venv and set PYTHON for make.")


def check_room(folder: Path) -> None:
    """CommandError when there is no room to start; a warning text is the caller's when writes will be refused."""
    free = shutil.disk_usage(folder).free
    if free < ROOM_TO_START:
        raise CommandError(
            f"The disk of {folder} is full ({free >> 20} MiB free). Make room, or set HUB_DATA_DIR."
        )


def check_database() -> None:
    """CommandError for a SQLite that lacks the full-text index."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return
    try:
        with sqlite3.connect(":memory:") as probe:
            probe.execute("CREATE VIRTUAL TABLE probe USING fts5(word, tokenize='trigram')")
    except sqlite3.OperationalError:
        raise CommandError(
            f"This Python's SQLite {sqlite3.sqlite_version} has no FTS5 with trigrams. "
            "Use another Python, or Postgres through HUB_DATABASE_URL."
        ) from None
    finally:
        probe.close()


def check_port(port: int) -> None:
    """CommandError when something else listens there."""
    deadline = time.monotonic() + PORT_SECONDS
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return
            except PermissionError:
                raise CommandError(
                    f"Port {port} is for root only. Choose another: PORT=8000 make run"
                ) from None
            except (OSError, OverflowError):
                if time.monotonic() > deadline:
                    raise CommandError(
                        f"Port {port} is taken by another program. Choose another: PORT={port + 1} make run"
                    ) from None
        time.sleep(0.2)


def hold(folder: Path) -> IO[str]:
    """Hold the data folder for this supervisor as long as the answer is kept. CommandError when another does."""
    file = (folder / "quickstart.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise CommandError(
            f"Glossa already runs on {folder} (process {holder}). Stop it, or set HUB_DATA_DIR to another folder."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def warnings() -> list[str]:
    """What works less well than it could, one line each."""
    found = []
    if os.geteuid() == 0 and not settings.HUB["HUB_ALLOW_ROOT"]:
        found.append("Glossa runs as root; a plain user is safer.")
    if importlib.util.find_spec("torch") is None:
        found.append("Training is off: the training packages are missing. Install them with `make setup`.")
    if shutil.disk_usage(settings.DATA_DIR).free < settings.HUB["HUB_MIN_FREE_BYTES"]:
        found.append(
            "The disk is nearly full: the hub can be read, but stores nothing new until there is room."
        )
    return found
