"""What a pushed README.md asks for: a change of details, and what a new version needs that no file tells.

The hub writes README.md itself, out of its facts and the owner's text; so what comes back is taken apart into the
places where the hub keeps these, and its own lines are not taken for the owner's.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hub.errors import HubError, TooLarge, Unacceptable
from hub.formats import FormatError, check_trigger
from hub.models import BaseModel, Embedding
from hub.services import texts
from hub.services.embeddings import bases
from hub.services.embeddings.details import Change
from hub.services.people import tokens
from hub.services.versions import cards, front_matter

_ROOM: Final = texts.CARD_MAX_BYTES + front_matter.MAX_BYTES + 8 * 1024
_HEADING = re.compile(r"#[ \t]+([^\n]+?)[ \t]*#*[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class PushedCard:
    """`change` is what the embedding becomes; the rest is for a version made by the same push, empty where unsaid."""

    change: Change = field(default_factory=Change)
    licence: str = ""
    trigger: str = ""
    base_model: BaseModel | None = None


def read(embedding: Embedding, path: Path) -> PushedCard:
    """A README.md for this embedding. TooLarge, or Unacceptable saying what in it is wrong."""
    if path.stat().st_size > _ROOM:
        raise TooLarge("file_too_large", f"README.md may have {_ROOM // 1024} KiB.", field="card")
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError:
        raise Unacceptable("card_unreadable", "README.md is no UTF-8 text.", field="card") from None
    tokens.refuse_secrets(text, field="card")
    parsed = front_matter.parse(text)
    fields = _body(embedding, parsed.body)
    if parsed.fields is None:
        return PushedCard(Change(fields))
    front_matter.check(parsed.fields)
    kind = front_matter.kind_of(parsed.fields)
    if kind:
        fields["kind"] = kind
    change = Change(fields, _slugs(parsed.fields.get("tags")), _said(embedding, parsed.fields))
    return PushedCard(change, *_of_version(parsed.fields))


def waiting(embedding: Embedding) -> PushedCard:
    """What a card that was pushed earlier says of the first version."""
    return PushedCard(Change(), *_of_version(embedding.said or {}))


def _of_version(fields: dict[str, Any]) -> tuple[str, str, BaseModel | None]:
    return front_matter.licence_of(fields) or "", _trigger(fields), _base(fields)


def _body(embedding: Embedding, body: str) -> dict[str, str]:
    """Title, summary and description that a text says; a part it does not have stays as it is."""
    fields = {}
    text = body.strip()
    heading = _HEADING.match(text)
    if heading and len(heading[1]) <= texts.TITLE_MAX:
        fields["title"] = heading[1]
        text = text[heading.end() :].strip()
    use = cards.USE.search(text)
    if use is None:
        if embedding.summary and text.startswith(embedding.summary):
            text = text[len(embedding.summary) :].strip()
        return {**fields, "card": text}
    before, after = text[: use.start()].strip(), text[use.end() :].strip()
    if "\n" not in before and len(before) <= texts.SUMMARY_MAX:
        return {**fields, "summary": before, "card": after}
    return {**fields, "card": f"{before}\n\n{after}".strip()}


def _said(embedding: Embedding, fields: dict[str, Any]) -> dict[str, Any]:
    """The rest of the front matter. What waited for the first version stays as it was once there is one."""
    said, earlier = front_matter.kept(fields), embedding.said or {}
    if embedding.last_number:
        said = {name: value for name, value in said.items() if name not in front_matter.WAITING}
        said |= {name: earlier[name] for name in front_matter.WAITING if name in earlier}
    return said


def _slugs(tags: Any) -> list[str] | None:
    """The owner's tags: those that make one here, without the hub's own. None where the card does not say."""
    if not isinstance(tags, list):
        return None
    found: list[str] = []
    for tag in tags:
        try:
            found += texts.tag_slugs([tag])
        except HubError:
            continue  # other hubs have tags of other shapes; a push does not fail for one
    own = cards.own_tags()
    return sorted([slug for slug in dict.fromkeys(found) if slug not in own][: texts.TAGS_MAX])


def _trigger(fields: dict[str, Any]) -> str:
    """The first word among the places for it that can be one."""
    own = fields.get("glossa")
    places = (fields.get("trigger"), own.get("trigger") if isinstance(own, dict) else None)
    for word in (*places, fields.get("instance_prompt")):
        if not isinstance(word, str):
            continue
        try:
            check_trigger(word.strip())
        except FormatError:
            continue
        return word.strip()
    return ""


def _base(fields: dict[str, Any]) -> BaseModel | None:
    """The first base model of the card that this hub knows."""
    named = fields.get("base_model")
    for name in named if isinstance(named, list) else [named]:
        if not isinstance(name, str):
            continue
        try:
            return bases.claimed(name)
        except HubError:
            continue
    return None
