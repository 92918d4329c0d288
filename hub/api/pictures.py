"""`…/versions/{n}/pictures` and `…/drafts/{id}/pictures`: seen, added, ordered, taken away."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.draft_shapes import NewPictureForm, PictureOrderForm, PicturesShape
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, sliced
from hub.catalog import downloads, resolve
from hub.catalog import drafts as reads
from hub.models import Version
from hub.services.versions import previews
from hub.wire import uploads
from hub.wire.idempotency import once

_MULTIPART: Any = {"multipart/form-data": NewPictureForm}
_ORDER: Any = {"application/json": PictureOrderForm}


@documented("listVersionPictures", "All pictures of a version.", asks=WholeQuery, gives=PicturesShape)
@documented(
    "addVersionPicture", "Add a picture of your own; one that is there already changes nothing.", method="POST",
    takes=_MULTIPART, gives=PicturesShape, status=201, refuses=(410,),
)  # fmt: skip
@documented(
    "orderVersionPictures", "Put your own pictures in order.", method="PUT", takes=_ORDER, gives=PicturesShape,
    refuses=(410, 412),
)  # fmt: skip
@endpoint("GET", "POST", "PUT")
@once
def of_version(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """The pictures of a version."""
    if request.method in ("GET", "HEAD"):
        row = downloads.version(viewer_of(request), owner=owner, name=name, number=number)
        return _listed(request, row)
    return _changed(request, _own(request, owner, name, number))


@documented(
    "removeVersionPicture", "Take one of your own pictures away.", method="DELETE", gives=None, status=204,
    refuses=(410,),
)  # fmt: skip
@endpoint("DELETE")
def one_of_version(request: Request, owner: str, name: str, number: int, picture: int) -> HttpResponse:
    """The end of a picture of a version."""
    return _removed(request, _own(request, owner, name, number), picture)


@documented("listDraftPictures", "All pictures of a draft.", asks=WholeQuery, gives=PicturesShape)
@documented(
    "addDraftPicture", "Add a picture of your own; one that is there already changes nothing.", method="POST",
    takes=_MULTIPART, gives=PicturesShape, status=201, refuses=(410,),
)  # fmt: skip
@documented(
    "orderDraftPictures", "Put your own pictures in order.", method="PUT", takes=_ORDER, gives=PicturesShape,
    refuses=(410, 412),
)  # fmt: skip
@endpoint("GET", "POST", "PUT")
@once
def of_draft(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """The pictures of a draft."""
    is_read = request.method in ("GET", "HEAD")
    act = "see_draft" if is_read else "add_preview"
    row = reads.own(viewer_of(request), owner=owner, name=name, number=number, act=act)
    return _listed(request, row) if is_read else _changed(request, row)


@documented(
    "removeDraftPicture", "Take one of your own pictures away.", method="DELETE", gives=None, status=204,
    refuses=(410,),
)  # fmt: skip
@endpoint("DELETE")
def one_of_draft(request: Request, owner: str, name: str, number: int, picture: int) -> HttpResponse:
    """The end of a picture of a draft."""
    row = reads.own(viewer_of(request), owner=owner, name=name, number=number, act="add_preview")
    return _removed(request, row, picture)


def _own(request: Request, owner: str, name: str, number: int) -> Version:
    return resolve.own_version(viewer_of(request), owner=owner, name=name, number=number, act="add_preview")


def _changed(request: Request, row: Version) -> HttpResponse:
    """One picture more, or another order."""
    viewer = viewer_of(request)
    if request.method == "PUT":
        check_unchanged(request._request, lambda: _whole(request, row))
        previews.order_uploads(viewer, version=row, **asked.body(PictureOrderForm, request.data))
        return _told(request, row)
    spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.picture_ceiling())
    previews.add_upload(viewer, version=row, path=spooled.path, filename=spooled.filename)
    return _told(request, row, status=201)


def _removed(request: Request, row: Version, picture: int) -> HttpResponse:
    previews.remove_upload(viewer_of(request), version=row, picture=picture)
    return HttpResponse(status=204)


def _listed(request: Request, row: Version) -> HttpResponse:
    given = asked.query(WholeQuery, request.GET.dict())
    found = payloads.shown_pictures(request._request, row)
    shown, following = sliced(request._request, found, given, name=lambda one: one["id"])
    return answered(request._request, shown, following)


def _told(request: Request, row: Version, *, status: int = 200) -> HttpResponse:
    return json_answer(request._request, _whole(request, row), status=status)


def _whole(request: Request, row: Version) -> dict[str, Any]:
    """PicturesShape with all of them."""
    return {"items": payloads.shown_pictures(request._request, row), "next": None}
