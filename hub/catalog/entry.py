"""Everything the page of an embedding shows, of its head or of one version."""

from itertools import groupby
from typing import cast

from django.db.models import Count, Q, QuerySet

from hub.access import Viewer, acts_on, visible
from hub.catalog import cards, likes, packs, resolve
from hub.catalog.licences import LICENCES
from hub.catalog.shapes import Card, Edition, Entry, Picture, SheetBlock
from hub.errors import NotFound
from hub.formats import FAMILIES
from hub.models import Commit, Embedding, Preview, Version
from hub.models.registry import VersionQuerySet

RELATED = 6
# What is offered on the page to those who keep it up.
UPKEEP = frozenset(
    (
        "publish_version",
        "edit_card",
        "yank",
        "delete_version",
        "change_visibility",
        "manage_gate",
        "add_preview",
        "transfer",
    )
)

# What each block of the sheet is called, and what it answers.
BLOCKS = {
    "A": ("Faithful", "Does it look like what it was learned from?"),
    "B": ("Obedient", "Does the rest of the prompt still count?"),
    "C": ("Control", "The same prompts and seeds without the word."),
    "D": ("Intact", "Prompts without the word: the base model is unchanged."),
    "E": ("Strength", "From a hint to too much."),
    "F": ("Growth", "How it was learned, step by step."),
    "G": ("Negative", "With and without it in the negative prompt."),
    "H": ("Own prompts", "Asked for by whoever trained it."),
}


def get(viewer: Viewer, *, owner: str, name: str) -> Entry:
    """The page of an embedding, showing its head. NotFound, Gone or TakenDown as resolve says.

    An embedding without an offered version shows its newest yanked one; an owner's own may have none at all.
    """
    row = resolve.embedding(viewer, owner=owner, name=name)
    version = row.head or _versions(viewer, row).resolvable().order_by("-number").first()
    return _entry(viewer, row, version)


def get_version(viewer: Viewer, *, owner: str, name: str, number: int) -> Entry:
    """The page of one version by number; owners and moderators also see why it is held.

    NotFound `revision_not_found`, Gone or TakenDown when it cannot be shown.
    """
    row = resolve.embedding(viewer, owner=owner, name=name)
    version = _versions(viewer, row).filter(number=number).first()
    if version is None:
        resolve.revision(viewer, owner=owner, name=name, revision=f"v{number}")
        raise NotFound(code="revision_not_found")
    return _entry(viewer, row, version)


def get_draft(viewer: Viewer, *, owner: str, name: str, pk: int) -> Entry:
    """The page of one of the owner's drafts, before it is published. NotFound for anybody else."""
    row = resolve.embedding(viewer, owner=owner, name=name)
    version = _versions(viewer, row).filter(pk=pk, published_at=None).first()
    if version is None:
        raise NotFound(code="revision_not_found")
    return _entry(viewer, row, version)


def _versions(viewer: Viewer, row: Embedding) -> VersionQuerySet:
    """The versions of this embedding that the viewer may see."""
    rows = Version.objects.select_related("base_model").filter(embedding=row)
    return cast(VersionQuerySet, visible(rows, viewer))


def _entry(viewer: Viewer, row: Embedding, version: Version | None) -> Entry:
    versions = list(_versions(viewer, row).order_by("-number", "-pk"))
    pictures = _pictures(version)
    blocks = _blocks(pictures)
    files = [resolve.tree_file(file) for file in version.files.select_related("blob")] if version else []
    is_head = version is not None and version.pk == row.head_id
    family = FAMILIES.get(version.family) if version else None
    return Entry(
        embedding=row,
        owner=row.owner,
        version=version,
        is_head=is_head,
        commit=_commit(row, version, newest=is_head or version is None),
        tags=tuple(sorted(row.tags.values_list("slug", flat=True))),
        family_title=cards.family_title(version.family) if version else "",
        family_tools=family.tools if family else (),
        licence_title=LICENCES.get(version.licence, version.licence) if version else "",
        cover=blocks[0].rows[0][0] if blocks else None,
        sheet=next((picture for picture in pictures if picture.role == Preview.Role.SHEET), None),
        blocks=blocks,
        uploads=tuple(picture for picture in pictures if picture.role == Preview.Role.UPLOAD),
        files=tuple(files),
        insights=version.insights if version else {},
        provenance=version.provenance if version else {},
        editions=tuple(_edition(one, row, version) for one in versions if one.published_at),
        drafts=tuple(one for one in versions if not one.published_at),
        twins=_some(twins(viewer, row, version)) if version else (),
        related=_some(related(viewer, row, version)) if version else (),
        may=acts_on(viewer, row) & UPKEEP,
        is_liked=likes.is_liked(viewer, embedding=row),
        packs=packs.holding(viewer, embedding=row),
    )


def _pictures(version: Version | None) -> list[Picture]:
    return [cards.picture(preview) for preview in version.previews.all()] if version else []


def _blocks(pictures: list[Picture]) -> tuple[SheetBlock, ...]:
    """The cells of the sheet, by block and row."""
    cells = [picture for picture in pictures if picture.role == Preview.Role.IMAGE]
    cells.sort(key=lambda picture: (picture.block, picture.row, picture.column))
    blocks = []
    for letter, members in groupby(cells, key=lambda picture: picture.block):
        rows = tuple(tuple(row) for _, row in groupby(members, key=lambda picture: picture.row))
        title, question = BLOCKS.get(letter, (letter, ""))
        blocks.append(SheetBlock(letter, title, question, rows))
    return tuple(blocks)


def _commit(row: Embedding, version: Version | None, *, newest: bool) -> Commit | None:
    """The commit that pins what is shown; drafts have none."""
    if version is not None and version.published_at is None:
        return None
    order = "-sequence" if newest else "sequence"
    return Commit.objects.filter(embedding=row, version=version).order_by(order).first()


def _edition(version: Version, row: Embedding, shown: Version | None) -> Edition:
    return Edition(
        version=version,
        number=version.number,
        name=version.name,
        label=version.label,
        state=version.state,
        notes=version.notes,
        published_at=version.published_at,
        is_head=version.pk == row.head_id,
        is_shown=shown is not None and version.pk == shown.pk,
    )


def _listed(viewer: Viewer) -> QuerySet[Embedding]:
    return visible(Embedding.objects.listed(), viewer)


def twins(viewer: Viewer, row: Embedding, version: Version) -> QuerySet[Embedding]:
    """Other embeddings with exactly these values, the oldest first."""
    same = _listed(viewer).exclude(pk=row.pk).filter(head__tensor_digest=version.tensor_digest)
    return same.order_by("created_at", "pk")


def related(viewer: Viewer, row: Embedding, version: Version) -> QuerySet[Embedding]:
    """Embeddings for the same family that share tags or kind, the most alike first."""
    tags = list(row.tags.values_list("pk", flat=True))
    return (
        _listed(viewer)
        .exclude(pk=row.pk)
        .filter(head__family=version.family)
        .annotate(shared=Count("tags", filter=Q(tags__in=tags), distinct=True))
        .filter(Q(shared__gt=0) | Q(kind=row.kind))
        .order_by("-shared", "-downloads", "-pk")
    )


def _some(rows: QuerySet[Embedding]) -> tuple[Card, ...]:
    return cards.make(cards.with_heads(rows)[:RELATED])
