"""Every error the domain can raise: a kind, a stable code, a sentence for people, detail for programs.

No HTTP here: `hub.wire.errors` holds the one table from kind to status.
"""

from typing import Any, ClassVar


class HubError(Exception):
    """A refusal that a door translates. `message` says what was wrong and what to do."""

    kind: ClassVar[str] = "invalid"

    def __init__(self, code: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.detail = {key: value for key, value in detail.items() if value is not None}

    @property
    def field(self) -> str | None:
        """The form or body field the refusal is about, if it is about one."""
        return self.detail.get("field")


class Invalid(HubError):
    """The request cannot be understood, or contradicts itself."""

    kind = "invalid"


class Unauthenticated(HubError):
    """No credentials, or credentials that no longer work."""

    kind = "unauthenticated"


class Forbidden(HubError):
    """The thing is visible, but this act on it is not allowed."""

    kind = "forbidden"


class NotFound(HubError):
    """Absent, or hidden from this viewer: the two look the same."""

    kind = "not_found"

    def __init__(
        self, message: str = "There is nothing here.", *, code: str = "not_found", **detail: Any
    ) -> None:
        super().__init__(code, message, **detail)


class Renamed(NotFound):
    """What had this name has another one; `detail` has its `owner` and `name`. Doors lead there."""

    def __init__(self, message: str, *, owner: str, name: str) -> None:
        super().__init__(message, code="renamed", owner=owner, name=name)


class Conflict(HubError):
    """Something with this name, number or state exists already."""

    kind = "conflict"


class Gone(HubError):
    """It was public once and its owner deleted it."""

    kind = "gone"


class TooLarge(HubError):
    """Over a size limit or a quota."""

    kind = "too_large"


class Unacceptable(HubError):
    """Well-formed request, content that the hub does not accept (`detail["rule"]` names the rule)."""

    kind = "unacceptable"


class UnacceptableFile(Unacceptable):
    """An embedding or picture that was read and refused."""


class ReadOnly(HubError):
    """The hub is in maintenance: reads go on, writes are refused."""

    kind = "read_only"


class RateLimited(HubError):
    """Too many requests or runs; `detail["retry_after"]` in seconds."""

    kind = "rate_limited"


class TakenDown(HubError):
    """Removed by a ruling; a tombstone is left."""

    kind = "taken_down"


class Unavailable(HubError):
    """A part the hub depends on is out; try again later."""

    kind = "unavailable"


class Full(HubError):
    """The disk or the store has no room left."""

    kind = "full"
