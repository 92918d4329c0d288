"""`/embeddings/{owner}/{name}/versions`: publishing a file, reading, yanking and deleting a version."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from hub.access import Viewer, require
from hub.api import asked, payloads
from hub.api.answers import check_unchanged, json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.pages import WholeQuery, answered, taken
from hub.api.shapes import (
    LabelForm,
    NewVersionForm,
    VersionShape,
    VersionsShape,
    WholeVersionShape,
    YankForm,
)
from hub.catalog import pulls, resolve, whole
from hub.catalog.standing import Row
from hub.errors import NotFound
from hub.models import Version
from hub.services.embeddings import labels
from hub.services.versions import publishing
from hub.wire.idempotency import once
from hub.wire.remembered import remembered


@documented("listVersions", "All versions, newest first.", asks=WholeQuery, gives=VersionsShape)
@documented(
    "publishVersion",
    "Publish a file as the next version; the same again is the version that it made.",
    method="POST",
    takes={"multipart/form-data": NewVersionForm},
    gives=VersionShape,
    status=201,
    repeats=True,
    refuses=(410,),
)
@endpoint("GET", "POST")
@once
def versions(request: Request, owner: str, name: str) -> HttpResponse:
    """The versions, or the next one."""
    viewer = viewer_of(request)
    if request.method == "POST":
        return _publish(request, viewer, owner, name)
    given = asked.query(WholeQuery, request.GET.dict())
    row = resolve.embedding(viewer, owner=owner, name=name)
    rows = whole.pullable(viewer).filter(embedding=row)
    shown, following = taken(request._request, rows, given, field="number")
    items = [payloads.version(request._request, one) for one in whole.load(shown)]
    return answered(request._request, items, following)


def _stamp(viewer: Viewer, *, owner: str, name: str, number: int) -> Row | None:
    return pulls.stamp(viewer, owner=owner, name=name, revision=f"v{number}")


@documented("getVersion", "One version, and how it was made.", gives=WholeVersionShape)
@documented(
    "deleteVersion",
    "Delete it; possible for three days and while hardly anybody has it.",
    method="DELETE",
    gives=None,
    status=204,
    refuses=(410, 412),
)
@remembered(_stamp)
@endpoint("GET", "DELETE")
def version(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """One version: read, or deleted."""
    viewer = viewer_of(request)
    if request.method == "DELETE":
        row = _own(request, owner, name, number, "delete_version")
        publishing.delete_version(viewer, version=row)
        return HttpResponse(status=204)
    found = _whole(viewer, owner, name, number)
    return json_answer(request._request, payloads.whole_version(request._request, found))


@documented(
    "yankVersion",
    "Stop offering it; its number and commits still resolve.",
    method="POST",
    takes={"application/json": YankForm},
    gives=VersionShape,
    refuses=(410, 412),
)
@endpoint("POST")
@once
def yank(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """Stop offering a version."""
    viewer = viewer_of(request)
    reason = asked.body(YankForm, request.data)["reason"]
    publishing.yank(viewer, version=_own(request, owner, name, number, "yank"), reason=reason)
    return json_answer(request._request, _told(request, viewer, owner, name, number))


@documented("unyankVersion", "Offer it again.", method="POST", gives=VersionShape, refuses=(410, 412))
@endpoint("POST")
@once
def unyank(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """Offer a yanked version again."""
    viewer = viewer_of(request)
    publishing.unyank(viewer, version=_own(request, owner, name, number, "yank"))
    return json_answer(request._request, _told(request, viewer, owner, name, number))


@documented(
    "labelVersion",
    "Give it a label, which stands where a revision stands; harmless to repeat.",
    method="PUT",
    takes={"application/json": LabelForm},
    gives=VersionShape,
    refuses=(410, 412),
)
@documented("unlabelVersion", "Take its label off.", method="DELETE", gives=VersionShape, refuses=(410, 412))
@endpoint("PUT", "DELETE")
def label(request: Request, owner: str, name: str, number: int) -> HttpResponse:
    """A version with a label, or without."""
    viewer = viewer_of(request)
    row = _own(request, owner, name, number, "edit_card")
    if request.method == "PUT":
        labels.put(viewer, version=row, label=asked.body(LabelForm, request.data)["label"])
    elif row.label:
        labels.take_off(viewer, embedding=row.embedding, label=row.label)
    return json_answer(request._request, _told(request, viewer, owner, name, number))


def _publish(request: Request, viewer: Viewer, owner: str, name: str) -> HttpResponse:
    row = resolve.own(viewer, owner=owner, name=name, act="publish_version")
    require(viewer, "publish_version", row)
    made = publishing.publish_file(viewer, embedding=row, **asked.file_and_fields(NewVersionForm, request))
    return published(request, made, is_new=made.number is not None and made.number > row.last_number)


def published(request: Request, made: Version, *, is_new: bool) -> HttpResponse:
    """VersionShape of what was published, now or before, and where it is."""
    shown = whole.load(Version.objects.filter(pk=made.pk).select_related("embedding__owner", "base_model"))[0]
    content = payloads.version(request._request, shown)
    response = json_answer(request._request, content, status=201 if is_new else 200)
    response["Location"] = content["url"]
    return response


def _own(request: Request, owner: str, name: str, number: int, act: str) -> Version:
    """The version that is to be changed, if it is as the caller has read it."""
    viewer = viewer_of(request)
    row = resolve.own_version(viewer, owner=owner, name=name, number=number, act=act)
    check_unchanged(
        request._request,
        lambda: payloads.whole_version(request._request, _whole(viewer, owner, name, number)),
    )
    return row


def _told(request: Request, viewer: Viewer, owner: str, name: str, number: int) -> dict[str, Any]:
    """VersionShape. NotFound, Gone or TakenDown as resolve says."""
    return payloads.version(request._request, _whole(viewer, owner, name, number))


def _whole(viewer: Viewer, owner: str, name: str, number: int) -> whole.Whole:
    found = resolve.revision(viewer, owner=owner, name=name, revision=f"v{number}")
    wholes = whole.load(whole.pullable(viewer).filter(pk=found.version.pk if found.version else 0))
    if not wholes:
        raise NotFound(f"There is no version {number}.", code="revision_not_found")
    return wholes[0]
