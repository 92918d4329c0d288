"""Versions by number and by any digest of their file, one or many at once."""

import json
import re
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.access import Viewer
from hub.catalog import hashes, stamps, whole
from hub.catalog.standing import Row
from hub.civitai import ids, payloads
from hub.civitai.endpoint import endpoint, viewer_of
from hub.civitai.errors import malformed
from hub.errors import Invalid, NotFound
from hub.wire.remembered import remembered

WHOLE_MOST, IDS_MOST = 100, 10_000
SHA256: Final = re.compile(r"[0-9a-f]{64}")


def _stamp(viewer: Viewer, *, number: str) -> Row | None:
    return stamps.of_version(viewer, number=ids.number(number))


@endpoint()
@remembered(_stamp)
def one(request: HttpRequest, number: str) -> HttpResponse:
    """`GET /model-versions/:id`."""
    found = whole.version(viewer_of(request), number=ids.number(number))
    return JsonResponse(payloads.version(request, found))


@endpoint()
@remembered(_stamp)
def mini(request: HttpRequest, number: str) -> HttpResponse:
    """`GET /model-versions/mini/:id`: just enough to download."""
    found = whole.version(viewer_of(request), number=ids.number(number))
    if request.GET.get("modelFileId", str(found.file.pk)) != str(found.file.pk):
        raise NotFound("File not found")
    return JsonResponse(payloads.mini(request, found))


@endpoint()
@remembered(hashes.stamp)
def by_hash(request: HttpRequest, digest: str) -> HttpResponse:
    """`GET /model-versions/by-hash/:hash`. What is no digest names nothing."""
    viewer = viewer_of(request)
    try:
        named = hashes.named(viewer, digest)
    except Invalid:
        named = None
    if named is None:
        raise NotFound("Model not found")
    return JsonResponse(payloads.version(request, whole.version(viewer, number=named)))


@endpoint()
def by_hashes(request: HttpRequest) -> HttpResponse:
    """`POST /model-versions/by-hash`: whole versions for up to 100 SHA-256."""
    viewer = viewer_of(request)
    found = hashes.by_sha256(viewer, _digests(request, WHOLE_MOST))
    rows = whole.pullable(viewer).filter(pk__in={version.pk for version in found.values()}).order_by("pk")
    return JsonResponse([payloads.version(request, one) for one in whole.load(rows)], safe=False)


@endpoint()
def hash_ids(request: HttpRequest) -> HttpResponse:
    """`POST /model-versions/by-hash/ids`: only the numbers, for up to 10,000 SHA-256."""
    found = hashes.by_sha256(viewer_of(request), _digests(request, IDS_MOST))
    told = [
        {"modelVersionId": version.pk, "modelId": version.embedding_id, "hash": digest.upper()}
        for digest, version in found.items()
    ]
    return JsonResponse(told, safe=False)


def _digests(request: HttpRequest, most: int) -> set[str]:
    """The SHA-256 of the body, in small letters. Invalid for anything but a list of them, or for too many."""
    try:
        given: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise malformed([_issue("invalid_type", [], "Expected an array of SHA256 hashes")])
    if len(given) > most:
        raise malformed([_issue("too_big", [], f"Expected at most {most} hashes")])
    digests = [one.strip().lower() for one in given]
    for place, digest in enumerate(digests):
        if not SHA256.fullmatch(digest):
            raise malformed([_issue("invalid_string", [place], "Expected 64 hexadecimal digits")])
    return set(digests)


def _issue(code: str, path: list[int], message: str) -> dict[str, Any]:
    return {"code": code, "path": path, "message": message}
