"""Refusals as Hugging Face clients understand them: a JSON body, and headers, since a HEAD has no body."""

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.catalog import gates
from hub.errors import HubError
from hub.wire import auth
from hub.wire.errors import request_id

# The clients raise their own errors by these words; the status alone is not enough for them.
WORDS: Final = {
    "repo_not_found": "RepoNotFound",
    "revision_not_found": "RevisionNotFound",
    "entry_not_found": "EntryNotFound",
}
# The client compares this sentence letter by letter.
DISABLED: Final = "Access to this resource is disabled."


def body(request: HttpRequest, error: HubError, status: int) -> HttpResponse:
    """The response for a refusal. A ruling is their 403 "disabled", a deletion 410 with "not found"."""
    message, word = error.message, WORDS.get(error.code)
    if error.kind == "not_found" and error.code == "not_found" and "owner" in _names(request):
        word = "RepoNotFound"
    elif error.kind == "gone":
        word = "RepoNotFound" if error.detail.get("what") == "embedding" else "RevisionNotFound"
    elif error.kind == "taken_down":
        status = 403
        if request.path.startswith("/api/"):
            message = DISABLED
        else:
            word = "RevisionNotFound"
    elif error.code == "stale_parent":
        status = 412
    elif error.code == gates.CODE:
        message, word = f"{message} {error.detail['page']}", "GatedRepo"
    elif error.kind == "unauthenticated":
        message, word = _unknown_caller(request, message)
    response = JsonResponse(
        {"error": message, "code": error.code, "request_id": request_id(request)}, status=status
    )
    response["X-Error-Message"] = header_text(message)
    if word:
        response["X-Error-Code"] = word
    if word == "EntryNotFound" and "commit" in error.detail:
        response["X-Repo-Commit"] = error.detail["commit"]
    warn(request, response)
    return response


def _unknown_caller(request: HttpRequest, message: str) -> tuple[str, str | None]:
    """Message and word for whoever has to say who they are: to read without a token is told as the public Hub does.

    The client takes a bare 401 for a missing repository over https alone, and asks for a token only then.
    """
    if auth.bearer_secret(request) is not None:
        return auth.BAD_CREDENTIALS, None
    reads_one = request.method in ("GET", "HEAD") and "owner" in _names(request)
    return message, "RepoNotFound" if reads_one else None


def warn(request: HttpRequest, response: HttpResponse) -> None:
    """Tell the caller that its token did not count; the client prints this."""
    warning = getattr(request, "credential_warning", None)
    if warning:
        response["X-HF-Warning"] = f"auth; {header_text(warning)} You are treated as anonymous."


def header_text(text: str) -> str:
    """One line of Latin-1."""
    plain = " ".join(text.replace("“", '"').replace("”", '"').split())
    return plain.encode("latin-1", "replace").decode("latin-1")


def _names(request: HttpRequest) -> dict[str, object]:
    return dict(request.resolver_match.kwargs) if request.resolver_match else {}
