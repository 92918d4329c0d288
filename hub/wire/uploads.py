"""Bytes in: request files arrive in temporary files, hashed while they stream and cut off at the ceiling."""

import contextlib
import hashlib
import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest

from hub.errors import Invalid, TooLarge

MEBIBYTE: Final = 1 << 20
LABEL_LENGTH: Final = 120
_PREFIX: Final = "push-"
# Room for form fields and part headers beside the files of one request.
ENVELOPE_BYTES: Final = 2 * MEBIBYTE


def file_ceiling() -> int:
    """Bytes of the largest file that any form of the hub takes."""
    return MEBIBYTE * max(int(settings.HUB["HUB_MAX_UPLOAD_MB"]), int(settings.HUB["HUB_MAX_PICTURE_MB"]))


def picture_ceiling() -> int:
    """Bytes of the largest picture."""
    return MEBIBYTE * int(settings.HUB["HUB_MAX_PICTURE_MB"])


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Django's spooling, with the SHA-256 taken in the same pass and a stop at the first byte too many."""

    def handle_raw_input(
        self,
        input_data: IO[bytes],
        META: dict[str, str],
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        """Refuse by the declared length, before anything is read."""
        if content_length > file_ceiling() * int(settings.HUB["HUB_RUN_MAX_IMAGES"]) + ENVELOPE_BYTES:
            raise RequestDataTooBig("declared length over the ceiling")

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Start a temporary file and its hash."""
        super().new_file(*args, **kwargs)
        self._digest = hashlib.sha256()
        self._received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write and hash one chunk."""
        self._received += len(raw_data)
        if self._received > file_ceiling():
            self.file.close()  # which removes it: nobody will hear of this file again
            raise RequestDataTooBig("file over the ceiling")
        self._digest.update(raw_data)
        super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> Any:
        """The finished file, knowing its digest."""
        file: Any = super().file_complete(file_size)
        file.sha256 = self._digest.hexdigest()
        return file


@dataclass(frozen=True)
class Spooled:
    """An upload on disk, there until the request ends. `filename` is a cleaned label, never a path."""

    path: Path
    filename: str
    sha256: str
    size: int


def spool(file: UploadedFile | None, *, max_bytes: int | None = None, field: str = "file") -> Spooled:
    """The uploaded file as it lies on disk. Invalid when none was sent, TooLarge over `max_bytes`."""
    if not isinstance(file, TemporaryUploadedFile):
        raise Invalid("file_missing", "Choose a file first.", field=field)
    ceiling = max_bytes if max_bytes is not None else MEBIBYTE * int(settings.HUB["HUB_MAX_UPLOAD_MB"])
    size = int(file.size or 0)
    if size > ceiling:
        message = (
            f"The file has {size / MEBIBYTE:.1f} MiB; this hub takes up to {ceiling / MEBIBYTE:.0f} MiB."
        )
        raise TooLarge("file_too_large", message, field=field)
    file.flush()
    digest = getattr(file, "sha256", None) or _digest(Path(file.temporary_file_path()))
    return Spooled(Path(file.temporary_file_path()), clean_label(file.name or ""), digest, size)


@contextmanager
def folder() -> Iterator[Path]:
    """A private folder for the files of one request, gone with all that is in it when the request ends."""
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR, prefix=_PREFIX) as name:
        yield Path(name)


def spool_body(request: HttpRequest, target: Path, *, max_bytes: int) -> Spooled:
    """The body of a request as a file, hashed while it streams. TooLarge at the first byte over, Invalid when short."""
    declared = int(request.headers.get("Content-Length") or 0)
    if declared > max_bytes:
        raise _over(max_bytes)
    digest, received = hashlib.sha256(), 0
    with target.open("wb") as file:
        while piece := request.read(MEBIBYTE):
            received += len(piece)
            if received > max_bytes:
                raise _over(max_bytes)
            digest.update(piece)
            file.write(piece)
    if received < declared:
        raise Invalid("length_mismatch", "The request ended early; send it again.")
    return Spooled(target, target.name, digest.hexdigest(), received)


def spooled(path: Path) -> Spooled:
    """A file that lies in the folder of a request already, with its digest."""
    return Spooled(path, path.name, _digest(path), path.stat().st_size)


def sweep(max_age_seconds: float = 3600) -> int:
    """Remove the folders of requests that were killed that long ago; answers how many."""
    oldest, removed = time.time() - max_age_seconds, 0
    for path in Path(settings.FILE_UPLOAD_TEMP_DIR).glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
    return removed


def _over(max_bytes: int) -> TooLarge:
    return TooLarge(
        "file_too_large", f"This is larger than the {max_bytes / MEBIBYTE:.1f} MiB that are taken here."
    )


def clean_label(name: str) -> str:
    """A file name as something to show: no folders, no invisible characters, at most 120 long."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    kept = "".join(character for character in name if unicodedata.category(character)[0] != "C")
    return kept.strip()[-LABEL_LENGTH:] or "file"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
