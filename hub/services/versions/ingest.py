"""The one way in for foreign bytes: read in the sandboxed child, checked again here, stored under their digest."""

import hashlib
import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from hub import blobs, sandbox
from hub.access import Viewer
from hub.errors import TooLarge, UnacceptableFile, Unavailable
from hub.formats import EmbeddingData, FormatError, Limits, merge_pair, read, write_layout
from hub.formats.limits import MIB
from hub.killpoints import kill_point
from hub.models import Blob

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class IngestedEmbedding:
    """An accepted upload; nothing of it is stored yet.

    `facts` is the record of `manage.py inspect` and more, `canonical` our own file of its tensors, `data` the
    same parsed, `source_sha256` the digest of the bytes that arrived.
    """

    facts: dict[str, Any]
    canonical: bytes
    data: EmbeddingData
    filename: str
    source_sha256: str

    @property
    def tensor_digest(self) -> str:
        """SHA-256 of the values alone."""
        return str(self.facts["digests"]["tensors"])


@dataclass(frozen=True)
class IngestedPicture:
    """A picture that was decoded, encoded anew without metadata, and stored with its Blob row."""

    sha256: str
    size: int
    width: int
    height: int
    facts: dict[str, Any]
    content_type: str


@dataclass(frozen=True)
class PictureBytes:
    """A picture that was decoded and encoded anew without metadata; not stored yet."""

    data: bytes
    width: int
    height: int
    facts: dict[str, Any]
    content_type: str


@dataclass(frozen=True)
class Stored:
    """Bytes that are durable in the store, and what their row needs. `source` is kept to write them again."""

    sha256: str
    size: int
    git_sha1: str
    source: bytes | Path


def embedding(
    viewer: Viewer, *, path: Path, filename: str, half: tuple[Path, str] | None = None
) -> IngestedEmbedding:
    """Read an uploaded embedding; with `half` (path and filename) the SDXL one that both make.

    UnacceptableFile says why not and by which rule; TooLarge over the limit.
    """
    first = _one(viewer, path, filename)
    if half is None:
        return first
    try:
        merged = merge_pair(_as_it_was(first), _as_it_was(_one(viewer, *half, field="half")))
    except FormatError as error:
        raise _refusal(viewer, filename, error, "half") from None
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "pair.safetensors"
        whole.write_bytes(write_layout(merged, "canonical", trigger=merged.trigger or "pair"))
        return _one(viewer, whole, f"{Path(filename).stem}.safetensors")


def _as_it_was(ingested: IngestedEmbedding) -> EmbeddingData:
    """The half under the word that its own file has: the canonical file does not carry it."""
    token = ingested.facts.get("token")
    word = token if isinstance(token, str) else None
    return replace(ingested.data, token=word, trigger=str(ingested.facts["trigger"]))


def _one(viewer: Viewer, path: Path, filename: str, field: str = "file") -> IngestedEmbedding:
    limits = Limits(
        max_bytes=settings.HUB["HUB_MAX_UPLOAD_MB"] * MIB, max_vectors=settings.HUB["HUB_MAX_VECTORS"]
    )
    try:
        result = sandbox.read_embedding(path, filename=filename, limits=limits)
        kill_point("K5")
        data = read(result.canonical, limits=Limits(1 << 40, limits.max_vectors))
    except FormatError as error:
        raise _refusal(viewer, filename, error, field) from None
    except sandbox.SandboxUnavailable as error:
        raise no_parser(error) from error
    digest = str(result.facts["digests"]["sha256"])
    return IngestedEmbedding(result.facts, result.canonical, data, Path(filename).name[:200], digest)


def picture(
    viewer: Viewer, *, path: Path, filename: str, max_side: int, look: bool = False, keep_clear: bool = False
) -> IngestedPicture:
    """Read an uploaded picture, and store what we made of it. UnacceptableFile or TooLarge when refused.

    With `look` its facts have one, for advice on a set of pictures. With `keep_clear` it stays transparent where it
    was; else that is put on white.
    """
    made = picture_of(
        viewer, path=path, filename=filename, max_side=max_side, look=look, keep_clear=keep_clear
    )
    blob = store(made.data)
    return IngestedPicture(blob.sha256, blob.size, made.width, made.height, made.facts, made.content_type)


