"""The file: a redirect that asks who one is, to a short-lived address that does not."""

from typing import Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import http_date, urlencode

from hub.catalog import gates, whole
from hub.civitai import addresses, ids, words
from hub.civitai.asked import Asked
from hub.civitai.endpoint import endpoint, viewer_of
from hub.civitai.errors import download_body
from hub.civitai.payloads import file as described
from hub.errors import NotFound
from hub.wire import files, links

UNKEPT: Final = "no-store, max-age=0"


@endpoint(bucket="pull", strict=True, query_token=True, body=download_body)
def download(request: HttpRequest, number: str) -> HttpResponse:
    """`GET /api/download/models/:id`: 307 to the bytes, counted as one pull."""
    viewer = viewer_of(request)
    found = whole.version(viewer, number=ids.number(number), is_for_file=True)
    _check_is_wanted(request, found)
    gates.check(viewer, found.gate)
    link = links.sign(viewer, f"v{found.version.pk}")
    response = HttpResponse(status=307)
    response["Location"] = addresses.of(request, "civitai_file", link, found.file.path)
    response["Cache-Control"] = UNKEPT
    # The address may hold a token.
    response["Referrer-Policy"] = "no-referrer"
    files.count_pull(request, response, file_id=found.file.pk)
    return response


def _check_is_wanted(request: HttpRequest, found: whole.Whole) -> None:
    """NotFound when the one file there is contradicts what was asked for, Invalid for words that do not exist."""
    asked = Asked(request.GET)
    wanted = {
        "type": asked.word("type", words.FILE_TYPES, otherwise=""),
        "format": asked.word("format", words.FILE_FORMATS, otherwise=""),
        "size": asked.word("size", words.FILE_SIZES, otherwise=""),
        "fp": asked.text("fp"),
    }
    number = asked.optional("fileId")
    asked.finish()
    record = described(request, found)
    is_other = any(
        word and has and word != has
        for word, has in ((wanted[name], {**record, **record["metadata"]}.get(name)) for name in wanted)
    )
    if is_other or number not in (None, found.file.pk):
        raise NotFound("File not found")


@endpoint(bucket="pull")
def file(request: HttpRequest, link: str, name: str) -> HttpResponse:
    """The bytes, for whoever the link was made for; a token that comes along is not looked at."""
    what, viewer = links.opened(link)
    if not what.startswith("v"):
        raise NotFound("File not found")
    found = whole.version(viewer, number=ids.number(what[1:]), is_for_file=True)
    if name != found.file.path:
        raise NotFound("File not found")
    # From here itself: an address that the store signs for GET would refuse a HEAD, and tools ask twice.
    response = files.send(request, _Bytes(found), may_redirect=False, viewer=viewer)
    response["Cache-Control"] = "private, no-store"
    if found.version.published_at is not None:
        response["Last-Modified"] = http_date(found.version.published_at.timestamp())
    return response


class _Bytes:
    """The main file of a version, as `hub.wire.files.send` wants it."""

    content_type = "application/octet-stream"
    is_immutable = False

    def __init__(self, found: whole.Whole) -> None:
        self.path = found.file.path
        self.sha256 = found.file.blob_id
        self.size = found.file.blob.size
        self.is_public = found.is_open
        self.gate = found.gate


def login(request: HttpRequest) -> HttpResponseRedirect:
    """`/login?returnUrl=…`, where tools know to stop: on to the page on which people sign in."""
    back = request.GET.get("returnUrl", "/")
    query = urlencode({"next": back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"})
    return redirect(f"/accounts/login/?{query}")
