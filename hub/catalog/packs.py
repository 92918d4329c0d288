"""Reads of packs: one by name, the page of one, lists of them. As many queries for many members as for one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from django.db.models import Q, QuerySet

from hub.access import ANONYMOUS, Viewer, acts_on, under, visible
from hub.catalog import cards, downloads
from hub.catalog.pack_shapes import Pack, PackCard, PackMember, PackPage, revision_id
from hub.errors import NotFound, Renamed
from hub.models import Collection, CollectionMember, Commit, Embedding, FormerTeamName, Owner, Version

PAGE_SIZE: Final = 24
SHOWN: Final = 4
REVISIONS: Final = 500


def get(viewer: Viewer, *, owner: str, name: str) -> Collection:
    """The pack of that name, ignoring case. NotFound `repo_not_found`; Renamed for a name it had before."""
    rows = visible(Collection.objects.select_related("owner"), viewer)
    found = rows.filter(owner__name=owner.lower(), name=name.lower()).first()
    if found is None:
        owner, name = owner.lower(), name.lower()
        renamed = Q(owner__in=FormerTeamName.objects.filter(name=owner).values("owner"))
        had = Q(former_names__owner__name=owner, former_names__name=name)
        had |= renamed & (Q(name=name) | Q(former_names__name=name))
        former = rows.filter(had).first()
        if former is not None:
            raise Renamed(
                f"This pack is called {former.full_name} now.", owner=former.owner.name, name=former.name
            )
        raise NotFound("There is no pack of this name.", code="repo_not_found")
    return found


def own(viewer: Viewer, *, owner: str, name: str) -> Collection:
    """The pack that a viewer wants to change; a token that may not read reaches what its person may. Raises as get."""
    if viewer.user is not None:
        rows = Collection.objects.select_related("owner").filter(under(viewer, "edit_pack"))
        found = rows.filter(owner__name=owner.lower(), name=name.lower()).first()
        if found is not None:
            return found
    return get(viewer, owner=owner, name=name)


def whole(viewer: Viewer, *, collection: Collection, with_cards: bool = False) -> Pack:
    """The pack as it is now, as this viewer sees it; the same few queries for any number of members."""
    rows = list(collection.members.values_list("version", "note", "pk"))
    members = _members(viewer, rows, with_cards=with_cards)
    seen = {member.pk for member in members}
    may = acts_on(viewer, collection)
    return Pack(
        collection=collection,
        title=collection.title,
        description=collection.description,
        members=members,
        modified=collection.updated_at,
        hidden=tuple(pk for _, _, pk in rows if pk not in seen) if "edit_pack" in may else (),
        may=may,
    )


def at(viewer: Viewer, *, collection: Collection, revision: str) -> Pack:
    """The pack at `main` or at a revision id (7 digits or more), of old or of now. NotFound `revision_not_found`.

    A revision is gone once one of its members may not be seen any more: what is left would be another pack.
    """
    now = whole(viewer, collection=collection)
    if revision == "main" or (len(revision) >= 7 and now.revision.startswith(revision)):
        return now
    past = list(collection.revisions.order_by("-pk")[:REVISIONS])
    commits = _commits(viewer, {pk for row in past for pk, _ in row.members})
    for row in past if len(revision) >= 7 else []:
        known = [(pk, commits[pk], note) for pk, note in row.members if pk in commits]
        told = revision_id(row.title, row.description, [(commit, note) for _, commit, note in known])
        if told.startswith(revision):
            members = _members(viewer, [(pk, note, None) for pk, _, note in known])
            return Pack(collection, row.title, row.description, members, row.created_at)
    raise NotFound(f"There is no revision {revision[:60]!r}.", code="revision_not_found")


def all_open(versions: Sequence[int]) -> bool:
    """Whether anybody may have all of these versions."""
    return pullable(ANONYMOUS).filter(pk__in=versions).count() == len(versions)


def list_packs(viewer: Viewer, *, page: int = 1, query: str = "") -> PackPage:
    """Public packs with something in them, newest change first; `query` is part of the title or name."""
    rows = visible(Collection.objects.all(), viewer).filter(visibility=Collection.Visibility.PUBLIC)
    rows = rows.filter(members__version__in=pullable(viewer)).distinct()
    if query:
        rows = rows.filter(title__icontains=query) | rows.filter(name__icontains=query)
    total = rows.count()
    start = (page - 1) * PAGE_SIZE
    return PackPage(
        make_cards(viewer, rows.select_related("owner")[start : start + PAGE_SIZE]),
        total, page, max(1, -(-total // PAGE_SIZE)),
    )  # fmt: skip


def of_owner(viewer: Viewer, *, owner: Owner) -> tuple[PackCard, ...]:
    """The packs of a person that the viewer may see."""
    return make_cards(viewer, visible(Collection.objects.filter(owner=owner), viewer).select_related("owner"))


def holding(viewer: Viewer, *, embedding: Embedding, most: int = 12) -> tuple[PackCard, ...]:
    """Public packs, and the viewer's own, that hold a version of this embedding which the viewer may see."""
    pinned = pullable(viewer).filter(embedding=embedding)
    rows = visible(Collection.objects.filter(members__version__in=pinned), viewer)
    return make_cards(viewer, rows.select_related("owner")[:most])


