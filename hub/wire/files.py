"""Bytes out: every file leaves here, with its digest as ETag, single ranges, and headers that keep it inert."""

import base64
import re
from typing import Final, Protocol
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse

from hub import blobs
from hub.wire.errors import ProtocolError

INERT_POLICY: Final = "sandbox; default-src 'none'"
RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")


class Sendable(Protocol):
    """What `send` has to know of a file; `hub.catalog.resolve.ResolvedFile` is one."""

    @property
    def path(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def content_type(self) -> str: ...
    @property
    def is_public(self) -> bool: ...
    @property
    def immutable(self) -> bool: ...


def send(
    request: HttpRequest, file: Sendable, *, inline: bool = False, redirect: bool = True
) -> HttpResponse:
    """The file, a range of it, 304, or a redirect to the store where that can sign addresses.

    `inline` is for pictures of our own making; pages may only show those of this origin, so they are never
    redirected. Raises ProtocolError (416) for a range that cannot be served, Unavailable without the bytes.
    """
    etag = f'"{file.sha256}"'
    if _matches(request.headers.get("If-None-Match", ""), etag):
        return _dress(HttpResponse(status=304), file, inline=inline)
    if not inline:
        address = blobs.url(file.sha256, filename=_basename(file.path), content_type=file.content_type)
        if address:
            return _dress(HttpResponse(status=307, headers={"Location": address}), file, inline=inline)
    span = _span(request, file.size, etag)
    start, end = span or (0, file.size - 1)
    # Files are small (embeddings, pictures), so each is read whole: `read` checks it against its digest.
    content = b"" if request.method == "HEAD" else blobs.read(file.sha256)[start : end + 1]
    response = HttpResponse(content, status=206 if span else 200)
    if span:
        response["Content-Range"] = f"bytes {start}-{end}/{file.size}"
    response["Content-Length"] = str(end - start + 1)
    return _dress(response, file, inline=inline)


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
    response["Cross-Origin-Resource-Policy"] = "cross-origin" if file.is_public else "same-origin"
    response["Cache-Control"] = _caching(response, file)
    if file.is_public:
        response["Access-Control-Allow-Origin"] = "*"
    return response


def _caching(response: HttpResponse, file: Sendable) -> str:
    """How long a copy may live: a moving name is asked again each time, a signed link is not kept."""
    if not file.is_public or response.status_code == 307:
        return "private, no-store"
    return "public, max-age=31536000, immutable" if file.immutable else "public, no-cache"


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
