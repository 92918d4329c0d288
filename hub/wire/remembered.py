"""Answers that a process remembers: a stranger's question costs one query while nothing has changed.

The query says, each time, whether a stranger may see the thing, and its stamp (`hub.catalog.stamps`). With the same
stamp the same address has the same answer; everything else (a refusal, another viewer) is made by the view.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from hub.catalog.memory import Memory
from hub.catalog.standing import Row

# Bytes in a process.
MOST_BYTES: Final = 32 << 20
# What an entry takes beside its body, about.
ENTRY_BYTES: Final = 1500
# The longest address that is remembered; longer ones ask for something strange.
LONGEST_ADDRESS: Final = 300
answers: Final[Memory[tuple[bytes, dict[str, str]]]] = Memory(MOST_BYTES)
View = TypeVar("View", bound=Callable[..., HttpResponse])


def remembered(stamp: Callable[..., Row | None]) -> Callable[[View], View]:
    """Mark a view whose answer to a stranger depends on its address alone while `stamp(viewer, **arguments)` stays.

    It stands right below the door's own decorator, or above one that brings a framework along.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **arguments: Any) -> HttpResponse:
            if request.method not in ("GET", "HEAD"):
                return view(request, *args, **arguments)
            address = f"{request.scheme}://{request.get_host()}{request.get_full_path()}"
            now = stamp(request.viewer, **arguments) if len(address) <= LONGEST_ADDRESS else None  # type: ignore[attr-defined]  # set by the gate
            known = answers.get(address, now) if now is not None else None
            if known is not None:
                return _again(request, *known)
            response = view(request, *args, **arguments)
            if now is not None and response.status_code == 200 and not response.streaming:
                kept = (response.content, dict(response.items()))
                answers.put(address, now, kept, len(response.content) + ENTRY_BYTES)
            return response

        return answer  # type: ignore[return-value]  # the same to whoever calls it

    return mark


def _again(request: HttpRequest, content: bytes, headers: dict[str, str]) -> HttpResponse:
    """The answer once more; 304 to a reader who has it, where it has a name of its own."""
    response = HttpResponse(content, headers=headers)
    etag = headers.get("ETag")
    if etag is None:
        return response
    return get_conditional_response(request, etag=etag, response=response) or response
