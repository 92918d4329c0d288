"""Counts of pulls: by version and day, and the sum that lists sort by.

A pull does not wait for its count. A process keeps counts for a few seconds and writes them together, and what it has
when it ends; one that is killed loses those of its last seconds, and never anything else.
"""

import atexit
import logging
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final

from django.db import DatabaseError, connections, transaction
from django.db.models import F
from django.utils import timezone

from hub.models import Download, Embedding, File

log = logging.getLogger(__name__)

# The longest that a count waits to be written.
WAIT_SECONDS: Final = 5.0
# A stored file, and the day of the pull.
Pull = tuple[int, date]


def count_download(*, file_id: int, day: date | str) -> None:
    """Count one pull of a file on that day; silent for a file that is gone."""
    count_downloads({(file_id, date.fromisoformat(str(day))): 1})


def count_downloads(pulls: Mapping[Pull, int]) -> None:
    """Count so many pulls of each file on its day; silent for files that are gone."""
    versions = File.objects.filter(pk__in={file for file, _ in pulls}).values_list(
        "pk", "version", "version__embedding"
    )
    of_file = {file: (version, embedding) for file, version, embedding in versions}
    by_day: Counter[tuple[int, date]] = Counter()
    in_all: Counter[int] = Counter()
    for (file, day), count in pulls.items():
        if file in of_file:
            version, embedding = of_file[file]
            by_day[version, day] += count
            in_all[embedding] += count
    with transaction.atomic():
        # In one order everywhere, so that two processes never wait for each other.
        for (version, day), count in sorted(by_day.items()):
            row, _ = Download.objects.get_or_create(version_id=version, day=day)
            Download.objects.filter(pk=row.pk).update(count=F("count") + count)
        for embedding, count in sorted(in_all.items()):
            Embedding.objects.filter(pk=embedding).update(downloads=F("downloads") + count)


class Tally:
    """The pulls that this process has counted and not written yet; `wait_seconds` is how long that may last."""

    def __init__(self, wait_seconds: float) -> None:
        self.wait_seconds = wait_seconds
        self._pulls: Counter[Pull] = Counter()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, file_id: int) -> None:
        """Count a pull of this file now."""
        with self._lock:
            self._pulls[file_id, timezone.now().date()] += 1
            self._see_to_it()

    def write(self) -> None:
        """Write what was counted. A database that is out or full keeps it waiting: pulls must not fail for it."""
        with self._lock:
            pulls, self._pulls, self._timer = self._pulls, Counter(), None
        if not pulls:
            return
        try:
            count_downloads(pulls)
        except DatabaseError as error:
            log.warning("%d pulls wait to be counted: %s", pulls.total(), error)
            with self._lock:
                self._pulls.update(pulls)
                self._see_to_it()

    def forget(self) -> int:
        """Drop what was not written: how many pulls that was."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            pulls, self._pulls, self._timer = self._pulls, Counter(), None
        return pulls.total()

    def _see_to_it(self) -> None:
        """Have this written in time, by a thread that dies with the process."""
        if self._timer is None:
            self._timer = threading.Timer(self.wait_seconds, self._write_aside)
            self._timer.daemon = True
            self._timer.start()

    def _write_aside(self) -> None:
        try:
            self.write()
        finally:
            # A thread has connections of its own.
            connections.close_all()


tally: Final = Tally(WAIT_SECONDS)
atexit.register(tally.write)
