"""Numbers and dates of this door.

Embedding, version, file and picture keep the id of their row, which is never given twice.
"""

from datetime import UTC, datetime
from typing import Final

from hub.civitai.errors import malformed

LARGEST: Final = 2_147_483_647
SOURCE: Final = "glossa"


def number(text: str, *, field: str = "id") -> int:
    """An id in an address. Invalid for what is no positive 32-bit number."""
    if text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= LARGEST:
        return int(text)
    issue = {"code": "invalid_type", "expected": "number", "received": "nan", "path": [field]}
    raise malformed([{**issue, "message": f"Expected a number from 1 to {LARGEST}"}])


def date(moment: datetime | None) -> str | None:
    """`2026-11-24T13:45:33.000Z`."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
    return f"{text}{moment.microsecond // 1000:03}Z"
