"""Names that strangers chose: which ones no tensor may have (F5), and how the others are shown and kept."""

import unicodedata

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_NAME_CHARS

_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def check_name(name: str) -> str:
    """The name itself. FormatError (F5) when it is empty, too long, or holds characters that mislead."""
    if name.isascii() and name.isprintable() and 0 < len(name) <= MAX_NAME_CHARS:
        return name
    if not name:
        raise _refusal("A tensor has an empty name.")
    if len(unicodedata.normalize("NFC", name)) > MAX_NAME_CHARS:
        raise _refusal(f"A tensor's name is over {MAX_NAME_CHARS} characters.")
    if any(char in _BIDI or unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise _refusal(f"The tensor name {shown(name)} holds control, direction or broken characters.")
    return name


def shown(name: str) -> str:
    """A foreign name fit for a sentence: quoted, escaped, shortened."""
    return ascii(name if len(name) <= 60 else name[:59] + "…")


def last_part(filename: str) -> str:
    """What a path with slashes of either kind ends in.

    pathlib says the same, but is large, and a child of the sandbox would use it for this alone.
    """
    parts = [part for part in filename.replace("\\", "/").split("/") if part not in ("", ".")]
    return parts[-1] if parts else ""


def stem_and_suffix(filename: str) -> tuple[str, str]:
    """The last part of a path, cut before its last dot."""
    name = last_part(filename)
    dot = name.rfind(".")
    return (name[:dot], name[dot:]) if 0 < dot < len(name) - 1 else (name, "")


def cleaned(text: str) -> str:
    """Foreign text without control characters and broken surrogates."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in "\t\n\r" or not (char < " " or "\x7f" <= char < "\xa0" or "\ud800" <= char < "\ue000")
        else "\ufffd"
        for char in text
    )


def _refusal(message: str) -> FormatError:
    return FormatError("unsafe_file", message, rule="F5")
