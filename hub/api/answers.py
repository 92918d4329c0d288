"""JSON out: with an ETag over its bytes, so that a program that has it already is told so in a few bytes."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response

from hub.wire.errors import ProtocolError

# What changes about a thing without changing what anybody says of it.
_COUNTS: Final = frozenset({"pulls", "likes", "stored"})


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
    """A strong ETag over JSON: the first half of it is the same while only counts change."""
    said = json.dumps(_without_counts(json.loads(content)), sort_keys=True).encode()
    return f'"{_half(said)}-{_half(content)}"'


def check_unchanged(request: HttpRequest, told: Callable[[], dict[str, Any]]) -> None:
    """ProtocolError 412 where `If-Match` names another state than the one that is told now; counts are no state."""
    wanted = request.headers.get("If-Match", "*").strip()
    if wanted == "*":
        return
    now = etag(JsonResponse(told()).content).partition("-")[0]
    if now not in [one.strip().partition("-")[0] for one in wanted.split(",")]:
        raise ProtocolError(412, "stale", "It has changed since you read it; read it again, then change it.")


def _half(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:20]


def _without_counts(said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _without_counts(value) for name, value in said.items() if name not in _COUNTS}
    return [_without_counts(one) for one in said] if isinstance(said, list) else said
