"""Publishing a file: the embedding where there is none yet, then the file as its next version, then what is said of it.

A push is safe to make again, after an answer that was lost as well as a day later: values that the embedding has
already make no second version.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.client import remote
from hub.client.errors import ClientError, Exit, usage
from hub.client.forms import Form
from hub.client.names import Reference
from hub.client.transport import Call, Transport


@dataclass(frozen=True)
class Push:
    """What is pushed where. None, and a key that is not in `details`, leave a thing as it is.

    `details`: title, kind, summary, card, tags and visibility, as the API names them.
    """

    to: Reference
    file: Path
    word: str
    half: Path | None = None
    trigger: str | None = None
    licence: str | None = None
    base_model: str | None = None
    notes: str = ""
    label: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Pushed:
    """The version that holds the values now, and whether this push has made it."""

    name: str
    version: int
    commit: str | None
    is_new: bool
    url: str


def push(transport: Transport, request: Push) -> Pushed:
    """Do it. ClientError with the hub's own words when it does not take the file."""
    files = {"file": request.file} | ({"half": request.half} if request.half else {})
    before = _now(transport, request.to)
    newest = (before or {}).get("version") or {}
    fields = {
        "trigger": request.trigger or newest.get("trigger") or request.word,
        "licence": request.licence or newest.get("licence") or "",
        "base_model": request.base_model or "",
        "notes": request.notes,
        "label": request.label,
    }
    if not fields["licence"]:
        raise usage("A first version needs a licence: --licence cc-by-4.0, or another one.")
    if before is None:
        _create(transport, request)
    number, is_new = _publish(
        transport, request.to, fields, files, known=(before or {}).get("versions") or []
    )
    if before is not None:
        _describe(transport, request, before, number)
    record = transport.get(f"{remote.embedding_path(request.to)}/versions/{number}")
    name = request.to.full_name
    url = f"{transport.hub}/{name}/versions/{number}"
    return Pushed(name, number, record.get("commit"), is_new, url)


def _now(transport: Transport, to: Reference) -> dict[str, Any] | None:
    """The embedding as it is; None where there is none of this name."""
    try:
        record = transport.get(remote.embedding_path(to))
    except ClientError as error:
        if error.code == "repo_not_found":
            return None
        raise
    return record if isinstance(record, dict) else None


def _create(transport: Transport, request: Push) -> None:
    record = remote.whoami(transport)
    who, owner = record["name"], request.to.owner
    if owner not in (who, *record["teams"]):
        message = (
            f"There is no {request.to.full_name}, and as {who} you can make one under your own name and those of "
            "teams that you write for."
        )
        raise ClientError(Exit.NOT_ALLOWED, "forbidden", message)
    if "kind" not in request.details:
        raise usage("A new embedding needs its kind: --kind style, object, subject or negative.")
    fields = {"name": request.to.name, **request.details}
    if owner != who:
        fields["owner"] = owner
    transport.json(sent(transport, "POST", f"{remote.API}/embeddings", fields))


def _publish(
    transport: Transport,
    to: Reference,
    fields: Mapping[str, str],
    files: Mapping[str, Path],
    *,
    known: list[int],
) -> tuple[int, bool]:
    """The number of the version with these values, and whether it is new."""
    form = Form([(name, value) for name, value in fields.items() if value], files.items())
    url = transport.url(f"{remote.embedding_path(to)}/versions")
    try:
        record = transport.json(Call("POST", url, {**form.headers, **once()}, form))
    except ClientError as error:
        told = error.detail.get("detail") or {}
        if error.code == "version_exists" and isinstance(told.get("version"), int):
            return told["version"], False
        raise
    number = int(remote.field(record, "number"))
    return number, number not in known


def _describe(transport: Transport, request: Push, before: dict[str, Any], number: int) -> None:
    """Change what is to be said of it and is not said yet."""
    changes = {name: value for name, value in request.details.items() if before.get(name) != value}
    if not changes:
        return
    try:
        transport.json(sent(transport, "PATCH", remote.embedding_path(request.to), changes))
    except ClientError as error:
        error.message = (
            f"v{number} is published, but {', '.join(changes)} could not be changed: {error.message}"
        )
        raise


def sent(transport: Transport, method: str, path: str, body: Mapping[str, Any]) -> Call:
    """A call with JSON; one that makes something carries a key, so that it can be made again."""
    headers = {"Content-Type": "application/json", **(once() if method == "POST" else {})}
    return Call(method, transport.url(path), headers, json.dumps(dict(body)).encode())


def once() -> dict[str, str]:
    """What lets the call be made again when its answer was lost."""
    return {"Accept": "application/json", "Idempotency-Key": secrets.token_hex(16)}
