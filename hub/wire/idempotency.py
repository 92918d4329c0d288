"""`Idempotency-Key`: a call that makes something can be sent again after a lost answer and is done once.

The same key with the same call gives the same answer, marked `Idempotency-Replayed: true`; refusals are not kept.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from django.http import HttpResponse
from django.utils.datastructures import MultiValueDict

from hub.errors import Invalid
from hub.services import answers

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,128}")
View = Callable[..., HttpResponse]


def once(view: View) -> View:
    """Mark a view of the REST framework: a POST of a signed-in viewer with a key runs once."""

    @wraps(view)
    def run(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        key, viewer = request.headers.get(HEADER), request._request.viewer
        if key is None or request.method != "POST" or viewer.user is None:
            return view(request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            message = f"{HEADER} has 8 to 128 letters, digits, - and _."
            raise Invalid("malformed_request", message, field=HEADER)
        row = answers.begin(viewer, key=key, fingerprint=fingerprint(request))
        if row.status:
            return _again(row.status, row.body, row.location)
        try:
            response = view(request, *args, **kwargs)
        except BaseException:
            answers.drop(row)
            raise
        if response.status_code >= 300:
            answers.drop(row)
        else:
            answers.finish(
                row,
                status=response.status_code,
                # What holds a secret says itself what of it may be kept.
                body=getattr(response, "kept", None) or response.content.decode(),
                location=response.headers.get("Location", ""),
            )
        return response

    return run


def fingerprint(request: Any) -> str:
    """SHA-256 over method, address, fields and the digests of files."""
    said = request.data
    if isinstance(said, MultiValueDict):
        # Of a field that is sent several times all values count.
        said = {name: values for name, values in said.lists() if name not in request.FILES}
    fields = (
        {name: str(value) for name, value in said.items()} if isinstance(said, Mapping) else {"": str(said)}
    )
    files = {name: [getattr(file, "sha256", "") for file in sent] for name, sent in request.FILES.lists()}
    told = json.dumps(
        [request.method, request.get_full_path(), sorted(fields.items()), sorted(files.items())]
    )
    return hashlib.sha256(told.encode()).hexdigest()


def _again(status: int, body: str, location: str) -> HttpResponse:
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Idempotency-Replayed"] = "true"
    if location:
        response["Location"] = location
    return response
