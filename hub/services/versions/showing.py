"""A preview as other tools can show it: a PNG of some size, made once from what is stored, and kept."""

from dataclasses import dataclass

from hub.access import Viewer
from hub.catalog import gates, whole
from hub.errors import NotFound
from hub.formats import showing
from hub.models import Preview
from hub.models.digest import Conversion
from hub.services.versions import converting

_LAYOUT = "shown-picture"


@dataclass(frozen=True)
class ShownPicture:
    """A picture ready for `hub.wire.files.send`; `data` holds the bytes where they could not be stored."""

    path: str
    sha256: str
    size: int
    content_type: str
    is_public: bool
    is_immutable: bool = False
    # Pictures are seen by whoever sees the version.
    gate: gates.Behind | None = None
    data: bytes | None = None


def picture(viewer: Viewer, *, number: int) -> ShownPicture:
    """The preview with this id, on a version that this viewer may pull. NotFound else."""
    row = (
        Preview.objects.filter(whole.SHOWING, pk=number, version__in=whole.pullable(viewer).values("pk"))
        .select_related("blob", "version")
        .first()
    )
    if row is None:
        raise NotFound()
    is_public = bool(whole.open_among([row.version_id]))
    if showing.is_fit(row.content_type, row.width, row.height, row.blob.size):
        return _answer(row, row.blob_id, row.blob.size, is_public)
    kept = Conversion.objects.select_related("blob").filter(
        source=row.blob_id, layout=_LAYOUT, writer=showing.WRITER_VERSION
    )
    found = kept.first()
    if found is not None:
        return _answer(row, found.blob_id, found.blob.size, is_public)
    made = showing.shown(converting.stored(row.blob_id))
    digest, is_kept = converting.keep(
        row.version, source=row.blob_id, layout=_LAYOUT, writer=showing.WRITER_VERSION, made=made
    )
    return _answer(row, digest, len(made), is_public, data=None if is_kept else made)


def _answer(
    row: Preview, sha256: str, size: int, is_public: bool, *, data: bytes | None = None
) -> ShownPicture:
    return ShownPicture(f"{row.pk}.png", sha256, size, "image/png", is_public, data=data)
