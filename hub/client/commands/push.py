"""`glossa push`: publish an embedding file as a new version."""

import argparse
from pathlib import Path

from hub.client import names, pushing, remote
from hub.client.commands import common
from hub.client.errors import ClientError, Exit, local
from hub.client.names import Reference
from hub.client.pushing import Push
from hub.client.transport import Transport
from hub.formats import FormatError, read

KINDS = ("style", "object", "subject", "negative")
# What is read before anything is sent; the hub has the last word on its own limits.
_LARGEST = 100 << 20


def add(parser: argparse.ArgumentParser) -> None:
    """Which file, where to, and what to say of it."""
    parser.add_argument(
        "file", metavar="FILE", help="the embedding: .safetensors, .pt, .bin or a picture with one"
    )
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="owner/name, or name alone (else your name and the file's word)",
    )
    parser.add_argument("--half", metavar="FILE", help="the other file of an SDXL word that is kept in two")
    parser.add_argument(
        "--picture",
        action="append",
        default=[],
        metavar="FILE",
        help="a picture that shows the word (repeatable)",
    )
    parser.add_argument("--kind", choices=KINDS, help="what it is of; needed for a first version")
    parser.add_argument(
        "--licence", "--license", metavar="ID", help="such as cc-by-4.0; needed for a first version"
    )
    parser.add_argument(
        "--trigger", metavar="WORD", help="the word of the prompt (else as before, else the file's)"
    )
    parser.add_argument("--base-model", metavar="NAME", help="the model it was trained on")
    parser.add_argument("--title", help="shown above the pictures")
    parser.add_argument("--summary", help="one line about it")
    parser.add_argument("--card", metavar="FILE", help="Markdown that describes it")
    parser.add_argument("--tag", action="append", metavar="TAG", help="replaces the tags (repeatable)")
    parser.add_argument("--notes", default="", help="what is new in this version")
    parser.add_argument("--label", default="", help="a name for this version beside its number")
    parser.add_argument("--visibility", choices=("public", "unlisted", "private"), help="who may see it")
    common.add_hub(parser)
    common.add_output(parser)


def run(options: argparse.Namespace) -> int:
    """Look at the file, push it, say which version it is."""
    trigger = _looked_at(Path(options.file), is_half=options.half is not None)
    transport = common.connected(options, common.progress_of(options))
    if not transport.has_token:
        message = f"To push, log in with a token that may publish: glossa login {transport.hub}"
        raise ClientError(Exit.NOT_ALLOWED, "not_authenticated", message)
    to = _target(transport, options.name, trigger)
    details = {
        "kind": options.kind,
        "title": options.title,
        "summary": options.summary,
        "card": _text(options.card),
        "tags": options.tag,
        "visibility": options.visibility,
    }
    request = Push(
        to,
        Path(options.file),
        word=trigger,
        half=Path(options.half) if options.half else None,
        trigger=options.trigger,
        licence=options.licence,
        base_model=options.base_model,
        notes=options.notes,
        label=options.label,
        details={name: value for name, value in details.items() if value is not None},
    )
    made = pushing.push(transport, request)
    said = "is published" if made.is_new else "has these values already; nothing new was made"
    record = {
        "name": made.name,
        "version": made.version,
        "commit": made.commit,
        "new": made.is_new,
        "url": made.url,
    }
    common.tell(options, record, f"{made.name}@v{made.version} {said}: {made.url}")
    return Exit.DONE


def _looked_at(path: Path, *, is_half: bool) -> str:
    """The word that a file suggests. ClientError for what is no embedding, before anything is sent."""
    try:
        if path.stat().st_size > _LARGEST:
            raise local("too_large", f"{path} is far too large for an embedding.")
        return read(path.read_bytes(), filename=path.name).trigger
    except OSError as error:
        raise local("unreadable", f"{path}: {error.strerror}.") from None
    except FormatError as error:
        if is_half:
            return ""
        raise ClientError(Exit.REFUSED, error.code, f"{path}: {error.message}") from None


def _target(transport: Transport, name: str | None, trigger: str) -> Reference:
    if name and "/" in name:
        return names.reference(name.partition("@")[0])
    return names.reference(f"{remote.whoami(transport)['name']}/{name or trigger}")


def _text(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise local("unreadable", f"{path}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}.") from None
