"""Places in a sorted list, as text that a caller hands back: the last value seen and its id, so no row is met twice."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from hub.errors import Invalid

_BETWEEN: Final = "~"
# Fields that hold numbers or texts; the others hold moments.
_NUMBERS: Final = frozenset({"downloads", "likes", "number", "pk"})
_TEXTS: Final = frozenset({"alphabetical"})


def write(field: str, last: Any) -> str:
    """The place after this row, in a list sorted by this field and then by id."""
    value: Any = last
    for name in field.split("__"):
        value = getattr(value, name)
    return f"{value.isoformat() if isinstance(value, datetime) else value}{_BETWEEN}{last.pk}"


def after(field: str, cursor: str, *, descending: bool = True, key: type[int] | type[UUID] = int) -> Q:
    """What comes after that place, in a list of rows whose id is a `key`. Invalid for a cursor of another list."""
    text, _, pk = cursor.rpartition(_BETWEEN)
    try:
        value, last = _value(field, text), key(pk)
    except ValueError:
        raise foreign() from None
    if any(isinstance(one, int) and one.bit_length() > 63 for one in (value, last)):
        raise foreign()
    way = "lt" if descending else "gt"
    return Q(**{f"{field}__{way}": value}) | Q(**{field: value, f"pk__{way}": last})


def _value(field: str, text: str) -> Any:
    """What the cursor says of the field. ValueError for what the field does not hold."""
    if field in _TEXTS:
        return text
    if field in _NUMBERS:
        if not text.isdecimal():
            raise ValueError(text)
        return int(text)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def foreign() -> Invalid:
    """The refusal of a cursor that was not written here."""
    return Invalid("malformed_request", "The cursor is not one of ours.", field="cursor")
