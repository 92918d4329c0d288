"""Bodies of requests: small JSON, and the lines of a commit, whose files are spooled and never held whole."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest

from hub.errors import Invalid, TooLarge
from hub.services.pushing import pending
from hub.wire.uploads import MEBIBYTE

# What clients put into one commit at most, and what it takes to write that as text.
COMMIT_BYTES: Final = 140 * MEBIBYTE
MOST_LINES: Final = 1_000
_SMALL: Final = 64 * 1024
_PIECE: Final = 1_398_104  # of base64, four letters a group: a mebibyte of bytes
_CONTENT = re.compile(rb'"content"\s*:\s*"([^"\\]*)"')


@dataclass(frozen=True)
class Line:
    """One line of a commit; `content` is where the bytes of a file lie that came with it."""

    key: str
    value: dict[str, Any]
    content: Path | None = None


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Invalid for anything else."""
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Invalid("malformed_request", "Send a JSON object.")
    return body


def text(body: dict[str, Any], name: str, *, otherwise: str | None = None, most: int = 2_000) -> str:
    """A text of a JSON object that both databases can hold. Invalid when it is missing or no such text."""
    value = body.get(name)
    if value is None and otherwise is not None:
        return otherwise
    if not isinstance(value, str) or len(value) > most or any(_is_unspeakable(letter) for letter in value):
        raise Invalid(
            "malformed_request", f"“{name}” has to be a text of at most {most} letters.", field=name
        )
    return value


def _is_unspeakable(letter: str) -> bool:
    """NUL, and halves of a pair."""
    return letter == "\0" or "\ud800" <= letter <= "\udfff"


def commit_lines(request: HttpRequest, folder: Path) -> Iterator[Line]:
    """The lines of a commit, one at a time; files are written to `folder`. TooLarge or Invalid for a bad body."""
    longest, left = pending.largest() * 4 // 3 + _SMALL, COMMIT_BYTES
    for number in range(MOST_LINES + 1):
        line = request.readline(longest + 1)
        left -= len(line)
        if not line:
            return
        if len(line) > longest or left < 0:
            most = pending.largest() // MEBIBYTE
            raise TooLarge(
                "file_too_large", f"A file of a commit may have {most} MiB, and all of them 100 MiB."
            )
        if number == MOST_LINES:
            raise TooLarge("file_too_large", f"A commit has at most {MOST_LINES} lines; make several.")
        if line.strip():
            yield _line(line, folder / f"{number:04}")


def _line(line: bytes, target: Path) -> Line:
    """Cut the content out of the text before it is read as JSON, so that there is never a second copy of it."""
    match, content = _CONTENT.search(line), None
    if match is not None:
        content = target
        _decode(memoryview(line)[match.start(1) : match.end(1)], target)
        line = line[: match.start(1)] + line[match.end(1) :]
    try:
        record = json.loads(line)
        key, value = record["key"], record["value"]
    except (ValueError, RecursionError, TypeError, KeyError):
        raise _unreadable() from None
    if not isinstance(key, str) or not isinstance(value, dict) or (key == "file") != (content is not None):
        raise _unreadable()
    if key == "file" and value.get("encoding", "base64") != "base64":
        raise Invalid("malformed_request", "The content of a file is sent as base64.")
    return Line(key, value, content)


def _decode(text: memoryview, target: Path) -> None:
    try:
        with target.open("wb") as file:
            for start in range(0, len(text), _PIECE):
                file.write(base64.b64decode(text[start : start + _PIECE], validate=True))
    except binascii.Error:
        raise Invalid("malformed_request", "The content of a file is no base64.") from None


def _unreadable() -> Invalid:
    return Invalid("malformed_request", "A commit is lines of JSON, each with a “key” and a “value”.")
