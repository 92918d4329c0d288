"""What tools wrote beside an embedding: Civitai Helper, Stability Matrix, Lora Manager, SD.Next, A1111's own notes.

All of it is foreign text: bounded, cleaned, reduced to plain words, and believed only where the bytes say nothing.
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final

from hub.services import texts

MOST_BYTES: Final = 4 << 20
_TAG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_CARD_CHARS: Final = 12_000
_BLOCKS: Final = frozenset({"p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "tr", "hr"})


@dataclass
class Notes:
    """What the sidecars of one embedding say, the first that says something winning."""

    title: str = ""
    base: str = ""
    words: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    description: str = ""
    creator: str = ""
    page: str = ""
    hashes: set[str] = field(default_factory=set)
    is_negative: bool = False
    read: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_all(paths: Iterable[Path]) -> Notes:
    """The notes in these files. A file that cannot be read is a warning, never an error."""
    notes = Notes()
    for path in paths:
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ValueError("it is too large")
            text = path.read_text("utf-8-sig", "replace")
            if path.suffix.lower() == ".txt":
                notes.description = notes.description or plain(text, _CARD_CHARS)
            else:
                _read(notes, path.name.lower(), text)
        except (OSError, ValueError, RecursionError) as error:
            reason = "it is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)[:80]
            notes.warnings.append(f"The sidecar {line(path.name, 80)} was left out: {reason}.")
            continue
        notes.read.append(path.name)
    return notes


def line(text: object, most: int) -> str:
    """One line of visible characters."""
    return " ".join(plain(text, 4 * most).split())[:most].strip()


def plain(text: object, most: int) -> str:
    """Visible characters and line ends alone, without markup."""
    said = text if isinstance(text, str) else ""
    if "<" in said:
        said = _without_markup(said[: 8 * most])
    said = unicodedata.normalize("NFC", said.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(
        char
        for char in said
        if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cn", "Cs")
    )
    return re.sub(r"\n{3,}", "\n\n", kept).strip()[:most].strip()


def slugs(tags: Iterable[str]) -> list[str]:
    """As many of these tags as make slugs and have room."""
    made = [re.sub(r"[^a-z0-9]+", "-", line(tag, 60).lower()).strip("-") for tag in tags]
    return list(dict.fromkeys(tag for tag in made if _TAG.fullmatch(tag)))[: texts.TAGS_MAX]


def _read(notes: Notes, name: str, text: str) -> None:
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError("it holds no notes")
    if name.endswith(".cm-info.json"):
        _stability_matrix(notes, said)
    elif "modelVersions" in said:
        versions = said["modelVersions"]
        first = versions[0] if isinstance(versions, list) and versions else {}
        _civitai(notes, first if isinstance(first, dict) else {}, said)
    elif name.endswith(".metadata.json"):
        _lora_manager(notes, said)
    elif "trainedWords" in said or isinstance(said.get("model"), dict):
        _civitai(notes, said, said.get("model"))
    else:
        _a1111(notes, said)


def _civitai(notes: Notes, version: dict[str, Any], model: object) -> None:
    """A version of Civitai's, and the model around it, wherever it stands."""
    whole = model if isinstance(model, dict) else {}
    creator = version.get("creator") or whole.get("creator")
    identifier = version.get("modelId") or whole.get("id")
    _add(
        notes,
        title=whole.get("name"),
        base=version.get("baseModel"),
        words=version.get("trainedWords"),
        tags=whole.get("tags"),
        description=whole.get("description") or version.get("description"),
        creator=creator.get("username") if isinstance(creator, dict) else None,
    )
    if isinstance(identifier, int) and identifier > 0:
        notes.page = notes.page or f"https://civitai.com/models/{identifier}"
    files = version.get("files")
    for file in files if isinstance(files, list) else []:
        hashes = file.get("hashes") if isinstance(file, dict) else None
        if isinstance(hashes, dict) and isinstance(hashes.get("SHA256"), str):
            notes.hashes.add(hashes["SHA256"].lower())


def _stability_matrix(notes: Notes, said: dict[str, Any]) -> None:
    _add(
        notes,
        title=said.get("UserTitle") or said.get("ModelName"),
        base=said.get("BaseModel"),
        words=said.get("TrainedWords"),
        tags=said.get("Tags"),
        description=said.get("ModelDescription"),
    )
    identifier, hashes = said.get("ModelId"), said.get("Hashes")
    if isinstance(identifier, int) and identifier > 0:
        notes.page = notes.page or f"https://civitai.com/models/{identifier}"
    if isinstance(hashes, dict) and isinstance(hashes.get("SHA256"), str):
        notes.hashes.add(hashes["SHA256"].lower())


def _lora_manager(notes: Notes, said: dict[str, Any]) -> None:
    _add(
        notes,
        title=said.get("model_name"),
        base=said.get("base_model"),
        tags=said.get("tags"),
        description=said.get("modelDescription") or said.get("notes"),
    )
    if isinstance(said.get("sha256"), str):
        notes.hashes.add(said["sha256"].lower())
    if isinstance(said.get("civitai"), dict):
        _civitai(notes, said["civitai"], said["civitai"].get("model"))


def _a1111(notes: Notes, said: dict[str, Any]) -> None:
    """The notes that A1111's cards write: `sd version`, `activation text`, `description`, `notes`."""
    _add(
        notes,
        base=said.get("sd version"),
        words=[said.get("activation text")],
        description=said.get("description") or said.get("notes"),
    )


def _add(
    notes: Notes,
    *,
    title: object = None,
    base: object = None,
    words: object = None,
    tags: object = None,
    description: object = None,
    creator: object = None,
) -> None:
    """Fill what is still empty."""
    notes.title = notes.title or line(title, texts.TITLE_MAX)
    notes.base = notes.base or line(base, 60)
    notes.creator = notes.creator or line(creator, 60)
    notes.description = notes.description or plain(description, _CARD_CHARS)
    notes.words = notes.words or [line(word, 100) for word in _texts(words)]
    notes.tags = notes.tags or slugs(_texts(tags))
    negative = any("negative" in tag for tag in notes.tags) or "negative" in notes.title.lower()
    notes.is_negative = notes.is_negative or negative


def _texts(value: object) -> list[str]:
    return (
        [one for one in value if isinstance(one, str) and one.strip()][:40] if isinstance(value, list) else []
    )


class _Plain(HTMLParser):
    """Text of a page without its markup."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins on a line of its own; scripts and styles are no text."""
        self._hidden += tag in ("script", "style")
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """The end of the same."""
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))
        if tag in ("p", "h1", "h2", "h3", "h4"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Visible text."""
        if not self._hidden:
            self.parts.append(data)


def _without_markup(text: str) -> str:
    parser = _Plain()
    parser.feed(text)
    parser.close()
    return "".join(parser.parts)
