"""Actors of a queue that only the tests of the worker have: each writes a line where the test can read it."""

import time
from pathlib import Path

import dramatiq
from django.db import transaction

from hub.jobs import promises


def _write(path: str, line: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{line}\n")


@dramatiq.actor(actor_name="note", queue_name="default")
def note(path: str, line: str) -> None:
    """Write a line."""
    _write(path, line)


@dramatiq.actor(actor_name="note_once", queue_name="default")
def note_once(path: str, line: str) -> None:
    """Write a line, once for each promise."""
    with transaction.atomic():
        if promises.first_delivery():
            _write(path, line)


@dramatiq.actor(actor_name="note_slowly", queue_name="default")
def note_slowly(path: str, line: str) -> None:
    """Write a line at the beginning and one at the end."""
    _write(path, f"{line} begun")
    time.sleep(1.5)
    _write(path, f"{line} done")


@dramatiq.actor(actor_name="fail", queue_name="default", max_retries=0)
def fail(path: str) -> None:
    """Write a line, then fail for good."""
    _write(path, "failed")
    raise ArithmeticError("on purpose")
