"""Tells a person how far it is: one line that changes on a terminal, plain lines elsewhere, all on standard error."""

import shutil
import sys
import threading
import time
from typing import Final, TextIO

_PAUSE: Final = 0.1
_BETWEEN_LINES: Final = 30.0


class Progress:
    """Counts files. Safe to call from any thread."""

    def __init__(self, stream: TextIO | None = None, *, is_quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._is_quiet = is_quiet
        self._is_live = self._stream.isatty()
        self._lock = threading.Lock()
        self._total = self._done = self._bytes = 0
        self._drawn_at = 0.0
        self._is_drawn = False

    def start(self, total: int) -> None:
        """So many files will come."""
        self._total, self._done, self._bytes = total, 0, 0

    def done(self, filename: str, size: int, about: str) -> None:
        """One of them is there."""
        with self._lock:
            self._done += 1
            self._bytes += size
            if self._is_quiet:
                return
            if self._is_live:
                self._draw(filename)
            else:
                self._line(f"{filename}  {about}  {readable(size)}")

    def show(self, text: str) -> None:
        """How it stands: the changing line on a terminal, now and then a line of its own elsewhere."""
        with self._lock:
            now = time.monotonic()
            if self._is_quiet or now - self._drawn_at < (0 if self._is_live else _BETWEEN_LINES):
                return
            self._drawn_at = now
            if self._is_live:
                self._write(text)
            else:
                self._line(text)

    def note(self, text: str) -> None:
        """Something that a person should know meanwhile."""
        with self._lock:
            if not self._is_quiet:
                self._clear()
                self._line(text)

    def finish(self) -> None:
        """No more of the changing line."""
        with self._lock:
            self._clear()

    def _draw(self, filename: str) -> None:
        now = time.monotonic()
        if now - self._drawn_at < _PAUSE and self._done < self._total:
            return
        self._drawn_at = now
        self._write(f"{self._done}/{self._total}  {readable(self._bytes)}  {filename}")

    def _write(self, text: str) -> None:
        self._is_drawn = True
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(f"\r{text[:width]:<{width}}")
        self._stream.flush()

    def _clear(self) -> None:
        if self._is_drawn:
            self._stream.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            self._stream.flush()
            self._is_drawn = False

    def _line(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def bar(part: float, width: int = 20) -> str:
    """How much of a whole is done, as a picture."""
    done = round(min(max(part, 0.0), 1.0) * width)
    return f"[{'#' * done}{'.' * (width - done)}]"


def span(seconds: float) -> str:
    """A time to wait as people say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{seconds / 3600:.1f} h"


def readable(size: int) -> str:
    """Bytes as people say them."""
    for unit in ("B", "KB", "MB"):
        if size < 1000:
            return f"{size} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000  # type: ignore[assignment]
    return f"{size:.1f} GB"
