"""Trigger words: what makes one legal, and which one to suggest for a file.

The trigger is the file's stem in most tools and a token in the rest, so it has to be good as both.
"""

import re
import unicodedata
import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hub.formats.errors import FormatError
from hub.formats.names import last_part

_LEGAL = re.compile(r"[a-z0-9][a-z0-9_-]{2,62}")
_NUMBERED = re.compile(r".*_[0-9]+")
_DEVICES = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin",
        "conout",
        *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
    ]
)
_RESERVED = frozenset({"learned_embeds"})
_MAX = 63
_VOCABULARY = Path(__file__).with_name("clip_vocabulary.txt.gz")
_END, _LINE, _GZIP = b"</w>", re.compile(rb".+\n"), 31


def check_trigger(word: str) -> None:
    """Nothing for a legal trigger; FormatError with a `trigger_…` code and the reason for any other word."""
    if not _LEGAL.fullmatch(word):
        raise _refusal(
            "trigger_illegal",
            word,
            "A trigger has 3 to 63 characters: small letters, digits, - and _; a letter or digit first.",
        )
    if _NUMBERED.fullmatch(word):
        raise _refusal(
            "trigger_numbered",
            word,
            "A trigger may not end in _ and a number: tools name the vectors of a word that way.",
        )
    if word in _DEVICES or word in _RESERVED:
        raise _refusal(
            "trigger_reserved",
            word,
            f"The word {word} means something else to an operating system or tool.",
        )
    if is_vocabulary_word(word):
        raise _refusal(
            "trigger_vocabulary",
            word,
            f"The base models already know the word {word}, and prompts use it. Add a part to make it new.",
        )


def suggest_trigger(token: str | None, filename: str, metadata: Mapping[str, str]) -> str:
    """A legal trigger for a file, from its ModelSpec phrase, else its token, else its name."""
    stem = last_part(filename).rsplit(".", 1)[0]
    for candidate in (metadata.get("modelspec.trigger_phrase", ""), token or "", stem):
        word = _made_legal(candidate)
        if word:
            return word
    return "unnamed-embedding"


def is_vocabulary_word(word: str) -> bool:
    """Whether the CLIP vocabulary has this word, as a whole word or as the beginning of one."""
    if not word or "\n" in word:
        return False
    entry = word.encode(errors="replace")
    alike = vocabulary().get(entry[:2], b"")
    # A word of one letter stands among others than its entry with an end.
    whole = vocabulary().get((entry + _END)[:2], b"")
    return b"\n%b%b\n" % (entry, _END) in whole or b"\n%b\n" % entry in alike


@cache
def vocabulary() -> dict[bytes, bytearray]:
    """The lines of the CLIP vocabulary by their first two bytes.

    A set of all entries would be ten times as large, and every fork of the sandbox copies the map of its memory.
    """
    text = zlib.decompress(_VOCABULARY.read_bytes(), wbits=_GZIP)
    starts: dict[bytes, bytearray] = {}
    for match in _LINE.finditer(text):
        starts.setdefault(match[0][:2].rstrip(), bytearray(b"\n")).extend(match[0])
    return starts


def _made_legal(text: str) -> str:
    """The nearest legal trigger, or nothing when the text has too few usable characters."""
    plain = text[:200]
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    word = re.sub(r"[^a-z0-9_-]+", "-", plain.lower()).strip("-_")[:_MAX].rstrip("-_")
    word = re.sub(r"_(?=[0-9]+$)", "-", word)
    if len(re.sub(r"[-_]", "", word)) < 2:
        return ""
    try:
        check_trigger(word)
    except FormatError:
        return word[: _MAX - 4].rstrip("-_") + "-emb"
    return word


def _refusal(code: str, word: str, message: str) -> FormatError:
    return FormatError(code, message, rule="N5", detail={"trigger": word[:100]})
