"""Publishing a file: one commit that makes a version, or finds that there is one of these very values.

A push is safe to make again: the same files and words change nothing and name the same version.
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.client import card, remote
from hub.client.card import Details
from hub.client.errors import ClientError, Exit, local
from hub.client.names import Reference, check_commit, segment
from hub.client.remote import field
from hub.client.transport import Call, Transport

_README = "README.md"


@dataclass(frozen=True)
class Push:
    """What is pushed where. `visibility` counts when the embedding is made by this push."""

    to: Reference
    files: tuple[Path, ...]
    details: Details
    notes: str = ""
    visibility: str = "public"


@dataclass(frozen=True)
class Pushed:
    """The version that holds the values now, and whether this push has made it."""

    name: str
    version: int
    commit: str
    is_new: bool
    url: str


def push(transport: Transport, request: Push) -> Pushed:
    """Do it. ClientError with the hub's own words when it does not take the files."""
    contents = [(path.name, _bytes(path)) for path in request.files]
    before = _versions(transport, request.to)
    if before is None:
        _create(transport, request)
    if not request.details.says_nothing:
        text = card.changed(_card(transport, request.to) if before else "", request.details)
        contents.append((_README, text.encode()))
    commit = _commit(transport, request, contents)
    record = transport.get(f"api/models/{_place(request.to)}/revision/{commit}")
    facts = field(field(record, "cardData"), "glossa")
    number = int(field(facts, "version"))
    name = request.to.full_name
    return Pushed(
        name, number, commit, number not in (before or []), f"{transport.hub}/{name}/versions/{number}"
    )


def _versions(transport: Transport, to: Reference) -> list[int] | None:
    """The numbers of the versions there are; None where there is no embedding of this name yet."""
    try:
        record = transport.get(f"api/models/{_place(to)}/refs")
    except ClientError as error:
        if error.exit_code is Exit.NOT_FOUND and error.code == "repo_not_found":
            return None
        raise
    names = [str(row.get("name")) for row in remote.rows(field(record, "tags"))]
    return [int(name[1:]) for name in names if name[:1] == "v" and name[1:].isdecimal()]


def _create(transport: Transport, request: Push) -> None:
    body = {
        "type": "model",
        "name": request.to.name,
        "organization": request.to.owner,
        "visibility": request.visibility,
    }
    try:
        transport.json(_posted(transport, "api/repos/create", body))
    except ClientError as error:
        if error.detail.get("status") != 409:
            raise


def _card(transport: Transport, to: Reference) -> str:
    """The card as it is now."""
    with transport.opened(Call("GET", transport.url(f"{_place(to)}/resolve/main/{_README}"))) as response:
        return transport.whole(response).decode(errors="replace")


def _commit(transport: Transport, request: Push, contents: list[tuple[str, bytes]]) -> str:
    header = {
        "summary": request.notes.split("\n")[0][:200],
        "description": "\n".join(request.notes.split("\n")[1:]),
    }
    lines: list[dict[str, Any]] = [{"key": "header", "value": header}]
    for name, data in contents:
        content = base64.b64encode(data).decode()
        lines.append({"key": "file", "value": {"content": content, "path": name, "encoding": "base64"}})
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    call = Call(
        "POST",
        transport.url(f"api/models/{_place(request.to)}/commit/main"),
        {"Content-Type": "application/x-ndjson", "Accept": "application/json"},
        body,
    )
    return check_commit(field(transport.json(call), "commitOid"))


def _posted(transport: Transport, path: str, body: dict[str, Any]) -> Call:
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return Call("POST", transport.url(path), headers, json.dumps(body).encode())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None


def _place(to: Reference) -> str:
    return f"{segment(to.owner)}/{segment(to.name)}"
