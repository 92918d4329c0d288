"""Preview sheets as they come from the engine: stored once, replaced whole, with everything to draw them again.

And the publisher's own pictures, which are a stranger's bytes like any upload.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from hub.access import Viewer, require
from hub.errors import Conflict, NotFound, UnacceptableFile
from hub.formats import FormatError
from hub.formats.limits import MAX_PICTURE_BYTES
from hub.models import Preview, Version
from hub.sandbox.generation import read_generation
from hub.services import audit
from hub.services.upkeep import gc, quota
from hub.services.versions import ingest

_PICTURE_MAX = 32 << 20
_UPLOAD_SIDE = 1024
MOST_UPLOADS = 8
_FIELDS = ("prompt", "negative_prompt", "seed", "alt", "is_control", "block", "row", "column")


def record_sheet(
    *, version_id: int, images: list[dict[str, Any]], sheet: dict[str, Any] | None, insights: dict[str, Any]
) -> None:
    """Store a version's preview sheet; doing it again replaces it. `images` are those of the engine's event.

    Each image has `path` and the fields of Preview; what else it says becomes its `parameters`. `sheet` has the
    `path` of all of them in one picture. UnacceptableFile when a path holds no PNG or WebP.
    """
    pictures = [_read(Preview.Role.IMAGE, image) for image in images]
    if sheet:
        pictures.append(_read(Preview.Role.SHEET, {"block": "", "row": 0, "column": 0, **sheet}))
    with transaction.atomic():
        version = Version.objects.select_for_update().get(pk=version_id)
        version.previews.exclude(role=Preview.Role.UPLOAD).delete()
        for preview, stored in pictures:
            preview.version, preview.blob = version, ingest.row(stored)
        Preview.objects.bulk_create([preview for preview, _ in pictures])
        version.insights = {**version.insights, **insights}
        version.sheet_state, version.sheet_message = Version.SheetState.DONE, ""
        version.save(update_fields=["insights", "sheet_state", "sheet_message"])


@dataclass(frozen=True)
class Taken:
    """A publisher's picture that was accepted: what we made of it, what it says of its making; not stored yet."""

    source: str
    picture: ingest.PictureBytes
    said: dict[str, Any]

    @property
    def data(self) -> bytes:
        """The bytes to store."""
        return self.picture.data


def add_upload(viewer: Viewer, *, version: Version, path: Path, filename: str) -> bool:
    """Add the publisher's own picture to a version; False when it has that very picture already.

    Prompt and seed are taken from the picture where it tells them. Raises UnacceptableFile or TooLarge, and Conflict
    `too_many_pictures` when there is no room for more.
    """
    require(viewer, "add_preview", version.embedding)
    _check_open(version)
    if any(row.parameters.get("source") == _digest(path) for row in _uploads(version)):
        return False
    taken = take(viewer, path=path, filename=filename)
    quota.check(version.embedding.owner, more=len(taken.data))
    stored = ingest.put(taken.data)
    with transaction.atomic():
        return attach(version, taken, stored)


def remove_upload(viewer: Viewer, *, version: Version, picture: int) -> None:
    """Take one of the publisher's own pictures away. NotFound for another's, and for the sheet's: the hub drew it."""
    require(viewer, "add_preview", version.embedding)
    _check_open(version)
    with transaction.atomic():
        row = version.previews.select_for_update().filter(role=Preview.Role.UPLOAD, pk=picture).first()
        if row is None:
            raise _no_upload(picture)
        row.delete()
        audit.record(viewer, "remove_picture", version.embedding, version=version.pk, picture=row.blob_id)
    gc.remove(row.blob_id)


def order_uploads(viewer: Viewer, *, version: Version, order: Sequence[int]) -> None:
    """Show the publisher's own pictures in this order; those left out keep theirs at the end. NotFound as remove."""
    require(viewer, "add_preview", version.embedding)
    _check_open(version)
    with transaction.atomic():
        Version.objects.select_for_update().get(pk=version.pk)
        rows = {row.pk: row for row in _uploads(version)}
        strange = next((picture for picture in order if picture not in rows), None)
        if strange is not None:
            raise _no_upload(strange)
        wanted = list(dict.fromkeys([*order, *rows]))
        # On from the last place, so that no two pictures are ever at one.
        start = max((row.column for row in rows.values()), default=-1) + 1
        for place, picture in enumerate(wanted, start=start):
            Preview.objects.filter(pk=picture).update(column=place)


