"""Large files, the Git LFS way: a batch of announcements, then one PUT for each, or several and a word that it is all.

The addresses that the batch answers carry their own permission, since clients send no token to them. Where the file
store can sign addresses, the bytes go straight there and are looked at when the client says that it is done.
"""

from math import ceil
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import Viewer
from hub.errors import HubError, Invalid, NotFound, TooLarge
from hub.hf import bodies
from hub.hf.commit import target
from hub.hf.endpoint import endpoint
from hub.models import PendingUpload
from hub.services.pushing import direct, pending
from hub.wire import links, uploads
from hub.wire.errors import STATUS

MOST_OBJECTS: Final = 256
PART_BYTES: Final = 8 * uploads.MEBIBYTE
UPLOAD_SECONDS: Final = 3600
LFS_JSON: Final = "application/vnd.git-lfs+json"


@endpoint(strict=True)
@require_POST
def batch(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Where to send each object; none for those that need not be sent, and a refusal for those that are not taken."""
    body = bodies.json_object(request)
    viewer, embedding = target(request, owner, name, "main")
    objects = body.get("objects")
    if body.get("operation") != "upload" or not isinstance(objects, list) or len(objects) > MOST_OBJECTS:
        raise Invalid(
            "malformed_request", f"Announce up to {MOST_OBJECTS} objects for upload.", field="objects"
        )
    transfers = body.get("transfers")
    in_parts = isinstance(transfers, list) and "multipart" in transfers
    answers = []
    for wanted in objects:
        oid, size = _object(wanted)
        answer: dict[str, Any] = {"oid": oid, "size": size}
        try:
            row = pending.announce(viewer, embedding=embedding, sha256=oid, size=size)
        except HubError as error:
            answer["error"] = {"code": STATUS[error.kind], "message": error.message}
        else:
            if row is not None:
                verify = request.build_absolute_uri(reverse("hf_lfs_verify", args=[owner, name]))
                answer["actions"] = {
                    "upload": _upload(request, viewer, row, in_parts),
                    "verify": {"href": verify},
                }
        answers.append(answer)
    several = any("header" in answer.get("actions", {}).get("upload", {}) for answer in answers)
    record = {"transfer": "multipart" if several else "basic", "objects": answers}
    return JsonResponse(record, content_type=LFS_JSON)


def _object(wanted: Any) -> tuple[str, int]:
    size = wanted.get("size") if isinstance(wanted, dict) else None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise Invalid("malformed_request", "An object has an oid and a size.", field="objects")
    return bodies.text(wanted, "oid"), size


def _upload(request: HttpRequest, viewer: Viewer, row: PendingUpload, in_parts: bool) -> dict[str, Any]:
    """The address to PUT to; for a file in parts those of all parts, and the one that says that it is all."""
    link = links.sign(viewer, f"upload{row.pk}")
    store = direct.addresses(row, part_bytes=PART_BYTES if in_parts else None)
    if not in_parts or row.size <= PART_BYTES:
        whole = store.whole if store else request.build_absolute_uri(reverse("hf_lfs_upload", args=[link]))
        return {"href": whole}
    parts = (
        store.parts
        if store
        else [
            request.build_absolute_uri(reverse("hf_lfs_part", args=[link, number]))
            for number in range(1, _count(row) + 1)
        ]
    )
    named = {f"{number:05}": address for number, address in enumerate(parts, 1)}
    complete = request.build_absolute_uri(reverse("hf_lfs_complete", args=[link]))
    return {"href": complete, "header": {"chunk_size": str(PART_BYTES), **named}}


def _count(row: PendingUpload) -> int:
    return max(1, ceil(row.size / PART_BYTES))


def _opened(link: str) -> PendingUpload:
    """The upload behind an address."""
    what, viewer = links.opened(link, life_seconds=UPLOAD_SECONDS)
    number = what.removeprefix("upload")
    if number == what or not number.isdecimal():
        raise NotFound("This is not an address for uploads.")
    return pending.opened(viewer, upload_id=int(number))


@endpoint(bucket="pull")
@require_http_methods(["PUT"])
def upload(request: HttpRequest, link: str) -> HttpResponse:
    """A whole file."""
    row = _opened(link)
    with uploads.folder() as folder:
        spooled = uploads.spool_body(request, folder / "file", max_bytes=row.size)
        pending.receive(row, path=spooled.path, sha256=spooled.sha256, size=spooled.size)
    return _taken(row.sha256)


@endpoint(bucket="pull")
@require_http_methods(["PUT"])
def part(request: HttpRequest, link: str, number: int) -> HttpResponse:
    """One part of a file."""
    row = _opened(link)
    if not 1 <= number <= _count(row):
        raise TooLarge("file_too_large", "The file was announced with fewer parts.")
    with uploads.folder() as folder:
        spooled = uploads.spool_body(request, folder / "part", max_bytes=PART_BYTES)
        digest = pending.receive_part(row, number=number, path=spooled.path)
    return _taken(digest)


@endpoint(bucket="pull")
@require_POST
def complete(request: HttpRequest, link: str) -> HttpResponse:
    """Put the parts together. Invalid when one is missing, or together they are another file."""
    row = _opened(link)
    if row.store_upload:
        pending.finish(row, tags=_tags(bodies.json_object(request)), count=_count(row))
        return _taken(row.sha256)
    with uploads.folder() as folder:
        whole = folder / "file"
        pending.write_parts(row, numbers=range(1, _count(row) + 1), target=whole)
        spooled = uploads.spooled(whole)
        pending.receive(row, path=whole, sha256=spooled.sha256, size=spooled.size)
    return _taken(row.sha256)


def _tags(body: dict[str, Any]) -> dict[int, str]:
    """The parts that a client says it has sent, with the tags that the store gave it for them."""
    parts = body.get("parts")
    found: dict[int, str] = {}
    for part in parts if isinstance(parts, list) else []:
        number = part.get("partNumber") if isinstance(part, dict) else None
        if not isinstance(number, int):
            raise Invalid("malformed_request", "A part has a partNumber and an etag.", field="parts")
        found[number] = bodies.text(part, "etag")
    return found


@endpoint(strict=True)
@require_POST
def verify(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Whether a file is here, whole."""
    viewer, embedding = target(request, owner, name, "main")
    oid, size = _object(bodies.json_object(request))
    if not pending.is_here(viewer, embedding=embedding, sha256=oid, size=size):
        raise NotFound("This object did not arrive; send it again.", code="object_not_found")
    return JsonResponse({}, content_type=LFS_JSON)


def _taken(digest: str) -> HttpResponse:
    response = JsonResponse({})
    response["ETag"] = f'"{digest}"'
    return response
