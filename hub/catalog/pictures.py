"""Reads pictures by digest: is this the preview of something the viewer may see?"""

from dataclasses import dataclass

from hub.access import ANONYMOUS, Viewer, visible
from hub.models import Preview, Version


@dataclass(frozen=True)
class PreviewPicture:
    """Stored bytes of a preview, and whether anybody may see it."""

    size: int
    content_type: str
    is_public: bool


def preview(viewer: Viewer, *, sha256: str) -> PreviewPicture | None:
    """The preview with these bytes on a version that this viewer may see, or None."""
    shown = Preview.objects.filter(blob_id=sha256).select_related("blob")
    for who in (ANONYMOUS, viewer):
        versions = visible(Version.objects.all(), who)
        found = shown.filter(version__in=versions).first()
        if found is not None:
            return PreviewPicture(found.blob.size, found.content_type, who is ANONYMOUS)
    return None
