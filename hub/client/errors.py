"""What can go wrong for a person at the command line, and the exit code that tells a script so."""

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes; docs/client.md has the same table."""

    DONE = 0
    DIFFERENT = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    UNREACHABLE = 5
    UNTRUSTED = 6
    LOCAL = 7
    REFUSED = 8
    INTERRUPTED = 130


class ClientError(Exception):
    """Something that ends a command: a stable code, and a sentence that says what was wrong and what to do."""

    def __init__(self, exit_code: Exit, code: str, message: str, **detail: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.detail = {key: value for key, value in detail.items() if value is not None}

    def record(self) -> dict[str, Any]:
        """The error as --json prints it: the body of the hub's own refusals, with the exit code."""
        body = {"code": self.code, "message": self.message, "exit": int(self.exit_code)}
        return {"error": {**body, **({"detail": self.detail} if self.detail else {})}}


def usage(message: str) -> ClientError:
    """The command line itself is at fault."""
    return ClientError(Exit.USAGE, "usage", message)


def untrusted(message: str, **detail: Any) -> ClientError:
    """A hub or a lock file said something that no honest one says."""
    return ClientError(Exit.UNTRUSTED, "untrusted_answer", message, **detail)


def local(code: str, message: str, **detail: Any) -> ClientError:
    """This machine is in the way: disk, permissions, a file of the user's."""
    return ClientError(Exit.LOCAL, code, message, **detail)


def unreachable(message: str, **detail: Any) -> ClientError:
    """No answer, or none that means anything."""
    return ClientError(Exit.UNREACHABLE, "unreachable", message, **detail)
