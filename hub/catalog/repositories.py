"""Reads embeddings the way tools of the Hugging Face protocol list them: repositories with a head commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from hub.access import Viewer, under, visible
from hub.catalog import cursors
from hub.errors import Invalid
from hub.models import Commit, Embedding, File, Version
from hub.models.registry import Gate, Visibility

# What every embedding is, whatever its tags say.
ALWAYS: Final = frozenset({"textual_inversion", "diffusers", "text-to-image"})
FAMILY_OF_TAG: Final = {
    "stable-diffusion": ("sd1", "sd2"),
    "stable-diffusion-xl": ("sdxl",),
    "stable-diffusion-3": ("sd3",),
    "flux": ("flux",),
}
SORTS: Final = {
    "downloads": "downloads",
    "likes": "likes",
    "trendingScore": "downloads",
    "createdAt": "created_at",
    "lastModified": "head_at",
}


@dataclass(frozen=True)
class Row:
    """An embedding of a listing, and the commit that its `main` is at."""

    embedding: Embedding
    sha: str
    modified: datetime


@dataclass(frozen=True)
class Listed:
    """A page of a listing; `next` is the cursor of the page after it."""

    items: list[Row]
    next: str | None


@dataclass(frozen=True)
class Kept:
    """An embedding of one's own, when its newest version was saved last, and the bytes of all its versions' files."""

    embedding: Embedding
    modified: datetime | None
    size: int


@dataclass(frozen=True)
class KeptPage:
    """A page of them; `next` is the cursor of the page after it."""

    items: list[Kept]
    next: str | None


@dataclass(frozen=True)
class Question:
    """What is looked for; each of `filters` must match a tag of the card, and the gate one of `gates`."""

    search: str = ""
    author: str = ""
    filters: Sequence[str] = ()
    gates: Sequence[str] = tuple(Gate)
    sort: str = "createdAt"
    cursor: str = ""
    limit: int = 100


def _with_head(queryset: QuerySet[Embedding]) -> QuerySet[Any]:
    """Add `head_sha` and `head_at`, the commit that `main` is at, and what a repository's record shows."""
    latest = Commit.objects.filter(embedding=OuterRef("pk"), version=OuterRef("head")).order_by("-sequence")
    return (
        queryset.annotate(
            head_sha=Subquery(latest.values("sha")[:1]), head_at=Subquery(latest.values("created_at")[:1])
        )
        .select_related("owner", "head__base_model")
        .prefetch_related("tags")
    )


def list_repositories(viewer: Viewer, *, question: Question) -> Listed:
    """Public embeddings with something to pull, and the viewer's own. Invalid for a bad sort or cursor."""
    field = SORTS.get(question.sort)
    if field is None:
        raise Invalid("malformed_request", f"Sort by one of {', '.join(SORTS)}.", field="sort")
    found = _matching(_with_head(visible(Embedding.objects.all(), viewer)).filter(_offered(viewer)), question)
    if question.cursor:
        found = found.filter(cursors.after(field, question.cursor))
    rows = list(found.order_by(F(field).desc(), "-pk")[: question.limit + 1])
    shown = rows[: question.limit]
    items = [Row(row, row.head_sha, row.head_at) for row in shown]
    return Listed(items, cursors.write(field, shown[-1]) if len(rows) > question.limit else None)


def kept(viewer: Viewer, *, owner: str, cursor: str = "", limit: int = 100) -> KeptPage:
    """All that stands under a name whose private things the viewer may see, newest first; else nothing."""
    sizes = File.objects.filter(version__embedding=OuterRef("pk")).order_by().values("version__embedding")
    total = Subquery(sizes.annotate(total=Sum("blob__size")).values("total"))
    rows = _with_head(visible(Embedding.objects.alive(), viewer)).filter(
        under(viewer, "see_private"), owner__name=owner.lower()
    )
    if cursor:
        rows = rows.filter(cursors.after("created_at", cursor))
    found = list(rows.annotate(kept_size=Coalesce(total, 0)).order_by("-created_at", "-pk")[: limit + 1])
    shown = found[:limit]
    more = cursors.write("created_at", shown[-1]) if len(found) > limit else None
    return KeptPage([Kept(row, row.head_at, row.kept_size) for row in shown], more)


def _offered(viewer: Viewer) -> Q:
    """Lists name public things, and to their owner and their team the rest as well."""
    offered = Q(visibility=Visibility.PUBLIC)
    if viewer.user is not None and viewer.has_scope("read"):
        offered |= under(viewer, "see_private")
    return offered & Q(head__state=Version.State.PUBLISHED)


def _matching(found: QuerySet[Any], question: Question) -> QuerySet[Any]:
    """Narrow down by author, by part of the id, and by tags."""
    if set(question.gates) != set(Gate):
        found = found.filter(gate__in=question.gates)
    if question.author:
        found = found.filter(owner__name=question.author.lower())
    if question.search:
        owner, slash, name = question.search.lower().partition("/")
        if slash:
            found = found.filter(owner__name__endswith=owner, name__startswith=name)
        else:
            found = found.filter(Q(owner__name__contains=owner) | Q(name__contains=owner))
    for word in question.filters:
        if word not in ALWAYS:
            found = found.filter(_tagged(word))
    return found


def _tagged(word: str) -> Q:
    """The condition that a tag of the card stands for."""
    if word in FAMILY_OF_TAG:
        return Q(head__family__in=FAMILY_OF_TAG[word])
    kind, colon, rest = word.partition(":")
    if colon and kind == "license":
        return Q(head__licence=rest)
    if colon and kind == "base_model":
        return Q(head__base_model__name=rest.removeprefix("adapter:"))
    return Q(pk__in=Embedding.objects.filter(tags__slug=word).values("pk"))


def published_commits(viewer: Viewer, *, embedding: Embedding) -> list[Commit]:
    """The commits at which versions were published, oldest first: one for each version that can be pulled."""
    versions = visible(Version.objects.resolvable(), viewer).filter(embedding=embedding)
    first: dict[int, Commit] = {}
    commits = Commit.objects.filter(version__in=versions).select_related("version").order_by("sequence")
    for commit in commits:
        assert commit.version_id is not None
        first.setdefault(commit.version_id, commit)
    return list(first.values())


def tagged(viewer: Viewer, *, owner: str, name: str) -> list[Commit]:
    """The published commits of the embedding of that name; none where it is a pack's."""
    row = visible(Embedding.objects.filter(owner__name=owner.lower(), name=name.lower()), viewer).first()
    return published_commits(viewer, embedding=row) if row else []


def history(
    viewer: Viewer, *, embedding: Embedding, commit: Commit, before: int | None, limit: int
) -> list[Commit]:
    """The commits up to this one, newest first, `before` a sequence number where one is given."""
    versions = visible(Version.objects.resolvable(), viewer).filter(embedding=embedding)
    commits = Commit.objects.filter(embedding=embedding, sequence__lte=commit.sequence)
    commits = commits.filter(Q(version__in=versions) | Q(pk=commit.pk))
    if before is not None:
        commits = commits.filter(sequence__lt=before)
    return list(commits.select_related("version", "created_by").order_by("-sequence")[:limit])


def file_names(rows: Sequence[Row]) -> list[list[str]]:
    """For each row the paths of its head's tree, in one query."""
    paths: dict[int, list[str]] = {}
    heads = [row.embedding.head_id for row in rows]
    for version, path in File.objects.filter(version__in=heads).values_list("version_id", "path"):
        paths.setdefault(version, ["README.md"]).append(path)
    return [paths.get(row.embedding.head_id or 0, []) for row in rows]
