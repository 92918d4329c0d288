"""The schema as a contract: what it says of each operation, and calls whose answers are held to it."""

import contextlib
import json
from functools import cache
from http.cookies import SimpleCookie
from typing import Any, Final
from uuid import UUID

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis import checks

from hub.api.schema import described
from tests.api.calls import Asked

API: Final = "/api/hub/v1"
KEPT: Final = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@cache
def site() -> Any:
    """The site as servers start it, once for all calls."""
    return get_wsgi_application()


def served(environ: Any, start_response: Any) -> list[bytes]:
    """The site, each answer closed when it was read, as a server does: that is when Django lets go of uploads."""
    with contextlib.closing(site()(environ, start_response)) as answer:
        return list(answer)


@cache
def told() -> Any:
    """The schema as it is served, read once for all operations."""
    return schemathesis.openapi.from_wsgi(f"{API}/schema", served)


@cache
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Path, method and description of each operation, by its id."""
    return {
        one["operationId"]: (path, method, one)
        for path, found in described()["paths"].items()
        for method, one in found.items()
    }


def successes() -> list[tuple[str, int]]:
    """Every operation with every status below 400 that it documents, but for the way on from a former name."""
    return [
        (name, int(status))
        for name, (_, _, one) in operations().items()
        for status in one["responses"]
        if int(status) < 400 and status != "307"
    ]


def documents(name: str, status: int) -> bool:
    """Whether an operation may be answered so."""
    return str(status) in operations()[name][2]["responses"]


def shape_of(name: str) -> dict[str, Any]:
    """The fields of what an operation answers with 200; none for a file, or nothing."""
    content = operations()[name][2]["responses"].get("200", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    shape: dict[str, Any] = described()["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return dict(shape.get("properties", {}))


def sent_by(case: Any, headers: dict[str, str]) -> Any:
    """The answer to whoever sends these headers. Cookies go apart: the transport has a jar of its own."""
    jar = SimpleCookie(headers.get("Cookie", ""))
    rest = {name: value for name, value in headers.items() if name != "Cookie"}
    return case.call(headers=rest, cookies={name: one.value for name, one in jar.items()})


def call(name: str, asked: Asked, headers: dict[str, str]) -> Any:
    """The answer to a call, which is what the schema says."""
    path, known, described_as = operations()[name]
    operation = told()[path][known]
    media = next(iter(described_as.get("requestBody", {}).get("content", {})), None)
    sent: dict[str, Any] = {"body": asked.body, "media_type": media} if media else {}
    places = {key: str(value) for key, value in asked.path.items()}
    case = operation.Case(path_parameters=places, query=asked.query, **sent)
    response = sent_by(case, headers)
    case.validate_response(response, checks=KEPT)
    return response


def json_of(response: Any) -> Any:
    """What an answer says."""
    return json.loads(response.content)


def promises(name: str, header: str) -> bool:
    """Whether an operation says that it heeds this header."""
    return any(one["name"] == header for one in operations()[name][2].get("parameters", []))


def heeding(header: str) -> list[str]:
    """The operations that say they heed this header."""
    return [name for name in operations() if promises(name, header)]


def lists() -> list[str]:
    """The operations that answer with a list of `items`."""
    return [
        name for name, (_, method, _) in operations().items() if method == "get" and "items" in shape_of(name)
    ]


def reader_of(name: str) -> str:
    """The operation that reads what this one changes: at the same address, or the next one above it."""
    by_path = {path: found for found, (path, method, _) in operations().items() if method == "get"}
    path = operations()[name][0]
    while path not in by_path:
        path = path.rpartition("/")[0]
    return by_path[path]


def nowhere(name: str) -> str:
    """The address of this operation for things that there are none of."""
    path, _, one = operations()[name]
    for parameter in one.get("parameters", []):
        if parameter["in"] == "path":
            kind = parameter["schema"]
            value = (
                "999999"
                if kind["type"] == "integer"
                else str(UUID(int=7))
                if kind.get("format")
                else "nobody"
            )
            path = path.replace(f"{{{parameter['name']}}}", value)
    return path
