"""The sandbox child: an open file in, facts and re-made bytes out on a pipe.

Started by hub.sandbox with one argument, a JSON request. It loads the reader, gives up its rights
(`lockdown`), and only then reads the file. The answer is eight bytes of length, a JSON header of that length,
and the body.
"""

import importlib
import json
import os
import struct
import sys
import traceback
from collections.abc import Callable
from typing import Any

from hub.formats.errors import FormatError
from hub.formats.lockdown import EXIT_CRASH, EXIT_MEMORY, EXIT_SETUP, lock

Reader = Callable[..., tuple[dict[str, object], bytes]]


def main(request_text: str) -> None:
    """Serve one request and leave the process; never returns."""
    try:
        request = json.loads(request_text)
        module_name, _, name = request["entry"].partition(":")
        module = importlib.import_module(module_name)
        reader: Reader = getattr(module, name)
        getattr(module, "preload", _nothing)()
        protections = lock(request["limits"], audit=request.get("audit", True))
    except BaseException:  # noqa: BLE001 - a child reports every failure by its exit code
        _leave(EXIT_SETUP)
    try:
        answer = _answer(reader, request, protections)
        _write(answer)
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except BaseException:  # noqa: BLE001 - the same
        _leave(EXIT_CRASH)
    os._exit(0)


def _nothing() -> None:
    """What a reader without files or modules to load in advance needs."""


def _answer(reader: Reader, request: dict[str, Any], protections: list[str]) -> bytes:
    header: dict[str, object] = {"protections": protections}
    body = b""
    try:
        header["facts"], body = reader(request["descriptor"], **request["arguments"])
    except FormatError as error:
        header["refusal"] = {
            "code": error.code,
            "message": error.message,
            "rule": error.rule,
            "detail": error.detail,
        }
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


def _leave(code: int) -> None:
    try:
        os.write(2, traceback.format_exc(limit=-8)[-4000:].encode("ascii", "backslashreplace"))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
