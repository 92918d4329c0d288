"""What a base model's folder says of it beside its weights: size, card and licence, kept with its row for the pages."""

import re
from pathlib import Path
from typing import Any

from trainer.services import base_places

CARDS = ("MODEL_CARD.md", "README.md")
LONGEST = 64 * 1024
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*\n", re.DOTALL)
_LICENCE = re.compile(r"^license(?:_name)?:\s*[\"']?([\w .+-]{1,64})", re.MULTILINE)


def of(folder: Path) -> dict[str, Any]:
    """`size` in bytes; `card_text`, and `licence` where the head of the card names one."""
    facts: dict[str, Any] = {"size": base_places.size_of(folder)}
    path = next((folder / name for name in CARDS if (folder / name).is_file()), None)
    if path is None:
        return facts
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(LONGEST)
    head = _FRONT.match(text)
    named = _LICENCE.search(head[1]) if head else None
    # The page has a title of its own.
    body = re.sub(r"\A\s*#\s+.*\n", "", text[head.end() :] if head else text)
    return {**facts, "card_text": body.strip(), **({"licence": named[1].strip()} if named else {})}
