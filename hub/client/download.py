"""One file from the hub into a folder: to a temporary name, checked against its digest, then renamed.

What a broken transfer has left is taken up again with a range; a digest that does not fit throws it away.
"""

import hashlib
import http.client
import os
from pathlib import Path
from typing import BinaryIO, Final

from hub.client.errors import ClientError, Exit, local, unreachable, untrusted
from hub.client.files import put_in_place
from hub.client.state import FOLDER
from hub.client.tools import Placed
from hub.client.transport import Call, Transport

_CHUNK: Final = 1 << 18
# Less than this is fetched anew as fast as it is taken up again.
WORTH_KEEPING: Final = 1 << 20


class Stopped(Exception):
    """Somebody asked to stop while a file was on its way."""


def fetch(transport: Transport, wanted: Placed, folder: Path, *, may_replace: bool) -> None:
    """Put the file into the folder. ClientError when the hub has no such bytes, or a strange file is in the way."""
    part = folder / FOLDER / "parts" / f"{wanted.filename}.{wanted.file.sha256[:16]}.part"
    try:
        _receive(transport, wanted, part)
        if not put_in_place(part, folder / wanted.filename, may_replace=may_replace):
            raise in_the_way(wanted, folder)
    except OSError as error:
        raise local("unwritable", f"{folder / wanted.filename}: {error.strerror or error}.") from None


def _receive(transport: Transport, wanted: Placed, part: Path) -> None:
    """Have the whole file in `part`, going on where a transfer broke off as long as each brings something."""
    while True:
        had = _size(part)
        try:
            if _is_whole(transport, wanted, part):
                return
        except ClientError as error:
            is_going_on = error.exit_code is Exit.UNREACHABLE and not transport.stopped.is_set()
            if is_going_on and _size(part) > had:
                continue
            raise
        if not had:
            raise _mismatch(transport, wanted)
        # The kept beginning was at fault, not the hub: once more from the start.


def in_the_way(wanted: Placed, folder: Path) -> ClientError:
    """A file that the client did not put there has the name."""
    return local(
        "file_exists",
        f"{folder / wanted.filename} is there already, with other content, and was not put there by glossa. Move it "
        "away, or replace it with --overwrite.",
        file=wanted.filename,
    )


def _is_whole(transport: Transport, wanted: Placed, part: Path) -> bool:
    """Receive the rest of a file; whether the whole has the right digest. If not, nothing is left.

    A transfer that breaks off raises ClientError, and what came is kept.
    """
    file, had = wanted.file, _size(part)
    if had > file.size:
        part.unlink()
        had = 0
    headers = {"Range": f"bytes={had}-", "If-Range": f'"{file.sha256}"'} if had else {}
    with part.open("ab") as stream:
        digest = _digest_so_far(part, had)
        if had < file.size:
            with transport.opened(Call("GET", file.url, headers)) as response:
                if response.status != 206 or not _begins_at(response.headers.get("Content-Range", ""), had):
                    stream.truncate(0)
                    had, digest = 0, hashlib.sha256()
                had += _copied(transport, response, stream, digest, file.size - had)
                if had < file.size and response.length:
                    raise unreachable(f"{file.url} broke off after {had} of {file.size} bytes.")
        stream.flush()
        if had == file.size and digest.hexdigest() == file.sha256:
            os.fsync(stream.fileno())
            return True
    part.unlink()
    return False


def _begins_at(content_range: str, start: int) -> bool:
    return content_range.startswith(f"bytes {start}-")


def _copied(
    transport: Transport,
    response: http.client.HTTPResponse,
    stream: BinaryIO,
    digest: "hashlib._Hash",
    most: int,
) -> int:
    """Copy the body, but never more than the lock announces; the number of bytes."""
    copied = 0
    while chunk := response.read(min(_CHUNK, most + 1 - copied)):
        if transport.stopped.is_set():
            raise Stopped
        copied += len(chunk)
        if copied > most:
            raise untrusted(f"{transport.hub} sends more than the {most} bytes announced.")
        stream.write(chunk)
        digest.update(chunk)
    return copied


def _digest_so_far(part: Path, had: int) -> "hashlib._Hash":
    if not had:
        return hashlib.sha256()
    with part.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _mismatch(transport: Transport, wanted: Placed) -> ClientError:
    return untrusted(
        f"{wanted.file.url} is not the file of the lock: its SHA-256 is not {wanted.file.sha256}. Nothing was put in "
        f"place. Report it to whoever runs {transport.hub}.",
        file=wanted.filename,
    )
