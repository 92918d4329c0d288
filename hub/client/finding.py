"""Searching a hub."""

from dataclasses import dataclass
from typing import Any, Final

from hub.client.errors import untrusted
from hub.client.names import origin
from hub.client.remote import field, rows
from hub.client.transport import Call, Transport

SORTS: Final = {"new": "createdAt", "updated": "lastModified", "downloads": "downloads"}
_PAGE: Final = 100
# A filter that nothing matches reads so many pages and no more.
_MOST_PAGES: Final = 100


@dataclass(frozen=True)
class Question:
    """What is looked for; None leaves a thing open."""

    words: str = ""
    family: str | None = None
    kind: str | None = None
    owner: str | None = None
    sort: str = "new"
    limit: int = 20


def search(transport: Transport, question: Question) -> list[dict[str, Any]]:
    """What matches, in the order asked for: name, kind, family, trigger, version, downloads, title, and more."""
    asked = {"search": question.words, "author": question.owner or "", "sort": SORTS[question.sort]}
    asked |= {"limit": str(_PAGE), "full": "true"}
    url = transport.url("api/models", {key: value for key, value in asked.items() if value})
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_PAGES):
        page, following = transport.page(Call("GET", url, {"Accept": "application/json"}))
        found += [row for row in map(_row, rows(page)) if _matches(row, question)]
        if following is None or len(found) >= question.limit:
            break
        if origin(following) != origin(transport.hub):
            raise untrusted(f"{transport.hub} continues its list at {following[:200]!a}.")
        url = following
    return found[: question.limit]


def _matches(row: dict[str, Any], question: Question) -> bool:
    return question.family in (None, row["family"]) and question.kind in (None, row["kind"])


def _row(record: dict[str, Any]) -> dict[str, Any]:
    card = field(record, "cardData")
    facts = card.get("glossa") if isinstance(card, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    wanted = ("kind", "family", "trigger", "version", "title", "vectors")
    return {
        "name": str(field(record, "id")),
        **{name: facts.get(name) for name in wanted},
        "downloads": record.get("downloads"),
        "private": bool(record.get("private")),
        "updated": record.get("lastModified"),
    }
