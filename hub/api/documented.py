"""What the schema says of an operation, in one line a view: its id, what goes in, what comes out, what is refused."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from hub.api.shapes import ErrorBody

Decorator = Callable[[Any], Any]
# What any operation may be answered with: by the gate, by HTTP itself, or because a part of the hub is out.
_ALWAYS = (400, 401, 403, 404, 405, 429, 503)
_OF_WRITES = (409, 413, 415, 422, 423, 451, 507)
_OF_READS = (410, 451)
# What files are sent as.
_FILES = ("application/octet-stream", "image/png")
_SAID = {
    400: "Cannot be understood.",
    401: "Sign in, or send a token.",
    403: "Not allowed, or not with this token.",
    404: "Not there, or hidden from this viewer.",
    405: "This address does not know that method.",
    409: "Something of this name, number or state exists already.",
    410: "Deleted by its owner.",
    412: "It has changed since; read it again.",
    413: "Over a limit of size.",
    415: "Neither JSON nor a form.",
    422: "Understood and refused; `detail` names field and rule.",
    423: "The hub is read-only for now.",
    429: "Too many calls; `Retry-After` says when to go on.",
    451: "Taken down by a ruling.",
    416: "The file does not reach so far.",
    503: "A part of the hub is out; try again.",
    507: "The hub's store is full.",
}
_SEEN = OpenApiParameter(
    "If-None-Match",
    str,
    OpenApiParameter.HEADER,
    description="The `ETag` of what you have: 304 while it is the same.",
)
_READ = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER,
    description="The `ETag` of what you have read: 412 where it has changed since. What is counted is no change.",
)  # fmt: skip
_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Any text of 8 to 128 letters, digits, - and _: the same call with the same key is done once.",
)


def documented(
    name: str,
    summary: str,
    *,
    method: str = "GET",
    asks: Any = None,
    takes: Any = None,
    gives: Any,
    status: int = 200,
    repeats: bool = False,
    file: bool = False,
    streams: Mapping[str, Any] | None = None,
    is_question: bool = False,
    refuses: Sequence[int] = (),
) -> Decorator:
    """Describe the operation `name` for `method`.

    `asks` is the shape of the query, `takes` that of the body (or of several media types), `gives` that of the answer
    with `status` (and with 200 for what was there before, when it `repeats`), which may be a `file` instead (and only
    that without `gives`); `streams` are types of text that come instead where asked for, with what is in them;
    `refuses` are statuses beyond those that every operation may have. A POST that `is_question` changes nothing, and so
    takes no key.
    """
    usual = _OF_READS if method == "GET" else _OF_WRITES
    answers: dict[Any, Any] = {status: gives if gives is not None else OpenApiResponse(description="Done.")}
    if repeats:
        answers[200] = gives
    if file:
        answers = _files(status, gives)
    if streams:
        kinds = {"application/json": gives, **streams}
        answers = {(status, kind): said for kind, said in kinds.items()}
    if file and method == "GET":
        answers |= {(206, kind): OpenApiTypes.BINARY for kind in _FILES}
    if method == "GET":
        answers[304] = OpenApiResponse(description="Not changed since.")
    for code in sorted({*_ALWAYS, *usual, *refuses}):
        answers[code] = OpenApiResponse(ErrorBody, description=_SAID[code])
    parameters: list[Any] = [asks] if asks is not None else []
    if method == "GET":
        parameters.append(_SEEN)
    if method == "POST" and not is_question:
        parameters.append(_KEY)
    if 412 in refuses:
        parameters.append(_READ)
    return extend_schema(
        methods=[method],
        operation_id=name,
        summary=summary,
        description="",
        parameters=parameters,
        request=takes,
        responses=answers,
    )


def _files(status: int, gives: Any) -> dict[Any, Any]:
    """The answer that is a file, beside one of JSON where there is one."""
    found: dict[Any, Any] = {(status, "application/json"): gives} if gives is not None else {}
    return {**found, **{(status, kind): OpenApiTypes.BINARY for kind in _FILES}}
