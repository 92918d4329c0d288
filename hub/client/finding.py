"""Searching a hub."""

from dataclasses import dataclass
from typing import Any, Final

from hub.client.errors import untrusted
from hub.client.names import origin
from hub.client.remote import API, field, rows
from hub.client.transport import Call, Transport

SORTS: Final = {
    "new": "newest",
    "old": "oldest",
    "pulled": "pulled",
    "liked": "liked",
    "name": "name",
}
_PAGE: Final = 100


@dataclass(frozen=True)
class Question:
    """What is looked for; None leaves a thing open."""

    words: str = ""
    family: str | None = None
    kind: str | None = None
    owner: str | None = None
    sort: str | None = None
    limit: int = 20


def search(transport: Transport, question: Question) -> list[dict[str, Any]]:
    """What matches, in the order asked for, else the best first, or the newest: name, kind, family, and more."""
    asked = {
        "q": question.words,
        "family": question.family,
        "kind": question.kind,
        "owner": question.owner,
        "sort": SORTS[question.sort] if question.sort else None,
        "limit": str(min(question.limit, _PAGE)),
    }
    url = transport.url(f"{API}/embeddings", {key: value for key, value in asked.items() if value})
    found: list[dict[str, Any]] = []
    while len(found) < question.limit:
        page = transport.json(Call("GET", url, {"Accept": "application/json"}))
        had = len(found)
        found += [_row(row) for row in rows(field(page, "items")) if row.get("version")]
        following = field(page, "next")
        if not isinstance(following, str) or len(found) == had:
            break
        if origin(following) != origin(transport.hub):
            raise untrusted(f"{transport.hub} continues its list at {following[:200]!a}.")
        url = following
    return found[: question.limit]


def _row(record: dict[str, Any]) -> dict[str, Any]:
    version = field(record, "version")
    return {
        "name": str(field(record, "name")),
        "title": record.get("title"),
        "kind": record.get("kind"),
        "family": field(version, "family"),
        "trigger": field(version, "trigger"),
        "version": field(version, "number"),
        "vectors": version.get("vectors_per_token"),
        "licence": version.get("licence"),
        "pulls": record.get("pulls"),
        "visibility": record.get("visibility"),
        "published": version.get("published"),
        "page": record.get("page"),
    }
