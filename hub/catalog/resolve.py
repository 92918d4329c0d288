"""`owner/name@revision` to one commit, and a path in it to one blob: the same answer for every door."""

import re
from typing import Final

from django.db.models import Q, QuerySet

from hub.access import ANONYMOUS, Viewer, allows, can, can_see, has_scope_for, under, visible
from hub.catalog import gates, moderation
from hub.catalog.shapes import Resolved, ResolvedFile, TreeFile
from hub.errors import Gone, NotFound, Renamed
from hub.formats import tools_for
from hub.models import Commit, Embedding, File, FormerTeamName, Version

README: Final = "README.md"
_NUMBER = re.compile(r"v([1-9][0-9]{0,8})")
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
State = Version.State


def embedding(viewer: Viewer, *, owner: str, name: str) -> Embedding:
    """The embedding of that name, ignoring case. NotFound `repo_not_found`; Gone when it was public and deleted.

    A name that it had before raises Renamed with its name of today.
    """
    rows = Embedding.objects.select_related("owner", "head__base_model")
    named = rows.filter(owner__name=owner.lower(), name=name.lower())
    found = visible(named, viewer).first()
    if found is not None:
        return found
    row = named.first()
    if row is None:
        _refuse_former(visible(rows, viewer), owner, name)
    if row is not None and row.visibility != "private" and row.last_number and _may_read(viewer):
        _refuse_withdrawn(row)
    raise NotFound("There is no embedding of this name.", code="repo_not_found")


def own(viewer: Viewer, *, owner: str, name: str, act: str) -> Embedding:
    """The embedding that a viewer wants to do this act to, without the question whether they may read it.

    A tool's token for publishing alone reaches what stands under its person's own name, and under those of their
    teams. Raises as `embedding`.
    """
    if viewer.user is not None and has_scope_for(viewer, act):
        rows = (
            Embedding.objects.alive().select_related("owner", "head__base_model").filter(under(viewer, act))
        )
        row = rows.filter(owner__name=owner.lower(), name=name.lower()).first()
        if row is not None:
            return row
        _refuse_former(rows, owner, name)
    return embedding(viewer, owner=owner, name=name)


def own_version(viewer: Viewer, *, owner: str, name: str, number: int, act: str) -> Version:
    """The version of that number that the viewer wants to do this act to. Raises as `own`, or NotFound."""
    row = own(viewer, owner=owner, name=name, act=act)
    found = Version.objects.select_related("embedding__owner").filter(embedding=row, number=number).first()
    if found is None:
        raise NotFound(f"There is no version {number}.", code="revision_not_found")
    return found


def _refuse_former(rows: QuerySet[Embedding], owner: str, name: str) -> None:
    """Raise Renamed when one of these had that name before, or its team did."""
    owner, name = owner.lower(), name.lower()
    renamed = Q(owner__in=FormerTeamName.objects.filter(name=owner).values("owner"))
    had = Q(former_names__owner__name=owner, former_names__name=name)
    had |= renamed & (Q(name=name) | Q(former_names__name=name))
    row = rows.filter(had, deleted_at=None).first()
    if row is not None:
        raise Renamed(f"This embedding is called {row.full_name} now.", owner=row.owner.name, name=row.name)


def revision(viewer: Viewer, *, owner: str, name: str, revision: str) -> Resolved:
    """The commit that `main`, `vN`, a label or a commit id (7 digits or more) means.

    NotFound `repo_not_found` or `revision_not_found`, Gone and TakenDown for what was withdrawn.
    """
    row = embedding(viewer, owner=owner, name=name)
    if revision == "main":
        commit = main_commit(row)
    elif _NUMBER.fullmatch(revision):
        commit = _of_version(viewer, row, Q(number=int(revision[1:])))
    else:
        commit = _by_id(viewer, row, revision) if _COMMIT.fullmatch(revision) else None
        commit = commit or _of_version(viewer, row, Q(label=revision) & ~Q(label=""))
    if commit is None:
        raise _no_revision(revision)
    if commit.version is None and not can(viewer, "see_draft", row):
        raise _no_revision(revision)
    return Resolved(row, commit, commit.version, revision, is_immutable=revision == commit.sha)


def tree(resolved: Resolved) -> list[TreeFile]:
    """All files of a resolved commit by path, README.md included."""
    files = []
    readme = resolved.commit.readme
    if readme is not None:
        files.append(TreeFile(README, readme.sha256, readme.size, readme.git_sha1, "", "The card"))
    if resolved.version is not None:
        files += [tree_file(file) for file in resolved.version.files.select_related("blob")]
    return sorted(files, key=lambda file: file.path)


