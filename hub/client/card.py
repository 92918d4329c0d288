"""PURE: the README.md that goes with a push. What it does not say stays as the hub has it."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = "---"
_HEADING = re.compile(r"(?m)^# .*$")


@dataclass(frozen=True)
class Details:
    """What a push says about the embedding and the version; None leaves a thing as it is."""

    kind: str | None = None
    licence: str | None = None
    trigger: str | None = None
    base_model: str | None = None
    title: str | None = None
    text: str | None = None
    tags: Sequence[str] | None = None

    @property
    def says_nothing(self) -> bool:
        """Whether no card has to be sent at all."""
        return self == Details()


def changed(card: str, details: Details) -> str:
    """The card with these details: the hub's own one as it is now, or an empty text."""
    head, body = _parts(card)
    values = {
        "license": details.licence,
        "kind": details.kind,
        "trigger": details.trigger,
        "base_model": details.base_model,
    }
    lines = []
    for name, value in values.items():
        if value is not None:
            head = _without(head, name)
            lines.append(f"{name}: {json.dumps(value)}")
    if details.tags is not None:
        head = _without(head, "tags")
        lines += (
            ["tags:", *(f"- {json.dumps(tag)}" for tag in details.tags)] if details.tags else ["tags: []"]
        )
    if details.text is not None:
        title = _HEADING.search(body)
        body = f"{title[0]}\n\n{details.text}\n" if title else f"{details.text}\n"
    if details.title is not None:
        rest = _HEADING.sub("", body, count=1).lstrip("\n") if body.lstrip().startswith("# ") else body
        body = f"# {_one_line(details.title)}\n\n{rest}"
    return "\n".join([_FENCE, *lines, *head, _FENCE, "", body.lstrip("\n")])


def _parts(card: str) -> tuple[list[str], str]:
    """The lines of the front matter, and the text below it."""
    lines = card.replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() == _FENCE and _FENCE in [line.rstrip() for line in lines[1:]]:
        end = 1 + [line.rstrip() for line in lines[1:]].index(_FENCE)
        return lines[1:end], "\n".join(lines[end + 1 :])
    return [], card


def _without(head: list[str], name: str) -> list[str]:
    """The lines but those of one key at the top level, its list or object included."""
    kept, is_inside = [], False
    for line in head:
        if line.startswith(f"{name}:"):
            is_inside = True
        elif is_inside and (line.startswith((" ", "- ")) or line in ("", "-")):
            continue
        else:
            is_inside = False
            kept.append(line)
    return kept


def _one_line(text: str) -> str:
    return " ".join(text.split())
