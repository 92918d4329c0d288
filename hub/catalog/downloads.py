"""What a version can be had as: every layout that doors hand out, its file name, and the tools that load it."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from hub.access import Viewer
from hub.catalog import resolve
from hub.errors import NotFound
from hub.formats import STORED_LAYOUTS, served_layouts, tools_for
from hub.formats.tool_files import WRITER_VERSION, Layout
from hub.models import Blob, Conversion, File, Version


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
    git_sha1: str = ""


def version(viewer: Viewer, *, owner: str, name: str, number: int) -> Version:
    """The version of that number, if this viewer may pull it. NotFound, Gone or TakenDown as resolve says."""
    found = resolve.revision(viewer, owner=owner, name=name, revision=f"v{number}").version
    if found is None:
        raise NotFound(code="revision_not_found")
    return found


def offered(version: Version) -> list[Download]:
    """Every layout of a published version, those stored with it first; two queries."""
    return offered_of([version])[version.pk]


def offered_of(versions: Sequence[Version]) -> dict[int, list[Download]]:
    """The same for many versions, by their id; two queries for all of them."""
    stored: dict[int, dict[str, File]] = defaultdict(dict)
    for file in File.objects.filter(version__in=versions).select_related("blob"):
        stored[file.version_id][file.layout] = file
    sources = {file.blob_id for files in stored.values() for file in files.values()}
    conversions = Conversion.objects.filter(source__in=sources, writer=WRITER_VERSION)
    made: dict[str, dict[str, Blob]] = defaultdict(dict)
    for row in conversions.select_related("blob"):
        made[row.source][row.layout] = row.blob
    found = {}
    for version in versions:
        canonical = stored[version.pk].get("canonical")
        found[version.pk] = _offered(
            version, stored[version.pk], made[canonical.blob_id] if canonical else {}
        )
    return found


def _offered(version: Version, stored: dict[str, File], made: dict[str, Blob]) -> list[Download]:
    found = []
    for layout in served_layouts(version.family):
        file = stored.get(layout.id)
        found.append(_download(layout, version, file, file.blob if file else made.get(layout.id)))
    return found


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
        git_sha1=blob.git_sha1 if blob else "",
    )
