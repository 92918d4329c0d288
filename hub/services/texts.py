"""Free text from people: cleaned, bounded, and never with one of our own secrets in it."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from hub.errors import Unacceptable
from hub.services.people import tokens

TITLE_MAX: Final = 120
SUMMARY_MAX: Final = 280
NOTES_MAX: Final = 4_000
CARD_MAX_BYTES: Final = 64 * 1024
TERMS_MAX_BYTES: Final = 8 * 1024
TAGS_MAX: Final = 12
LABEL_MAX: Final = 40

_TAG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,38}[a-z0-9])?")
_NUMBER_OR_COMMIT = re.compile(r"v[0-9]+|[0-9a-f]{7,40}")
_KEPT_BREAKS = frozenset("\n\t")


def line(text: str, *, field: str, most: int, required: bool = False) -> str:
    """One line of display text (rule N4): composed, trimmed, no control or invisible characters."""
    clean = unicodedata.normalize("NFC", " ".join(text.split()))
    _check_characters(clean, field)
    if required and not clean:
        raise _invalid(field, "This may not be empty.")
    if len(clean) > most:
        raise _invalid(field, f"At most {most} characters; these are {len(clean)}.")
    tokens.refuse_secrets(clean, field=field)
    return clean


def prose(text: str, *, field: str, most: int) -> str:
    """Text of several lines: composed, line ends as \\n, at most so many bytes."""
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    _check_characters(clean, field)
    if len(clean.encode()) > most:
        raise _invalid(field, f"At most {most // 1024 or most} {'KiB' if most >= 1024 else 'bytes'} of text.")
    tokens.refuse_secrets(clean, field=field)
    return clean


def tag_slugs(tags: Iterable[str], *, field: str = "tags") -> list[str]:
    """Tags as sorted slugs, each once. Unacceptable for too many or for one that makes no slug."""
    slugs = set()
    for tag in tags:
        slug = re.sub(r"[\s_]+", "-", tag.strip().lower())
        if not slug:
            continue
        if not _TAG.fullmatch(slug):
            raise _invalid(field, f"“{tag.strip()[:40]}” is no tag: use letters, digits and dashes.")
        slugs.add(slug)
    if len(slugs) > TAGS_MAX:
        raise _invalid(field, f"At most {TAGS_MAX} tags.")
    return sorted(slugs)


def version_label(label: str, *, field: str = "label") -> str:
    """A label that can stand where a revision stands, or nothing."""
    label = label.strip()
    if not label:
        return ""
    if (
        not _LABEL.fullmatch(label)
        or _NUMBER_OR_COMMIT.fullmatch(label)
        or label in {"main", "head", "latest"}
    ):
        raise _invalid(
            field,
            f"A label has up to {LABEL_MAX} small letters, digits, dots and dashes, and is no version number, "
            "commit id or “main”.",
        )
    return label


def _check_characters(text: str, field: str) -> None:
    for character in text:
        if character not in _KEPT_BREAKS and unicodedata.category(character) in {
            "Cc",
            "Cf",
            "Co",
            "Cn",
            "Cs",
        }:
            # Joiners make emoji and several scripts; they are harmless beside visible characters.
            if character in "\u200c\u200d":
                continue
            raise _invalid(field, f"The character U+{ord(character):04X} is not allowed here.", rule="N4")


def _invalid(field: str, message: str, rule: str | None = None) -> Unacceptable:
    return Unacceptable("field_invalid", message, field=field, rule=rule)
