"""Refusals as Civitai's clients understand them: `{"error": "text"}`, and for bad parameters the words allowed."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.catalog import gates
from hub.errors import HubError, Invalid
from hub.wire import auth, cors
from hub.wire.errors import request_id

_BROWSER: Final = re.compile(r"mozilla|chrome|safari|firefox|opera|edge", re.IGNORECASE)
LOGIN_NEEDED: Final = "The creator of this asset requires you to be logged in to download it"


def malformed(issues: Sequence[dict[str, Any]]) -> Invalid:
    """The refusal of parameters, each with its path and, where there are such, the words that are allowed."""
    said = "; ".join(f"{'.'.join(map(str, issue['path']))}: {issue['message']}" for issue in issues)
    return Invalid("malformed_request", said, issues=list(issues))


def body(request: HttpRequest, error: HubError, status: int) -> HttpResponse:
    """The response for a refusal, with our code and the id of the request beside the text."""
    told: str | dict[str, Any] = error.message
    if "issues" in error.detail:
        issues = error.detail["issues"]
        told = {"name": "ZodError", "message": json.dumps(issues), "issues": issues}
    elif error.code == gates.CODE:
        told = _at_the_gate(error)
    elif status == 401:
        told = "Unauthorized"
    elif status == 405:
        told = "Method not allowed"
    content = {"error": told, "code": error.code, "request_id": request_id(request)}
    return cors.allow(JsonResponse(content, status=status))


def download_body(request: HttpRequest, error: HubError, status: int) -> HttpResponse:
    """The same for downloads: who only has to sign in is sent there with a browser, and told so in a program."""
    if status != 401:
        return body(request, error, status)
    has_credentials = auth.bearer_secret(request) is not None or "token" in request.GET
    if not has_credentials and _BROWSER.search(request.headers.get("User-Agent", "")):
        query = urlencode({"returnUrl": request.path, "reason": "download-auth"})
        address = f"/login?{query}"
        # One client looks for this in the body, another in the header.
        response = HttpResponse(address, status=307, content_type="text/plain; charset=utf-8")
        response["Location"] = address
        return cors.allow(response)
    said = _at_the_gate(error) if error.code == gates.CODE else LOGIN_NEEDED
    content = {"error": "Unauthorized", "message": said, "code": error.code}
    return cors.allow(JsonResponse({**content, "request_id": request_id(request)}, status=status))


def _at_the_gate(error: HubError) -> str:
    """Why, and the page on which one asks."""
    return f"{error.message} {error.detail['page']}"
