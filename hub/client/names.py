"""Names that come from a person, a hub or a lock file, checked before anything is done with them.

A trigger becomes a file name and a digest a part of one, so what passes here can never lead out of a folder.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from hub.client.errors import untrusted, usage

_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,94}[a-z0-9])?")
_TRIGGER: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_REVISION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_VERSION: Final = re.compile(r"v?([1-9][0-9]{0,8})")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
# Windows opens a device for these, whatever ending follows.
_DEVICES: Final = re.compile(r"(?:con|prn|aux|nul|conin|conout|com[0-9]|lpt[0-9])")
_LOOPBACK: Final = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::\d+)?(?:/.*)?", re.IGNORECASE)
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Reference:
    """`owner/name`, and the revision of it that was asked for: `main` where none was."""

    owner: str
    name: str
    revision: str = "main"

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def number(self) -> int | None:
        """The version's number, where the revision is one."""
        found = _VERSION.fullmatch(self.revision) if self.revision.startswith("v") else None
        return int(found[1]) if found else None

    def __str__(self) -> str:
        return self.full_name if self.revision == "main" else f"{self.full_name}@{self.revision}"


def reference(text: str) -> Reference:
    """`owner/name`, `owner/name@v3`, `owner/name@<label or commit id>`. ClientError for anything else."""
    whole, at, revision = text.strip().partition("@")
    owner, slash, name = whole.lower().partition("/")
    if not slash or not is_name(owner) or not is_name(name):
        raise usage(f"{text!r} is no name of an embedding: write owner/name, or owner/name@v3 for a version.")
    if at and not _REVISION.fullmatch(revision):
        raise usage(f"{revision!r} is no revision: write a version (v3), a label or a commit id after the @.")
    if revision.isdecimal() and len(revision) < 7:
        revision = f"v{revision}"
    return Reference(owner, name, revision or "main")


def is_name(text: str) -> bool:
    """Whether an owner or an embedding can be called so."""
    return bool(_NAME.fullmatch(text)) and ".." not in text and "--" not in text


def check_full_name(text: object) -> str:
    """`owner/name` as a hub or a lock file says it."""
    if isinstance(text, str):
        owner, _, name = text.partition("/")
        if is_name(owner) and is_name(name):
            return text
    raise untrusted(f"{_shown(text)} is no name of an embedding.")


def check_trigger(word: object) -> str:
    """A word that is safe as the stem of a file on every system. ClientError for any other."""
    if isinstance(word, str) and _TRIGGER.fullmatch(word) and not _DEVICES.fullmatch(word):
        return word
    raise untrusted(
        f"{_shown(word)} cannot be a trigger, and so not the name of a file; nothing was written."
    )


def check_sha256(text: object) -> str:
    """64 small hexadecimal digits."""
    if isinstance(text, str) and _SHA256.fullmatch(text):
        return text
    raise untrusted(f"{_shown(text)} is no SHA-256.")


def check_commit(text: object) -> str:
    """40 small hexadecimal digits."""
    if isinstance(text, str) and _COMMIT.fullmatch(text):
        return text
    raise untrusted(f"{_shown(text)} is no commit id.")


def hub_address(text: str) -> str:
    """The address of a hub in the one form it is compared and kept in. ClientError for what is none."""
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if _LOOPBACK.fullmatch(text) else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        host.encode("idna" if not host.isascii() else "ascii")
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    plain = not parts.query and not parts.fragment and parts.username is None
    if parts.scheme not in _PORTS or not host or not plain or re.search(r"[\s\x00-\x1f\\]", text):
        raise usage(f"{text!r} is no address of a hub: write something like https://hub.example.org.")
    shown = f"[{host}]" if ":" in host else host.encode("idna").decode() if not host.isascii() else host
    tail = f":{port}" if port and port != _PORTS[parts.scheme] else ""
    return f"{parts.scheme}://{shown}{tail}{parts.path.rstrip('/')}"


def origin(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http or https address. ClientError for anything else, and for a password in it."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise untrusted(f"{_shown(address)} is no address.") from None
    if parts.scheme not in _PORTS or not host or parts.username is not None:
        raise untrusted(
            f"{_shown(address)} is no address that files are fetched from: only http and https are."
        )
    if re.search(r"[\s\x00-\x1f\x7f\\]", address):
        raise untrusted(f"{_shown(address)} has characters that no address has.")
    return parts.scheme, host.lower(), port or _PORTS[parts.scheme]


def segment(text: str) -> str:
    """Text as one segment of an address."""
    return quote(text, safe="")


def _shown(value: object) -> str:
    """A foreign value fit for a terminal: escaped and shortened."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:79] + "…"


def printable(text: object) -> str:
    """Foreign text for a terminal: no escape sequence and no line break gets through."""
    return "".join(char if char.isprintable() else "�" for char in str(text))