def _check_open(version: Version) -> None:
    if version.state not in (Version.State.DRAFT, Version.State.PUBLISHED, Version.State.YANKED):
        state = version.get_state_display()
        raise Conflict("state_conflict", f"This version is {state}; its pictures stay as they are.")


def _no_upload(picture: int) -> NotFound:
    return NotFound(
        f"There is no picture {picture} of the publisher's own here; those of the sheet are the hub's."
    )


def take(viewer: Viewer, *, path: Path, filename: str) -> Taken:
    """Look at a publisher's picture in the sandbox. UnacceptableFile or TooLarge when it is refused."""
    picture = ingest.picture_of(viewer, path=path, filename=filename, max_side=_UPLOAD_SIDE)
    return Taken(_digest(path), picture, _told_by(path))


def attach(version: Version, taken: Taken, stored: ingest.Stored) -> bool:
    """Add a picture to a version in the caller's transaction; False when it is there. Conflict as add_upload."""
    Version.objects.select_for_update().get(pk=version.pk)
    uploads = _uploads(version)
    if any(row.parameters.get("source") == taken.source for row in uploads):
        return False
    columns = [row.column for row in uploads]
    if len(columns) >= MOST_UPLOADS:
        raise Conflict("too_many_pictures", f"A version has at most {MOST_UPLOADS} pictures of its own.")
    Preview.objects.create(
        version=version,
        role=Preview.Role.UPLOAD,
        blob=ingest.row(stored),
        content_type=taken.picture.content_type,
        width=taken.picture.width,
        height=taken.picture.height,
        column=max(columns, default=-1) + 1,
        prompt=str(taken.said.get("prompt", "")),
        negative_prompt=str(taken.said.get("negative_prompt", "")),
        parameters={**taken.said.get("settings", {}), "source": taken.source},
        alt=str(taken.said.get("prompt", ""))[:400] or f"A picture made with {version.trigger}",
    )
    return True


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _uploads(version: Version) -> list[Preview]:
    return list(version.previews.filter(role=Preview.Role.UPLOAD))


def _told_by(path: Path) -> dict[str, Any]:
    """Prompt, negative prompt and settings that lie in a picture; nothing where there are none."""
    try:
        said = read_generation(path, max_bytes=MAX_PICTURE_BYTES)
    except FormatError:
        return {}
    if said is None:
        return {}
    return {"prompt": said.prompt, "negative_prompt": said.negative_prompt, "settings": said.settings}


def mark(version_id: int, state: str, message: str = "") -> None:
    """Say how far the drawing of a version's sheet is; the message is shown to the owner."""
    Version.objects.filter(pk=version_id).update(sheet_state=state, sheet_message=message[:280])


def _read(role: str, image: dict[str, Any]) -> tuple[Preview, ingest.Stored]:
    path = Path(image["path"])
    content_type, width, height = picture_size(path)
    known = {field: image[field] for field in _FIELDS if image.get(field) is not None}
    if "alt" in known:
        known["alt"] = str(known["alt"])[:400]
    rest = {
        key: value
        for key, value in image.items()
        if key not in (*_FIELDS, "path", "width", "height", "sha256")
    }
    preview = Preview(
        role=role, content_type=content_type, width=width, height=height, parameters=rest, **known
    )
    return preview, ingest.put(path)


def picture_size(path: Path) -> tuple[str, int, int]:
    """Content type, width and height of a PNG or WebP that we made, from its head alone."""
    if path.stat().st_size > _PICTURE_MAX:
        raise _no_picture(path)
    with path.open("rb") as file:
        head = file.read(30)
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        width, height = struct.unpack(">II", head[16:24])
        return "image/png", width, height
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ("image/webp", *_webp_size(path, head))
    raise _no_picture(path)


def _webp_size(path: Path, head: bytes) -> tuple[int, int]:
    kind = head[12:16]
    if kind == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    raise _no_picture(path)


def _no_picture(path: Path) -> UnacceptableFile:
    return UnacceptableFile("invalid_image", f"{path.name} is no PNG or WebP picture of a sheet.", rule="P1")
