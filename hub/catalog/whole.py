"""Embeddings and versions by number, each with all that a tool asks of it: as many queries for one as for many."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from django.db.models import OuterRef, Q, Subquery, Sum

from hub.access import ANONYMOUS, Viewer, visible
from hub.errors import NotFound
from hub.models import Commit, Digest, Download, Embedding, File, Preview, Version
from hub.models.registry import VersionQuerySet

PICTURES: Final = 10
# Pictures that show what the word does: no controls, and not the blocks that go to the limits on purpose.
SHOWING: Final = Q(role=Preview.Role.UPLOAD) | Q(
    role=Preview.Role.IMAGE, is_control=False, block__in=["", "A", "B", "G"]
)


@dataclass(frozen=True)
class Whole:
    """A version that can be pulled: its main file and that file's digests by kind, its pulls, its first pictures.

    `commit` is the newest that has this version. `is_open`: anybody may have it. `version.embedding`, its owner and
    `version.base_model` are loaded.
    """

    version: Version
    file: File
    digests: dict[str, str]
    pulls: int
    pictures: tuple[Preview, ...]
    commit: str
    is_open: bool


@dataclass(frozen=True)
class Shelf:
    """An embedding and its versions, newest first. `is_withdrawn`: all that is left of it are yanked ones."""

    embedding: Embedding
    versions: tuple[Whole, ...]
    is_withdrawn: bool = False


def pullable(viewer: Viewer) -> VersionQuerySet:
    """The versions that this viewer may pull: published and yanked ones."""
    rows = visible(Version.objects.resolvable(), viewer)
    return cast(VersionQuerySet, rows.select_related("embedding__owner", "base_model"))


def version(viewer: Viewer, *, number: int) -> Whole:
    """The version with this id. NotFound for what is not there, hidden or withdrawn: all of that looks the same."""
    found = load(pullable(viewer).filter(pk=number))
    if not found:
        raise NotFound("Model not found")
    return found[0]


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
    """All of these versions, which somebody may pull, in their order; six queries."""
    rows = list(versions)
    keys = [row.pk for row in rows]
    newest = Commit.objects.filter(version=OuterRef("version")).order_by("-sequence")
    files = {
        file.version_id: file
        for file in File.objects.filter(version__in=keys, layout="canonical")
        .select_related("blob")
        .annotate(commit=Subquery(newest.values("sha")[:1]))
    }
    digests = _digests(files)
    pulls = dict(
        Download.objects.filter(version__in=keys).values_list("version").annotate(Sum("count")).order_by()
    )
    pictures = _pictures(keys)
    everybody = open_among(keys)
    return [
        Whole(
            version=row,
            file=files[row.pk],
            digests=digests[row.pk],
            pulls=pulls.get(row.pk, 0),
            pictures=tuple(pictures[row.pk]),
            commit=files[row.pk].commit or "",
            is_open=row.pk in everybody,
        )
        for row in rows
        if row.pk in files
    ]


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
    rows = Preview.objects.filter(SHOWING, version__in=versions).order_by(
        "role", "block", "row", "column", "pk"
    )
    for row in rows:
        if len(found[row.version_id]) < PICTURES:
            found[row.version_id].append(row)
    return found
