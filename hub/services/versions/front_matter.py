"""The YAML at the top of a pushed README.md: read as plain data, bounded, and made harmless for every client.

Clients build their own objects out of it, for whole listings at once: one value that they trip over would break a
listing for everybody, so what is kept is cleaned when it comes in and once more when it goes out.
"""

import datetime
import json
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import yaml

from hub.catalog.licences import LICENCES
from hub.errors import Unacceptable
from hub.models.registry import Kind

MAX_BYTES: Final = 16 * 1024
_DEPTH, _ITEMS, _TEXT = 5, 100, 2_000
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,59}")
_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_BLOCK = re.compile(r"\A\s*---[ \t]*\n(?:(.*?)\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
# Names that the client's own object has; a card with one of them cannot be read by it.
CLASHING: Final = frozenset({"self", "ignore_metadata_errors", "to_dict", "to_yaml", "get", "pop"})
# What the hub says itself, or does not keep: results are only shown by hubs that have checked them.
OWNED: Final = frozenset(
    {
        "license", "base_model", "base_model_relation", "instance_prompt", "library_name", "pipeline_tag", "tags",
        "glossa", "kind", "trigger", "model-index", "model_index", "eval_results", "model_name",
    }
)  # fmt: skip
# What a card says of a version that is still to come; once there is one, its own facts count.
WAITING: Final = ("license", "trigger", "instance_prompt", "base_model")
_DROPPED: Final = object()


@dataclass(frozen=True)
class Parsed:
    """A README in two parts; `fields` is None where there is no front matter."""

    fields: dict[str, Any] | None
    body: str


class _Reader(yaml.SafeLoader):
    """Without aliases, by which a small text becomes a large value."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken here")
        return super().compose_node(parent, index)


def parse(text: str) -> Parsed:
    """Front matter and text of a card. Unacceptable `card_unreadable` saying what is wrong with it."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    match = _BLOCK.match(plain)
    if match is None:
        return Parsed(None, plain)
    source, body = match[1] or "", plain[match.end() :]
    if len(source.encode(errors="replace")) > MAX_BYTES:
        raise _unreadable(f"it is longer than {MAX_BYTES // 1024} KiB")
    reader: _Reader | None = None
    try:
        reader = _Reader(source)
        fields = reader.get_single_data()
    except yaml.YAMLError as error:
        raise _unreadable(_where(error)) from None
    except (ValueError, TypeError, RecursionError, OverflowError):
        raise _unreadable("it holds a value that cannot be read") from None
    finally:
        if reader is not None:
            reader.dispose()
    if fields is None:
        fields = {}
    if not isinstance(fields, dict):
        raise _unreadable("it has to be a list of “name: value” lines")
    return Parsed({key: value for key, value in fields.items() if isinstance(key, str)}, body)


def problems(fields: dict[str, Any]) -> list[str]:
    """What a card must not say, each as a sentence; none for a good one."""
    found = [f"“{key}” cannot be a name of the front matter." for key in sorted(CLASHING & set(fields))]
    tags = fields.get("tags")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        found.append("“tags” has to be a list of words.")
    if fields.get("license") is not None and licence_of(fields) is None:
        found.append(f"“license” is one of {', '.join(LICENCES)}; “other” is said in the text.")
    if "kind" in fields and kind_of(fields) is None:
        found.append(f"“kind” is one of {', '.join(Kind.values)}.")
    return found


def warnings(fields: dict[str, Any]) -> list[str]:
    """What a card says in vain."""
    lost = sorted({"model-index", "model_index", "eval_results"} & set(fields))
    return [f"“{name}” is not kept here." for name in lost]


def check(fields: dict[str, Any]) -> None:
    """Unacceptable `card_unreadable` with all that is wrong."""
    found = problems(fields)
    if found:
        raise Unacceptable("card_unreadable", f"README.md: {' '.join(found)}", field="card")


def licence_of(fields: dict[str, Any]) -> str | None:
    """The licence that a card names, if it is one of ours."""
    value = fields.get("license")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    known = value.strip().lower() if isinstance(value, str) else ""
    return known if known in LICENCES else None


def kind_of(fields: dict[str, Any]) -> str | None:
    """The kind that a card names, at the top or among the hub's own fields."""
    own = fields.get("glossa")
    for value in (fields.get("kind"), own.get("kind") if isinstance(own, dict) else None):
        if isinstance(value, str) and value.strip().lower() in Kind.values:
            return value.strip().lower()
    return None


def kept(fields: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a card: what waits for a first version, and all that the hub has no place of its own for.

    Plain data, bounded, JSON-safe. Unacceptable when there is too much of it.
    """
    found = {key: value for key, value in harmless(fields).items() if key not in OWNED or key in WAITING}
    found.pop("license", None)
    licence = licence_of(fields)
    if licence:
        found["license"] = licence
    if len(json.dumps(found)) > MAX_BYTES:
        raise _unreadable("it holds more than is kept")
    return dict(sorted(found.items()))


def harmless(fields: Any) -> dict[str, Any]:
    """The part of a front matter that no client trips over."""
    if not isinstance(fields, dict):
        return {}
    cleaned = _cleaned({key: value for key, value in fields.items() if key not in CLASHING}, _DEPTH)
    return dict(cleaned)


def _cleaned(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value[:_TEXT] if all(_shows(character) for character in value[:_TEXT]) else _DROPPED
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else _DROPPED
    if isinstance(value, float):
        # As both databases give it back: Postgres keeps the number, and not how it was written.
        if not math.isfinite(value) or abs(value) >= 1 << 53:
            return _DROPPED
        return int(value) if value.is_integer() else value
    if isinstance(value, datetime.date):
        return value.isoformat()
    return _cleaned_group(value, depth - 1) if depth > 1 else _DROPPED


def _cleaned_group(value: Any, depth: int) -> Any:
    if isinstance(value, list):
        items = [_cleaned(item, depth) for item in value[:_ITEMS]]
        return [item for item in items if item is not _DROPPED]
    if isinstance(value, dict):
        named = [(key, part) for key, part in list(value.items())[:_ITEMS] if _is_name(key)]
        # Sorted, because Postgres keeps the pairs and not their order, and a card is compared by its bytes.
        parts = {key: _cleaned(part, depth) for key, part in sorted(named, key=lambda pair: pair[0])}
        return {key: part for key, part in parts.items() if part is not _DROPPED}
    return _DROPPED


def _is_name(key: Any) -> bool:
    """Whether this is a name that YAML, unquoted, gives back as it is."""
    return isinstance(key, str) and _KEY.fullmatch(key) is not None and key.lower() not in _YAML_WORDS


def _shows(character: str) -> bool:
    """Whether JSON, both databases and YAML take it: no control characters but line breaks, no halves of pairs."""
    return character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs", "Cn", "Zl", "Zp")


def _where(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
    said = " ".join(str(problem).split())[:120]
    return f"line {mark.line + 2}: {said}" if mark is not None else said


def _unreadable(why: str) -> Unacceptable:
    return Unacceptable(
        "card_unreadable", f"The front matter of README.md cannot be read: {why}.", field="card"
    )
