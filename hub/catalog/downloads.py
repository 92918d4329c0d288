"""What a version can be had as: every layout that doors hand out, its file name, and the tools that load it."""

from dataclasses import dataclass

from hub.access import Viewer
from hub.catalog import resolve
from hub.errors import NotFound
from hub.formats import STORED_LAYOUTS, served_layouts, tools_for
from hub.formats.tool_files import Layout
from hub.models import Blob, File, Version


@dataclass(frozen=True)
class Download:
    """One layout of a version. `sha256` and `size` are None while nobody has asked for a file made on request."""

    layout: str
    title: str
    path: str
    tools: tuple[str, ...]
    sha256: str | None
    size: int | None
    is_stored: bool


def version(viewer: Viewer, *, owner: str, name: str, number: int) -> Version:
    """The version of that number, if this viewer may pull it. NotFound, Gone or TakenDown as resolve says."""
    found = resolve.revision(viewer, owner=owner, name=name, revision=f"v{number}").version
    if found is None:
        raise NotFound(code="revision_not_found")
    return found


def offered(version: Version) -> list[Download]:
    """Every layout of a published version, those stored with it first; two queries."""
    stored = {file.layout: file for file in version.files.select_related("blob")}
    made = {row.layout: row.blob for row in version.conversions.select_related("blob").order_by("pk")}
    downloads = []
    for layout in served_layouts(version.family):
        file = stored.get(layout.id)
        blob = file.blob if file else made.get(layout.id)
        downloads.append(_download(layout, version, file, blob))
    return downloads


def on_request(version: Version) -> list[Download]:
    """The layouts that are made only when somebody asks for them; no query."""
    return [
        _download(layout, version, None, None)
        for layout in served_layouts(version.family)
        if layout.id not in STORED_LAYOUTS
    ]


def _download(layout: Layout, version: Version, file: File | None, blob: Blob | None) -> Download:
    return Download(
        layout=layout.id,
        title=layout.title,
        path=file.path if file else layout.filename.format(trigger=version.trigger),
        tools=tools_for(layout.id, version.family),
        sha256=blob.sha256 if blob else None,
        size=blob.size if blob else None,
        is_stored=file is not None,
    )
