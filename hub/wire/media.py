"""Pictures by digest, `/media/<sha256>.<ext>`: shown to those who may see a thing the picture belongs to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.http import HttpRequest, HttpResponse

from hub.access import Viewer
from hub.catalog import gates, pictures
from hub.errors import NotFound
from hub.wire import files
from hub.wire.auth import viewer_of

TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Picture:
    """A stored picture that a viewer may see; satisfies `files.Sendable`."""

    sha256: str
    size: int
    content_type: str
    is_public: bool
    is_immutable: bool = True
    # Pictures are seen by whoever sees the thing.
    gate: gates.Behind | None = None

    @property
    def path(self) -> str:
        """Its file name: the digest and the suffix of its type."""
        return f"{self.sha256}.{suffix(self.content_type)}"


Source = Callable[..., Picture | None]
_sources: list[Source] = []


def add_source(source: Source) -> Source:
    """Let another app own pictures: `source(viewer, *, sha256)` is a Picture the viewer may see, or None."""
    if source not in _sources:
        _sources.append(source)
    return source


def suffix(content_type: str) -> str:
    """File suffix of a picture's type."""
    return next((name for name, known in TYPES.items() if known == content_type), "png")


def address(sha256: str, content_type: str = "image/png") -> str:
    """Where a picture is served."""
    return f"/media/{sha256}.{suffix(content_type)}"


def find(viewer: Viewer, *, sha256: str) -> Picture:
    """The picture, if anything that this viewer may see shows it. NotFound else."""
    preview = pictures.preview(viewer, sha256=sha256)
    if preview is not None:
        return Picture(sha256, preview.size, preview.content_type, preview.is_public)
    for source in _sources:
        picture = source(viewer, sha256=sha256)
        if picture is not None:
            return picture
    raise NotFound()


def picture(request: HttpRequest, sha256: str, ext: str) -> HttpResponse:
    """View: the picture, inline."""
    if not DIGEST.fullmatch(sha256) or ext not in TYPES:
        raise NotFound()
    return files.send(request, find(viewer_of(request), sha256=sha256), inline=True)
