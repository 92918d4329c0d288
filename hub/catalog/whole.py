"""Embeddings and versions by number, each with all that a tool asks of it: as many queries for one as for many."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from django.db.models import Q, Sum

from hub.access import ANONYMOUS, Viewer, is_open, visible
from hub.catalog import gates, stamps
from hub.catalog.memory import Memory
from hub.errors import NotFound
from hub.models import Commit, Digest, Download, Embedding, File, Preview, Version
from hub.models.registry import VersionQuerySet

PICTURES: Final = 10
MOST_KNOWN: Final = 10_000
_WITH: Final = ("embedding__owner", "base_model")
_TOLD: Final = (
    *(
        "number",
        "label",
        "state",
        "state_reason",
        "state_changed_at",
        "notes",
        "trigger",
        "family",
        "licence",
    ),
    *("vectors", "run_key", "created_at", "published_at", "base_model__name", "base_model__family"),
    *(
        "embedding__title",
        "embedding__name",
        "embedding__kind",
        "embedding__summary",
        "embedding__visibility",
        "embedding__gate",
    ),
    *("embedding__downloads", "embedding__likes", "embedding__owner__name"),
)
# Pictures that show what the word does: no controls, and not the blocks that go to the limits on purpose.
SHOWING: Final = Q(role=Preview.Role.UPLOAD) | Q(
    role=Preview.Role.IMAGE, is_control=False, block__in=["", "A", "B", "G"]
)
# Questions put together once; each filter of them is one of its own.
_SHOWN: Final = Preview.objects.filter(SHOWING).order_by("role", "block", "row", "column", "pk")
_COUNTED: Final = Download.objects.order_by().values_list("version").annotate(Sum("count"))


@dataclass(frozen=True)
class Whole:
    """A version that can be pulled: its main file and that file's digests by kind, its pulls, its first pictures.

    `commit` is the newest that has this version; empty in a `version`. `is_open`: anybody may see it.
    `version.embedding`, its owner and `version.base_model` are loaded.
    """

    version: Version
    file: File
    digests: dict[str, str]
    pulls: int
    pictures: tuple[Preview, ...]
    commit: str
    is_open: bool

    @property
    def gate(self) -> gates.Behind | None:
        """What its file stands behind."""
        return gates.of(self.version.embedding)


@dataclass(frozen=True)
class Shelf:
    """An embedding and its versions, newest first. `is_withdrawn`: all that is left of it are yanked ones."""

    embedding: Embedding
    versions: tuple[Whole, ...]
    is_withdrawn: bool = False


def pullable(viewer: Viewer) -> VersionQuerySet:
    """The versions that this viewer may pull: published and yanked ones."""
    rows = visible(Version.objects.resolvable(), viewer)
    return cast(VersionQuerySet, rows.select_related(*_WITH))


def version(viewer: Viewer, *, number: int, is_for_file: bool = False) -> Whole:
    """The version with this id. NotFound for what is not there, hidden or withdrawn: all of that looks the same.

    Three queries. Where only its file is wanted (`is_for_file`), with no pulls and no pictures, it is one, and for
    strangers a standing one.
    """
    now = stamps.of_version(viewer, number=number) if is_for_file else None
    known = _for_file.get(number, now) if now is not None else None
    if known is not None:
        return known
    rows = list(pullable(viewer).only(*_TOLD).filter(pk=number))
    files = _frozen(rows)
    if not rows or number not in files:
        raise NotFound("Model not found")
    if not is_for_file:
        pulls, pictures = _pulls([number]).get(number, 0), _pictures([number])[number]
        return _whole(rows[0], files[number], pulls=pulls, pictures=pictures)
    found = _whole(rows[0], files[number])
    if now is not None:
        _for_file.put(number, now, found)
    return found


def embedding(viewer: Viewer, *, number: int) -> Shelf:
    """The embedding with this id and its published versions, or, where it has none, its yanked ones. NotFound else."""
    rows = list(pullable(viewer).filter(embedding=number).order_by("-number"))
    offered = [row for row in rows if row.state == Version.State.PUBLISHED]
    wholes = load(offered or rows)
    if not wholes:
        raise NotFound(f"No model with id {number}")
    return Shelf(_with_tags([number])[number], tuple(wholes), is_withdrawn=not offered)


def shelves(viewer: Viewer, numbers: Sequence[int]) -> list[Shelf]:
    """These embeddings in this order, each with its published versions; those that have none are left out."""
    embeddings = _with_tags(numbers)
    rows = pullable(viewer).published().filter(embedding__in=numbers).order_by("-number")
    versions: dict[int, list[Whole]] = defaultdict(list)
    for whole in load(rows):
        versions[whole.version.embedding_id].append(whole)
    return [Shelf(embeddings[pk], tuple(versions[pk])) for pk in numbers if versions[pk]]


def load(versions: Iterable[Version]) -> list[Whole]:
    """All of these versions, which somebody may pull, in their order; six queries, and four of what is known."""
    rows = list(versions)
    keys = [row.pk for row in rows]
    files, pulls, pictures = _frozen(rows), _pulls(keys), _pictures(keys)
    commits = dict(Commit.objects.filter(version__in=keys).order_by("sequence").values_list("version", "sha"))
    return [
        _whole(
            row,
            files[row.pk],
            pulls=pulls.get(row.pk, 0),
            pictures=pictures[row.pk],
            commit=commits.get(row.pk, ""),
        )
        for row in rows
        if row.pk in files
    ]


def _whole(
    row: Version, frozen: "_Frozen", *, pulls: int = 0, pictures: Sequence[Preview] = (), commit: str = ""
) -> Whole:
    return Whole(
        version=row,
        file=frozen.file,
        digests=frozen.digests,
        pulls=pulls,
        pictures=tuple(pictures),
        commit=commit,
        is_open=row.is_published and is_open(row.embedding.visibility),
    )


@dataclass(frozen=True)
class _Frozen:
    """What of a version never changes once it is published."""

    file: File
    digests: dict[str, str]


# What strangers are told of a version's file.
_for_file: Final[Memory[Whole]] = Memory(MOST_KNOWN)
# By id and moment of publishing, which no other version has.
_known: dict[tuple[int, datetime | None], _Frozen] = {}


def _frozen(rows: Sequence[Version]) -> dict[int, _Frozen]:
    """The main file and its digests of each of these versions that has one; asked of the database once in a process."""
    held = ((row.pk, _known.get((row.pk, row.published_at))) for row in rows)
    found = {pk: frozen for pk, frozen in held if frozen is not None}
    missing = {row.pk: row for row in rows if row.pk not in found}
    if not missing:
        return found
    files = {
        file.version_id: file
        for file in File.objects.filter(version__in=missing, layout="canonical").select_related("blob")
    }
    digests = _digests(files)
    if len(_known) + len(missing) > MOST_KNOWN:
        _known.clear()
    for pk, file in files.items():
        found[pk] = _Frozen(file, digests[pk])
        if missing[pk].published_at is not None:
            _known[pk, missing[pk].published_at] = found[pk]
    return found


def _pulls(keys: Sequence[int]) -> dict[int, int]:
    """Pulls of each of these versions."""
    return dict(_COUNTED.filter(version__in=keys))


def open_among(versions: Iterable[int]) -> set[int]:
    """Those of these versions that anybody may have."""
    return set(
        visible(Version.objects.resolvable(), ANONYMOUS).filter(pk__in=versions).values_list("pk", flat=True)
    )


def _with_tags(numbers: Sequence[int]) -> dict[int, Embedding]:
    rows = Embedding.objects.filter(pk__in=numbers).select_related("owner").prefetch_related("tags")
    return {row.pk: row for row in rows}


def _digests(files: Mapping[int, File]) -> dict[int, dict[str, str]]:
    """Digests of these files by version and kind; the SHA-256 is always there."""
    found = {pk: {"sha256": file.blob_id} for pk, file in files.items()}
    rows = Digest.objects.filter(version__in=files).values_list("version", "path", "kind", "value")
    for pk, path, kind, value in rows:
        if files[pk].path == path:
            found[pk][kind] = value
    return found


def _pictures(versions: Sequence[int]) -> dict[int, list[Preview]]:
    """The first pictures of each version: of the sheet, then the publisher's own."""
    found: dict[int, list[Preview]] = defaultdict(list)
    for row in _SHOWN.filter(version__in=versions):
        if len(found[row.version_id]) < PICTURES:
            found[row.version_id].append(row)
    return found
