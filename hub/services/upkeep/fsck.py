"""fsck: looks for what the invariants of the hub rule out, and repairs what loses nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from django.db.models import Max, Sum

from hub import blobs
from hub.errors import HubError
from hub.models import Blob, Commit, Embedding, Fingerprint, SearchText, Version
from hub.services import audit, indexing
from hub.services.versions import commits, fingerprints
from hub.services.versions.files import README


@dataclass(frozen=True)
class Finding:
    """Something that should not be. `repair` puts it right without losing anything; None where nobody can."""

    rule: str
    subject: str
    message: str
    repair: Callable[[], object] | None = None


def findings(*, read_data: bool = False) -> Iterator[Finding]:
    """Everything that is wrong, as it is found. `read_data` also compares every stored byte with its name."""
    yield from _blobs(read_data)
    yield from _versions()
    yield from _commits()
    yield from _embeddings()
    for sentence in audit.breaks():
        yield Finding("I11", "audit log", sentence)


def _blobs(read_data: bool) -> Iterator[Finding]:
    """I1 and I2: every row has its bytes, and they are what they are called."""
    for blob in Blob.objects.filter(deleting=False).iterator():
        try:
            size = blobs.size(blob.sha256)
            if read_data:
                blobs.read(blob.sha256)
        except HubError as error:
            yield Finding("I2" if error.kind == "not_found" else "I1", blob.sha256, error.message)
            continue
        if size != blob.size:
            yield Finding("I1", blob.sha256, f"is {size} bytes long instead of {blob.size}")


def _versions() -> Iterator[Finding]:
    """I2 and I9: published versions have files, a commit, and numbers within the count."""
    for version in Version.objects.resolvable().select_related("embedding__owner").iterator():
        if not version.files.filter(layout="canonical").exists():
            yield Finding("I2", str(version), "has no canonical file")
        if not version.commits.exists():
            yield Finding("I2", str(version), "has no commit")
        if (version.number or 0) > version.embedding.last_number:
            yield Finding("I9", str(version), "has a number that its embedding never gave")
    bare = Version.objects.resolvable().exclude(pk__in=Fingerprint.objects.values("version"))
    for version in bare.select_related("embedding__owner").iterator():
        mend = partial(fingerprints.remember_late, version)
        yield Finding("I10", str(version), "has no fingerprint, so near copies of it are not found", mend)


def _commits() -> Iterator[Finding]:
    """Commit ids are what can be computed from the tree, and each follows from the one before."""
    parents: dict[int, str] = {}
    rows = Commit.objects.select_related("embedding__owner", "version").order_by("embedding_id", "sequence")
    for commit in rows.iterator():
        parent = parents.get(commit.embedding_id, "")
        parents[commit.embedding_id] = commit.sha
        if commit.parent != parent:
            yield Finding("I2", commit.sha, "does not follow the commit before")
        version = commit.version
        whole = version is None or (version.state != Version.State.DELETED and version.tensors_id is not None)
        if commit.readme_id is None or not whole:
            continue
        tree = {README: commit.readme_id}
        if commit.version is not None:
            tree |= dict(commit.version.files.values_list("path", "blob_id"))
        number = commit.version.number if commit.version else None
        if commit.sha != commits.commit_id(
            commit.embedding.public_id, parent=parent, number=number, tree=tree
        ):
            yield Finding("I2", commit.sha, "is not the id of its tree")


def _embeddings() -> Iterator[Finding]:
    """Derived data: heads, counts and search text; all of it can be made again."""
    for row in Embedding.objects.alive().select_related("owner", "head").iterator():
        newest = row.versions.published().aggregate(newest=Max("number"))["newest"]
        if (row.head.number if row.head else None) != newest:
            yield Finding("I9", row.full_name, "main is not its newest version", partial(_set_head, row))
        pulls = row.versions.aggregate(total=Sum("pulls__count"))["total"] or 0
        if pulls != row.downloads:
            yield Finding(
                "I12",
                row.full_name,
                f"counts {row.downloads} pulls instead of {pulls}",
                partial(_set_downloads, row, pulls),
            )
        if not SearchText.objects.filter(embedding=row).exists():
            yield Finding(
                "I10", row.full_name, "is missing from the search index", partial(indexing.refresh, row)
            )


def _set_head(row: Embedding) -> None:
    newest = row.versions.published().order_by("-number").first()
    Embedding.objects.filter(pk=row.pk).update(head=newest)


def _set_downloads(row: Embedding, pulls: int) -> None:
    Embedding.objects.filter(pk=row.pk).update(downloads=pulls)
