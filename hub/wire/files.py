"""Bytes out: every file leaves here, with its digest as ETag, ranges, and headers that keep it inert."""

import base64
import re
from typing import Final, Protocol
from urllib.parse import quote

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse

from hub import blobs
from hub.access import Viewer
from hub.catalog import gates
from hub.services.upkeep import counting
from hub.services.versions import converting
from hub.wire.auth import viewer_of
from hub.wire.errors import ProtocolError

INERT_POLICY: Final = "sandbox; default-src 'none'"
# Up to here reading costs less than handing over an open file.
IN_MEMORY: Final = 1 << 18
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class Sendable(Protocol):
    """What `send` has to know of a file; `hub.catalog.resolve.ResolvedFile` is one."""

    @property
    def path(self) -> str:
        """Path in the tree, or a file name."""

    @property
    def sha256(self) -> str:
        """Digest of the bytes."""

    @property
    def size(self) -> int:
        """Length in bytes."""

    @property
    def content_type(self) -> str:
        """Type to declare."""

    @property
    def is_public(self) -> bool:
        """Whether anybody may have it."""

    @property
    def is_immutable(self) -> bool:
        """Whether this address will always mean these bytes."""

    @property
    def gate(self) -> gates.Behind | None:
        """What it stands behind; None for what everybody may have who sees it."""


def send(
    request: HttpRequest,
    file: Sendable,
    *,
    inline: bool = False,
    data: bytes | None = None,
    may_redirect: bool = True,
    viewer: Viewer | None = None,
) -> HttpResponse:
    """The file, a range of it, 304, or a redirect to the store where that can sign addresses (`may_redirect`).

    `data` are its bytes where they could not be stored, `viewer` whom the address was made for, if that is not the
    caller. `inline` is for pictures of our own making; pages may only show those of this origin, so they are never
    redirected. Raises Unauthenticated or Forbidden `gated` for a file behind a gate that the viewer has not passed,
    ProtocolError (416) for a range that cannot be served, Unavailable without the bytes.
    """
    gates.check(viewer or viewer_of(request), file.gate)
    etag = f'"{file.sha256}"'
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return _dress(HttpResponse(status=304), file, inline=inline)
    if may_redirect and not inline and data is None:
        address = blobs.url(file.sha256, filename=_basename(file.path), content_type=file.content_type)
        if address:
            return _dress(HttpResponse(status=307, headers={"Location": address}), file, inline=inline)
    span = _span(request, file.size, etag)
    start, end = span or (0, file.size - 1)
    response = _body(request, file, start, end, data)
    if span:
        response.status_code = 206
        response["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    response["Content-Length"] = str(end - start + 1)
    return _dress(response, file, inline=inline)


def send_made(made: converting.ConvertedUpload) -> HttpResponse:
    """What was made of a caller's own file, for that caller alone."""
    response = HttpResponse(made.data, content_type=made.content_type)
    response["Content-Disposition"] = _disposition(made.path, inline=False)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = INERT_POLICY
    response["Cache-Control"] = "private, no-store"
    return response


def _body(request: HttpRequest, file: Sendable, start: int, end: int, data: bytes | None) -> HttpResponse:
    """These bytes: of what is large from the disk, by the server's own means, and else from memory."""
    if request.method == "HEAD":
        return HttpResponse()
    if data is not None:
        return HttpResponse(data[start : end + 1])
    opened = converting.opened(file.sha256)
    if start:
        opened.seek(start)
    if end == file.size - 1 and file.size > IN_MEMORY:
        return FileResponse(opened)  # type: ignore[return-value]  # the same to all that pass it on
    with opened:
        return HttpResponse(opened.read(end + 1 - start))


def count_pull(request: HttpRequest, response: HttpResponse, *, file_id: int | None) -> None:
    """Have this pull counted: once, not for HEAD, nor for the later pieces of a resumed one."""
    begins = request.headers.get("Range", "bytes=0-").strip().startswith("bytes=0-")
    is_pull = request.method == "GET" and response.status_code in (200, 206, 307) and begins
    if not is_pull or file_id is None:
        return
    counting.tally.add(file_id)


def _dress(response: HttpResponse, file: Sendable, *, inline: bool) -> HttpResponse:
    """The headers that all answers about a file share."""
    response["ETag"] = f'"{file.sha256}"'
    response["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(file.sha256)).decode()}:"
    response["Accept-Ranges"] = "bytes"
    response["Content-Type"] = file.content_type
    response["Content-Disposition"] = _disposition(_basename(file.path), inline=inline)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = INERT_POLICY
    response["Referrer-Policy"] = "no-referrer"
    response["Cross-Origin-Resource-Policy"] = "cross-origin" if _is_open(file) else "same-origin"
    response["Cache-Control"] = _caching(response, file)
    if _is_open(file):
        response["Access-Control-Allow-Origin"] = "*"
    return response


def _is_open(file: Sendable) -> bool:
    """Whether anybody may have the file, and so any cache."""
    return file.is_public and file.gate is None and bool(settings.HUB["HUB_ANONYMOUS_READ"])


def _caching(response: HttpResponse, file: Sendable) -> str:
    """How long a copy may live: a moving name is asked again each time, a signed link is not kept."""
    if not _is_open(file) or response.status_code == 307:
        return "private, no-store"
    return "public, max-age=31536000, immutable" if file.is_immutable else "public, no-cache"


def _basename(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _disposition(name: str, *, inline: bool) -> str:
    """`filename*` only where it is needed: two clients misread anything that follows the plain name."""
    kind = "inline" if inline else "attachment"
    plain = re.sub(r'[^ -~]|["\\]', "_", name)
    extra = "" if name.isascii() else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'{kind}; filename="{plain}"{extra}'


def _matches(header: str, etag: str) -> bool:
    """Whether If-None-Match names this file."""
    names = [name.strip().removeprefix("W/") for name in header.split(",")]
    return "*" in names or etag in names


def _span(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte asked for, or None for the whole file. ProtocolError for a range outside it."""
    header = request.headers.get("Range", "").strip()
    condition = request.headers.get("If-Range")
    if not header.lower().startswith("bytes=") or (condition is not None and condition.strip() != etag):
        return None
    match = RANGE.fullmatch(header.replace(" ", "").lower())
    if match is None or match.groups() == ("", ""):
        raise _unsatisfiable(size)
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    else:
        start, end = max(size - int(last), 0), size - 1
    if start > end or start >= size:
        raise _unsatisfiable(size)
    return start, end


def _unsatisfiable(size: int) -> ProtocolError:
    return ProtocolError(
        416,
        "range_not_satisfiable",
        "Only one range of bytes inside the file can be asked for.",
        headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"},
    )