def files_of(row: Embedding) -> list[TreeFile]:
    """The files at `main`; none while there is nothing there."""
    commit = main_commit(row)
    return tree(Resolved(row, commit, commit.version, "main", is_immutable=False)) if commit else []


def tree_file(file: File) -> TreeFile:
    """One stored file of a version; its blob and its version must be loaded."""
    title = ", ".join(tools_for(file.layout, file.version.family)) or file.layout
    return TreeFile(file.path, file.blob_id, file.blob.size, file.blob.git_sha1, file.layout, title)


def file(viewer: Viewer, *, owner: str, name: str, revision: str, path: str) -> ResolvedFile:
    """One file at a revision. Raises as `revision`, and NotFound `entry_not_found` for a path that is not there."""
    resolved = _revision(viewer, owner=owner, name=name, revision=revision)
    commit, version = resolved.commit, resolved.version
    row = (
        version.files.select_related("blob").filter(path=path).first() if version and path != README else None
    )
    blob = commit.readme if path == README else (row.blob if row else None)
    if blob is None:
        raise NotFound("There is no file of this name.", code="entry_not_found")
    return ResolvedFile(
        path=path,
        sha256=blob.sha256,
        size=blob.size,
        content_type="text/markdown; charset=utf-8" if path == README else "application/octet-stream",
        commit=commit,
        version=version,
        embedding=resolved.embedding,
        file_id=row.pk if row else None,
        is_public=version is not None and can_see(ANONYMOUS, version),
        is_immutable=resolved.is_immutable,
        gate=gates.of(resolved.embedding) if row else None,
    )


# The functions above use `revision` as a word of its own.
_revision = revision


def main_commit(row: Embedding) -> Commit | None:
    """The newest commit of the head; before the first version the newest of all."""
    commits = Commit.objects.select_related("version__base_model", "readme").filter(embedding=row)
    if row.head_id is None and row.last_number:
        return None
    return commits.filter(version=row.head_id).order_by("-sequence").first()


def _of_version(viewer: Viewer, row: Embedding, which: Q) -> Commit | None:
    """The commit with which that version was published."""
    version = Version.objects.filter(which, embedding=row, published_at__isnull=False).first()
    if version is None:
        return None
    _check_pullable(version)
    commits = Commit.objects.select_related("version__base_model", "readme")
    return commits.filter(version=version).order_by("sequence").first()


def _by_id(viewer: Viewer, row: Embedding, sha: str) -> Commit | None:
    """The commit of that id, or the only one that begins so."""
    commits = Commit.objects.select_related("version__base_model", "readme").filter(embedding=row)
    found = list(commits.filter(sha=sha) if len(sha) == 40 else commits.filter(sha__startswith=sha)[:2])
    if len(found) != 1:
        return None
    if found[0].version is not None:
        _check_pullable(found[0].version)
    return found[0]


def _check_pullable(version: Version) -> None:
    """Published and yanked versions are pulled; tombstones say what happened, the rest does not exist."""
    if version.state == State.DELETED:
        raise Gone("deleted", "This version was deleted by its owner.", what="version")
    if version.state == State.TAKEN_DOWN:
        raise moderation.tombstone("This version was taken down.", Q(version=version))
    if not version.is_published:
        raise _no_revision(version.name)


def _refuse_withdrawn(row: Embedding) -> None:
    """Raise what is left of an embedding that has nothing to offer; nothing when it never had."""
    if row.deleted_at is not None:
        raise Gone("deleted", "This embedding was deleted by its owner.", what="embedding")
    states = set(row.versions.filter(published_at__isnull=False).values_list("state", flat=True))
    if State.TAKEN_DOWN in states and states <= {State.TAKEN_DOWN, State.DELETED}:
        raise moderation.tombstone("This embedding was taken down.", Q(version__embedding=row))
    if states == {State.DELETED}:
        raise Gone("deleted", "All versions of this embedding were deleted by its owner.", what="embedding")


def _may_read(viewer: Viewer) -> bool:
    """Whether tombstones may be shown to this viewer at all."""
    return allows(viewer, "see_public")


def _no_revision(revision: str) -> NotFound:
    return NotFound(f"There is no revision {revision[:60]!r}.", code="revision_not_found")
