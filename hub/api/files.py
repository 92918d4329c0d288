"""`GET /api/hub/v1/embeddings/{owner}/{name}/versions/{n}/files`: what a version can be had as, and the files."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request

from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import DownloadsShape, FilesQuery
from hub.catalog import downloads, pulls
from hub.services.versions import converting
from hub.wire import files as wire_files
from hub.wire.gate import SAFE_METHODS


def _at_once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Send a file that is stored before the framework is set up for the call: that takes longer than sending it.

    What has to be looked for, made or refused is the view's.
    """

    @wraps(view)
    def answer(request: HttpRequest, **place: Any) -> HttpResponse:
        wanted = {"layout": request.GET.get("layout"), **place}
        if wanted["layout"] is not None and request.method in SAFE_METHODS:
            viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
            stored = pulls.stored(viewer, **wanted)
            if stored is not None:
                return _sent(request, stored)
        return view(request, **place)

    return answer


@documented(
    "listFiles", "Every layout of a version, or one of them as a file.", asks=FilesQuery, gives=DownloadsShape,
    file=True, refuses=(416, 422),
)  # fmt: skip
@_at_once
@endpoint("GET", bucket="pull", is_question=True)
def files(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """With `layout` the file in that layout, else the list of layouts, each with its tools and its address."""
    if "layout" in request.GET:
        return _file(request, owner, name, number, request.GET["layout"])
    version = downloads.version(viewer_of(request), owner=owner, name=name, number=number)
    offered = downloads.offered(version)
    return json_answer(request._request, {"files": [_told(request, one) for one in offered]})


@documented(
    "getFile", "The file of a version in one layout; what is not stored is made at once, and kept.", gives=None,
    file=True, refuses=(416, 422),
)  # fmt: skip
@_at_once
@endpoint("GET", bucket="pull", is_question=True)
def file(request: Request, owner: str, name: str, number: int, layout: str) -> HttpResponse:
    """The file itself."""
    return _file(request, owner, name, number, layout)


def _file(request: Request, owner: str, name: str, number: int, layout: str) -> HttpResponse:
    viewer = viewer_of(request)
    version = downloads.version(viewer, owner=owner, name=name, number=number)
    made = converting.file_in(viewer, version=version, layout=layout)
    return _sent(request._request, made, data=made.data)


def _sent(
    request: HttpRequest, file: pulls.Pulled | converting.ConvertedFile, *, data: bytes | None = None
) -> HttpResponse:
    response = wire_files.send(request, file, data=data)
    wire_files.count_pull(request, response, file_id=file.file_id)
    return response


def _told(request: Request, one: downloads.Download) -> dict[str, Any]:
    """A line of the list. What is made on request has no size and digest before somebody asked for it."""
    return {
        "layout": one.layout,
        "path": one.path,
        "tools": list(one.tools),
        "size": one.size,
        "sha256": one.sha256,
        "url": request.build_absolute_uri(f"?layout={one.layout}"),
    }
