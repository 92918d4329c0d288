"""Cards of lists, many at once: the same few queries for one card and for a hundred."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from hub.catalog.licences import LICENCES
from hub.catalog.shapes import Card, Picture
from hub.formats import FAMILIES
from hub.models import Embedding, Preview, Version

CELLS = 4
EXTENSIONS = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpg"}


def with_heads(embeddings: QuerySet[Embedding]) -> QuerySet[Embedding]:
    """The rows with all that `make` reads of them."""
    return embeddings.select_related("owner", "head__base_model").prefetch_related("tags")


def make(embeddings: Iterable[Embedding]) -> tuple[Card, ...]:
    """A card for each embedding, in order; one query for all pictures."""
    rows = list(embeddings)
    cells = _cells([row.head_id for row in rows if row.head_id])
    return tuple(_card(row, row.head, tuple(cells.get(row.head_id or 0, ()))) for row in rows)


def make_pinned(versions: Iterable[Version]) -> tuple[Card, ...]:
    """A card for each version, in order, as that version has it; embedding with owner and tags is loaded."""
    rows = list(versions)
    cells = _cells([row.pk for row in rows])
    return tuple(_card(row.embedding, row, tuple(cells.get(row.pk, ()))) for row in rows)


def picture(preview: Preview) -> Picture:
    """A preview row as the doors see it."""
    return Picture(
        sha256=preview.blob_id,
        extension=EXTENSIONS.get(preview.content_type, "png"),
        width=preview.width,
        height=preview.height,
        alt=preview.alt or preview.prompt,
        role=preview.role,
        block=preview.block,
        row=preview.row,
        column=preview.column,
        is_control=preview.is_control,
        prompt=preview.prompt,
        negative_prompt=preview.negative_prompt,
        seed=preview.seed,
        parameters=preview.parameters,
    )


def family_title(family: str) -> str:
    """What people call a family."""
    known = FAMILIES.get(family)
    return known.title if known else family


def _cells(version_ids: list[int]) -> dict[int, list[Picture]]:
    """The first pictures of block A by version."""
    found: dict[int, list[Picture]] = defaultdict(list)
    rows = Preview.objects.filter(
        version_id__in=version_ids, role=Preview.Role.IMAGE, block="A", is_control=False
    ).order_by("version_id", "row", "column")
    for row in rows:
        if len(found[row.version_id]) < CELLS:
            found[row.version_id].append(picture(row))
    return found


def _card(row: Embedding, head: Version | None, cells: tuple[Picture, ...]) -> Card:
    return Card(
        embedding=row,
        version=head,
        full_name=row.full_name,
        owner=row.owner.name,
        name=row.name,
        title=row.title,
        summary=row.summary,
        kind=row.kind,
        visibility=row.visibility,
        trigger=head.trigger if head else "",
        family=head.family if head else "",
        family_title=family_title(head.family) if head else "",
        vectors=head.vectors if head else 0,
        licence=head.licence if head else "",
        licence_title=LICENCES.get(head.licence, head.licence) if head else "",
        tags=tuple(sorted(tag.slug for tag in row.tags.all())),
        downloads=row.downloads,
        likes=row.likes,
        published_at=head.published_at if head else None,
        is_trained_here=head.run_key is not None if head else False,
        cover=cells[0] if cells else None,
        cells=cells,
    )