def mask_of(viewer: Viewer, *, path: Path, filename: str, max_side: int) -> PictureBytes:
    """What we make of an uploaded mask: grey, white where a picture counts. Stores nothing.

    Raises as `picture`, and UnacceptableFile `bad_mask` for one that is black all over.
    """
    return _picture(viewer, path, filename, max_side=max_side, form="png", as_mask=True)


def picture_of(
    viewer: Viewer, *, path: Path, filename: str, max_side: int, look: bool = False, keep_clear: bool = False
) -> PictureBytes:
    """What we make of an uploaded picture; stores nothing. Raises as `picture`."""
    return _picture(viewer, path, filename, max_side=max_side, form="webp", look=look, keep_clear=keep_clear)


def _picture(viewer: Viewer, path: Path, filename: str, *, form: str, **asked: Any) -> PictureBytes:
    if path.stat().st_size > settings.HUB["HUB_MAX_PICTURE_MB"] * MIB:
        most = settings.HUB["HUB_MAX_PICTURE_MB"]
        raise TooLarge("file_too_large", f"A picture may have {most} MiB.", field="file", rule="P2")
    try:
        result = sandbox.read_picture(path, form=form, **asked)
    except FormatError as error:
        raise _refusal(viewer, filename, error) from None
    except sandbox.SandboxUnavailable as error:
        raise no_parser(error) from error
    return PictureBytes(
        result.data, int(result.facts["width"]), int(result.facts["height"]), result.facts, f"image/{form}"
    )


def put(source: bytes | Path) -> Stored:
    """Make bytes durable in the store; their row comes later, with `row`, in the transaction that needs it.

    Bytes whose transaction never comes are found by gc.
    """
    stored = blobs.put(source)
    return Stored(stored.sha256, stored.size, _git_sha1(source), source)


def row(stored: Stored) -> Blob:
    """The row of stored bytes, in the caller's transaction, with the promise that the bytes are still there.

    gc may have been about to remove them: under the row's lock they are written again and the mark is taken off.
    """
    blob, is_new = Blob.objects.select_for_update().get_or_create(
        sha256=stored.sha256, defaults={"size": stored.size, "git_sha1": stored.git_sha1}
    )
    if blob.deleting or (is_new and not blobs.exists(stored.sha256)):
        blobs.put(stored.source, sha256=stored.sha256)
    if blob.deleting:
        blob.deleting = False
        blob.save(update_fields=["deleting"])
    return blob


def store(data: bytes | Path) -> Blob:
    """Make bytes durable and keep their row."""
    stored = put(data)
    if connection.in_atomic_block:
        return row(stored)
    with transaction.atomic():
        return row(stored)


def _git_sha1(source: bytes | Path) -> str:
    """The id git gives these bytes: a name for clients, not a protection."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest()


def _refusal(
    viewer: Viewer, filename: str, error: FormatError, field: str = "file"
) -> UnacceptableFile | TooLarge:
    log.info("refused %r of %s: %s %s", filename[:100], viewer.name, error.code, error.rule)
    if isinstance(error, sandbox.SandboxRefusal) and error.trace:
        log.warning("parser of %r: %s", filename[:100], error.trace[-2000:])
    kind = TooLarge if error.code in ("file_too_large", "picture_too_large") else UnacceptableFile
    return kind(error.code, error.message, field=field, rule=error.rule, facts=error.detail or None)


def no_parser(error: Exception) -> Unavailable:
    """The error when no child can read anything: the machine's fault, said as such."""
    log.error("no parser: %s", error)
    return Unavailable("parser_unavailable", "Files cannot be checked right now. Try again in a minute.")
