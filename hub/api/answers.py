"""JSON out: with an ETag over its bytes, so that a program that has it already is told so in a few bytes."""

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response

from hub.wire.errors import ProtocolError


def json_answer(request: HttpRequest, content: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """The content, or 304 to a reader who has it."""
    response = JsonResponse(content, status=status)
    response["ETag"] = etag(response.content)
    response["Vary"] = "Authorization, Cookie"
    if status == 200 and request.method in ("GET", "HEAD"):
        return get_conditional_response(request, etag=response["ETag"], response=response) or response
    return response


def keep_instead(response: HttpResponse, content: dict[str, Any]) -> HttpResponse:
    """The response, of which only this content may be kept for a call that is sent again."""
    response.kept = JsonResponse(content).content.decode()  # type: ignore[attr-defined]  # read by wire.idempotency
    return response


def etag(content: bytes) -> str:
    """A strong ETag."""
    return f'"{hashlib.sha256(content).hexdigest()[:40]}"'


def check_unchanged(request: HttpRequest, content: dict[str, Any]) -> None:
    """ProtocolError 412 where `If-Match` names another state than this one."""
    wanted = request.headers.get("If-Match", "*")
    if wanted != "*" and etag(JsonResponse(content).content) not in [
        one.strip() for one in wanted.split(",")
    ]:
        raise ProtocolError(412, "stale", "It has changed since you read it; read it again, then change it.")
