"""A form with files, read from disk as it is sent: however many pictures go up, none is held in memory."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from hub.client.errors import local
from hub.client.names import printable

_PIECE: Final = 1 << 18


class Form:
    """Fields and files of any names; can be sent again. `told` hears of each file when it has gone out.

    ClientError for a file that cannot be read, when the form is made or while it is sent.
    """

    def __init__(
        self,
        fields: Iterable[tuple[str, str]],
        files: Iterable[tuple[str, Path]],
        *,
        told: Callable[[Path], object] = lambda _path: None,
    ) -> None:
        boundary = f"glossa-{secrets.token_hex(16)}"
        self._told = told
        self._fields = b"".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields
        )
        self._files = [(_head(boundary, name, path), path, _size(path)) for name, path in files]
        self._end = f"--{boundary}--\r\n".encode()
        length = len(self._fields) + sum(len(head) + size + 2 for head, _, size in self._files)
        self.headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(length + len(self._end)),
        }

    def __iter__(self) -> Iterator[bytes]:
        yield self._fields
        for head, path, size in self._files:
            yield head
            yield from _pieces(path, size)
            yield b"\r\n"
            self._told(path)
        yield self._end


def _head(boundary: str, name: str, path: Path) -> bytes:
    shown = printable(path.name).replace("\\", "_").replace('"', "_")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{shown}"\r\n'
    return f"{head}Content-Type: application/octet-stream\r\n\r\n".encode()


def _size(path: Path) -> int:
    try:
        with path.open("rb"):
            return path.stat().st_size
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    """The bytes of a file, as many as it had when the form was made."""
    left = size
    try:
        with path.open("rb") as file:
            while left and (piece := file.read(min(left, _PIECE))):
                left -= len(piece)
                yield piece
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None
    if left:
        raise local("changed", f"{path} was changed while it was sent. Start again.")
