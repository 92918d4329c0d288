"""Pictures of training on the shared picture address, for those who may see them."""

from hub import blobs
from hub.access import Viewer
from hub.errors import NotFound
from hub.wire.media import Picture
from trainer import runs


def source(viewer: Viewer, *, sha256: str) -> Picture | None:
    """A training picture or a picture drawn while learning, if this viewer may see it."""
    try:
        digest, content_type = runs.picture(viewer, sha256=sha256)
    except NotFound:
        return None
    return Picture(digest, blobs.size(digest), content_type, is_public=False)