def own_choices(viewer: Viewer, *, embedding: Embedding) -> list[tuple[Collection, bool]]:
    """The packs that the viewer may change, each with whether it holds a version of this embedding; two queries."""
    if viewer.user is None:
        return []
    rows = list(Collection.objects.filter(under(viewer, "edit_pack")).select_related("owner"))
    holds = set(
        CollectionMember.objects.filter(embedding=embedding, collection__in=rows).values_list(
            "collection", flat=True
        )
    )
    return [(row, row.pk in holds) for row in rows]


def make_cards(viewer: Viewer, packs: Iterable[Collection]) -> tuple[PackCard, ...]:
    """A card for each pack, in order; the same few queries for one and for many."""
    rows = list(packs)
    visible_members = (
        CollectionMember.objects.filter(collection__in=rows, version__in=pullable(viewer))
        .order_by("position", "pk")
        .values_list("collection", "version")
    )
    found: dict[int, list[int]] = defaultdict(list)
    for collection, version in visible_members:
        found[collection].append(version)
    shown = {pk for members in found.values() for pk in members[:SHOWN]}
    versions = {row.pk: row for row in _loaded(Version.objects.filter(pk__in=shown))}
    by_pk = dict(zip(versions, cards.make_pinned(versions.values()), strict=True))
    return tuple(
        PackCard(row, len(found[row.pk]), tuple(by_pk[pk] for pk in found[row.pk][:SHOWN])) for row in rows
    )


def _members(
    viewer: Viewer, rows: Sequence[tuple[int, str, int | None]], *, with_cards: bool = False
) -> tuple[PackMember, ...]:
    """Those of these pins (version, note, member) that the viewer may pull and that have their file, in order."""
    wanted = [version for version, _, _ in rows]
    versions = {row.pk: row for row in _loaded(pullable(viewer).filter(pk__in=wanted))}
    commits = first_commits(versions)
    files = downloads.offered_of(list(versions.values()))
    made = cards.make_pinned(versions.values()) if with_cards else ()
    by_pk = dict(zip(versions, made, strict=False))
    members = []
    for pk, note, member in rows:
        version, found = versions.get(pk), files.get(pk, [])
        canonical = next((one for one in found if one.layout == "canonical" and one.is_stored), None)
        if version is None or canonical is None or pk not in commits:
            continue
        head = version.embedding.head
        newer = head.number if head and (head.number or 0) > (version.number or 0) else None
        members.append(
            PackMember(version, note, commits[pk], canonical, tuple(found), newer, member, by_pk.get(pk))
        )
    return tuple(members)


def _loaded(versions: QuerySet[Version]) -> QuerySet[Version]:
    return versions.select_related("embedding__owner", "embedding__head", "base_model").prefetch_related(
        "embedding__tags"
    )


def pullable(viewer: Viewer) -> QuerySet[Version]:
    """The versions that this viewer may pull."""
    return visible(Version.objects.resolvable(), viewer)


def _commits(viewer: Viewer, versions: Iterable[int]) -> dict[int, str]:
    """The commit of publishing of those of these versions that the viewer may pull."""
    return first_commits(pullable(viewer).filter(pk__in=list(versions)).values_list("pk", flat=True))


def first_commits(versions: Iterable[int]) -> dict[int, str]:
    """The commit at which each of these versions was published."""
    rows = Commit.objects.filter(version__in=list(versions)).order_by("-sequence")
    return {pk: sha for pk, sha in rows.values_list("version", "sha") if pk is not None}
