"""Is it known here? A file by its digests and values, near copies by their vectors, words that pictures name.

Everything starts from what the viewer may see: that somebody keeps a private copy is nobody's business. An
unlisted embedding is found by whoever holds its file or digest, and is in no list of things that are alike.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db.models import Count, Q, QuerySet

from hub import blobs
from hub.access import Viewer, under, visible
from hub.errors import HubError
from hub.formats import FAMILIES, EmbeddingData, FormatError, read, sketch
from hub.formats.generation_parameters import Reference
from hub.formats.statistics import alike as cosines_between
from hub.formats.statistics import rows_of
from hub.models import Version
from hub.models.digest import Digest
from hub.models.registry import Visibility

# Digits of a digest that name a file: A1111 writes 12, Civitai 10.
SHORTEST: Final = 10
MOST: Final = 5
# How many versions that share a band are looked at, and from which cosine on two vectors are one.
_CANDIDATES: Final = 200
_SAME_VECTOR: Final = 0.95
_SKETCH_MARGIN: Final = 0.03


@dataclass(frozen=True)
class Known:
    """A version that is like what was asked for. `why`: `file`, `values`, `alike`, `digest` or `name`."""

    name: str
    number: int
    title: str
    trigger: str
    family: str
    vectors: int
    kind: str
    why: str
    cosine: float | None = None
    shared: int = 0


@dataclass(frozen=True)
class Resolved:
    """An embedding that a picture names, and what it may be here."""

    name: str
    digest: str
    where: str
    found: tuple[Known, ...]


def by_values(viewer: Viewer, *, tensors: str, sha256: str = "", besides: int | None = None) -> list[Known]:
    """Versions with exactly these values, oldest first; `why` says whether the very file is known.

    `besides` leaves out the versions of one embedding.
    """
    same = _seen(viewer).filter(tensor_digest=tensors).exclude(embedding=besides)
    rows = list(same.order_by("pk")[:MOST])
    named = Digest.objects.filter(version__in=rows, kind="sha256", value=sha256) if rows and sha256 else ()
    files = {digest.version_id for digest in named}
    return [_known(row, "file" if row.pk in files else "values") for row in rows]


def by_digest(viewer: Viewer, digests: Iterable[str]) -> dict[str, list[Known]]:
    """Versions whose upload or any of whose files has one of these digests: ten digits and more of a SHA-256,
    or another digest whole. Two queries, however many there are."""
    wanted = {digest for digest in digests if len(digest) >= SHORTEST}
    if not wanted:
        return {}
    question = Q(value__in=wanted)
    for digest in wanted:
        # A range is answered by the index of either database; "g" follows every hexadecimal digit.
        question |= Q(kind="sha256", value__gte=digest, value__lt=f"{digest}g")
    named = Digest.objects.filter(question, version__in=_seen(viewer)).values_list("value", "version_id")
    pairs = list(named.order_by("pk")[: 4 * _CANDIDATES])
    rows = {row.pk: row for row in _seen(viewer).filter(pk__in={pk for _, pk in pairs})}
    found: dict[str, dict[int, Known]] = {}
    for value, pk in pairs:
        for digest in wanted:
            if value.startswith(digest) and pk in rows:
                found.setdefault(digest, {}).setdefault(pk, _known(rows[pk], "digest"))
    return {digest: list(known.values()) for digest, known in found.items()}


def by_name(viewer: Viewer, names: Iterable[str]) -> dict[str, list[Known]]:
    """Listed versions that answer to one of these words, as trigger or as name, by the word in small letters."""
    wanted = {name.lower() for name in names if name}
    if not wanted:
        return {}
    rows = _listed(viewer).filter(embedding__head__isnull=False)
    rows = rows.filter(Q(trigger__in=wanted) | Q(embedding__name__in=wanted)).order_by("-number")
    found: dict[str, dict[str, Known]] = {}
    for row in rows[:_CANDIDATES]:
        for word in {row.trigger, row.embedding.name} & wanted:
            found.setdefault(word, {}).setdefault(row.embedding.full_name, _known(row, "name"))
    return {word: list(rows.values())[:MOST] for word, rows in found.items()}


def references(viewer: Viewer, named: Sequence[Reference]) -> list[Resolved]:
    """What a picture names, each by its digest where it has one, else by its name: a few queries for all."""
    digests = by_digest(viewer, [one.digest for one in named])
    names = by_name(viewer, [one.name for one in named if not digests.get(one.digest)])
    return [
        Resolved(
            one.name,
            one.digest,
            one.where,
            tuple((digests.get(one.digest) or names.get(one.name.lower(), []))[:MOST]),
        )
        for one in named
    ]


def alike(viewer: Viewer, data: EmbeddingData, *, except_values: str) -> list[Known]:
    """Listed versions of other values, at least half of whose vectors are nearly those of this embedding."""
    rows = rows_of(data.tensors[FAMILIES[data.family].encoders[0].slot])[: sketch.MAX_ROWS]
    own = [sketch.sketch(row) for row in rows]
    values = {value for one in own for value in sketch.bands(one)}
    candidates = (
        _listed(viewer)
        .filter(fingerprint__bands__family=data.family, fingerprint__bands__value__in=values)
        .exclude(tensor_digest=except_values)
        .annotate(hits=Count("fingerprint__bands"))
        .select_related("fingerprint")
        .order_by("-hits", "pk")
    )
    best: dict[int, tuple[float, Version]] = {}
    for version in candidates[:_CANDIDATES]:
        share = _share(own, sketch.from_hex(version.fingerprint.sketches))
        if share >= 0.5 and share > best.get(version.embedding_id, (0.0, version))[0]:
            best[version.embedding_id] = (share, version)
    ranked = sorted(best.values(), key=lambda pair: (-pair[0], pair[1].pk))[:MOST]
    measured = [found for _, version in ranked if (found := _measured(rows, version)) is not None]
    return sorted(measured, key=lambda found: -(found.cosine or 0.0))


def _share(own: Sequence[int], others: Sequence[int]) -> float:
    """How much of the smaller of two embeddings is in the other one, as the sketches tell it."""
    few, many = (own, others) if len(own) <= len(others) else (others, own)
    near = [max(sketch.likeness(one, other) for other in many) for one in few] if many else []
    return sum(cosine >= _SAME_VECTOR - _SKETCH_MARGIN for cosine in near) / len(near) if near else 0.0


def _measured(rows: Sequence[tuple[float, ...]], version: Version) -> Known | None:
    """The same with the values themselves; None when the sketches promised too much or the bytes are out."""
    if version.tensors_id is None:
        return None
    try:
        data = read(blobs.read(version.tensors_id))
    except (HubError, FormatError):
        return None
    others = rows_of(data.tensors[FAMILIES[data.family].encoders[0].slot])[: sketch.MAX_ROWS]
    few, many = (rows, others) if len(rows) <= len(others) else (others, rows)
    same = [cosine for cosine in cosines_between(few, many) if cosine >= _SAME_VECTOR]
    if 2 * len(same) < len(few):
        return None
    return replace(_known(version, "alike"), cosine=round(sum(same) / len(same), 4), shared=len(same))


def _seen(viewer: Viewer) -> QuerySet[Version]:
    """Versions that this viewer may know of, unlisted ones too."""
    rows: QuerySet[Version] = visible(Version.objects.resolvable(), viewer)
    return rows.select_related("embedding__owner")


def _listed(viewer: Viewer) -> QuerySet[Version]:
    """Versions that lists may show to this viewer: public ones, and the viewer's own."""
    question = Q(embedding__visibility=Visibility.PUBLIC, state=Version.State.PUBLISHED)
    if viewer.user is not None:
        question |= under(viewer, "see_private", prefix="embedding__")
    return _seen(viewer).filter(question)


def _known(row: Version, why: str) -> Known:
    return Known(
        name=row.embedding.full_name,
        number=row.number or 0,
        title=row.embedding.title,
        trigger=row.trigger,
        family=row.family,
        vectors=row.vectors,
        kind=row.embedding.kind,
        why=why,
    )
