"""Bulk import: a folder as a tool left it becomes entries of one owner, each file through the services of the pages.

Every embedding is one transaction, and what is there already is passed over by its values: so a run that was killed
is simply started again, and a second run changes nothing.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hub.access import Viewer, require
from hub.catalog import recognise
from hub.errors import Full, HubError, TooLarge, Unacceptable, UnacceptableFile, Unavailable
from hub.formats import FormatError
from hub.models import Version
from hub.services.importing import scan, sidecars
from hub.services.importing.describing import Description, describe
from hub.services.versions import ingest, previews, publishing

__all__ = ["Options", "Row", "run"]

PUBLISH, PUBLISHED, PRESENT, DUPLICATE = "publish", "published", "present", "duplicate"
IGNORED, REFUSED, FAILED = "ignored", "refused", "failed"
BAD = frozenset({REFUSED, FAILED})


@dataclass(frozen=True)
class Options:
    """What the operator chose."""

    dry_run: bool = False
    visibility: str = "private"
    licence: str = "unknown"


@dataclass
class Row:
    """What became of one embedding, or would become of it.

    `action`: `publish` (only in a dry run) or `published`; `present` when this owner has the values already;
    `duplicate` of another file of the folder; `ignored`; `refused` by the reader; `failed` for another reason.
    """

    file: str
    action: str
    reason: str = ""
    rule: str = ""
    name: str = ""
    version: int | None = None
    title: str = ""
    trigger: str = ""
    kind: str = ""
    family: str = ""
    base_model: str = ""
    vectors: int | None = None
    tensors: str = ""
    previews: int = 0
    sidecars: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def as_dict(self) -> dict[str, object]:
        """For the command's JSON."""
        return asdict(self)

    @property
    def is_bad(self) -> bool:
        """Whether somebody has to look at this file."""
        return self.action in BAD


@dataclass
class _Run:
    """One import: who, from where, how, and what it has met so far."""

    viewer: Viewer
    root: Path
    options: Options
    seen: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)


def run(viewer: Viewer, *, folder: Path, options: Options) -> Iterator[Row]:
    """Import every embedding in the folder, or with `dry_run` say what would be done and write nothing.

    A file that is refused is a row, and the next one follows. Raises Unavailable or Full when the hub itself cannot
    go on; everything before is done, and the same call again does the rest.
    """
    require(viewer, "create_embedding", viewer.user.owner if viewer.user else None)
    whole = _Run(viewer, folder.resolve(), options)
    for item in scan.scan(folder):
        yield _one(whole, item)


def _one(whole: _Run, item: scan.Item) -> Row:
    row = Row(sidecars=[], file=_shown(item.files[0], whole.root), action=IGNORED, reason=item.skip)
    if item.skip:
        return row
    try:
        ingested = _read(whole, item)
    except (UnacceptableFile, TooLarge, FormatError) as error:
        if item.is_lone_picture and error.code == "not_an_embedding":
            row.reason = "an ordinary picture"
            return row
        row.action, row.reason = REFUSED, error.message
        row.rule = str(error.rule if isinstance(error, FormatError) else error.detail.get("rule") or "")
        return row
    notes = sidecars.read_all(item.sidecars)
    row.sidecars, row.family, row.vectors = notes.read, str(ingested.facts["family"]), ingested.data.vectors
    row.tensors, row.warnings = ingested.tensor_digest, [*notes.warnings, *ingested.facts["warnings"]]
    if ingested.facts.get("question"):
        row.warnings.append(str(ingested.facts["question"]))
    known = _own(whole.viewer, row.tensors)
    if known is not None:
        return _present(whole, item, row, known)
    if row.tensors in whole.seen:
        row.action, row.reason = DUPLICATE, f"the same values as {whole.seen[row.tensors]}"
        return row
    whole.seen[row.tensors] = row.file
    found = describe(whole.viewer, item, ingested, notes, taken=whole.names)
    _fill(row, found)
    for other in recognise.by_values(whole.viewer, tensors=row.tensors):
        row.warnings.append(f"{other.name} v{other.number} of this hub holds exactly these values.")
    row.action, row.previews = PUBLISH, len(item.previews)
    return row if whole.options.dry_run else _publish(whole, item, row, found)


def _read(whole: _Run, item: scan.Item) -> ingest.IngestedEmbedding:
    path = item.files[0]
    return ingest.embedding(whole.viewer, path=path, filename=path.name, half=_half(item))


def _half(item: scan.Item) -> tuple[Path, str] | None:
    return (item.files[1], item.files[1].name) if len(item.files) > 1 else None


def _publish(whole: _Run, item: scan.Item, row: Row, found: Description) -> Row:
    try:
        version = publishing.publish_file(
            whole.viewer,
            path=item.files[0],
            filename=item.files[0].name,
            half=_half(item),
            trigger=found.trigger,
            licence=whole.options.licence,
            name=found.name,
            title=found.title,
            kind=found.kind,
            card=found.card,
            tags=found.tags,
            visibility=whole.options.visibility,
            base_model=found.base_model,
            notes=found.notes,
        )
    except (Unavailable, Full):
        raise
    except HubError as error:
        row.action, row.reason, row.rule = FAILED, error.message, str(error.detail.get("rule") or "")
        return row
    row.action, row.version = PUBLISHED, version.number
    row.previews = _add_previews(whole, item, row, version)
    return row


def _present(whole: _Run, item: scan.Item, row: Row, version: Version) -> Row:
    """Nothing to do but what a killed run left undone: the pictures."""
    row.action, row.reason = PRESENT, "these values are here already"
    row.name, row.version = version.embedding.full_name, version.number
    row.trigger, row.title, row.kind = version.trigger, version.embedding.title, version.embedding.kind
    if not whole.options.dry_run and version.embedding.name not in whole.names:
        row.previews = _add_previews(whole, item, row, version)
    return row


def _add_previews(whole: _Run, item: scan.Item, row: Row, version: Version) -> int:
    """The pictures beside the file as the publisher's own; one that is refused is a warning."""
    added = 0
    for path in item.previews:
        try:
            added += previews.add_upload(whole.viewer, version=version, path=path, filename=path.name)
        except (Unacceptable, TooLarge) as error:
            row.warnings.append(f"The preview {sidecars.line(path.name, 80)} was left out: {error.message}")
    return added


def _own(viewer: Viewer, tensors: str) -> Version | None:
    """The version of this owner that holds these values."""
    assert viewer.user is not None
    rows = Version.objects.select_related("embedding__owner").filter(
        tensor_digest=tensors,
        embedding__owner=viewer.user.owner,
        embedding__deleted_at=None,
        number__isnull=False,
    )
    return rows.exclude(state__in=[Version.State.DELETED, Version.State.TAKEN_DOWN]).order_by("pk").first()


def _fill(row: Row, found: Description) -> None:
    row.name, row.title, row.trigger, row.kind = found.full_name, found.title, found.trigger, found.kind
    row.base_model = found.base_title
    row.warnings += found.warnings


def _shown(path: Path, root: Path) -> str:
    """The path within the folder, fit for a line of a report."""
    return str(path.relative_to(root)).encode("utf-8", "backslashreplace").decode()
