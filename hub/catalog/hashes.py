"""Which versions a digest names, in whatever way a tool or a site writes it."""

import re
from collections.abc import Collection
from functools import partial
from typing import Any, Final

from django.db.models import Q, QuerySet, Subquery

from hub.access import ANONYMOUS, Viewer, visible
from hub.catalog.stamps import is_stranger, stamped
from hub.catalog.standing import Row, Standing
from hub.errors import Invalid
from hub.formats.digests import civitai_crc32
from hub.models import Version
from hub.models.digest import Digest

_HEX: Final = re.compile(r"[0-9a-f]{8,64}")
# From so many digits on a beginning of a SHA-256 is a name: AutoV2 has ten.
_PREFIX: Final = 10


def versions(viewer: Viewer, digest: str) -> QuerySet[Version]:
    """The versions that this viewer may pull one of whose files, or whose upload, or whose values have this digest.

    In either case of letters: SHA-256 or ten digits and more of its beginning (AutoV2, the TI hashes of A1111),
    AutoV1, AutoV3, BLAKE3, CRC-32 in either order of bytes, and the tensor digest. The earliest published comes
    first. Invalid `malformed_digest` for what is no digest.
    """
    wanted = digest.strip().lower()
    if not _HEX.fullmatch(wanted):
        raise Invalid("malformed_digest", "A digest has 8 to 64 hexadecimal digits.", field="digest")
    return _named_by(visible(Version.objects.resolvable(), viewer), *_spelled(wanted))


def named(viewer: Viewer, digest: str) -> int | None:
    """The id of the one version that a digest names: the earliest published of those that share the bytes.

    None where there is none, and for a beginning that different files have in common. Invalid as `versions` says.
    """
    wanted = digest.strip().lower()
    rows = versions(viewer, wanted)
    way, *spelled = _spelled(wanted)
    if way == _BEGINNING:
        files = _begun(rows, *spelled).distinct()[:2]
        if len(files) > 1:
            rows = rows.filter(pk__in=Digest.objects.filter(value=wanted).values("version"))
    return rows.values_list("pk", flat=True).first()


def stamp(viewer: Viewer, *, digest: str) -> Row | None:
    """Of the version that `named` gives, with its id, as `hub.catalog.stamps` says it.

    None, too, for a beginning that different files have in common.
    """
    wanted = digest.strip().lower()
    if not is_stranger(viewer) or not _HEX.fullmatch(wanted):
        return None
    way, *spelled = _spelled(wanted)
    row = _OPEN[way].ask(*spelled)
    if row is None or way != _BEGINNING:
        return row
    number, least, most, drawn = row
    return (number, drawn) if least == most else None


# The ways to ask for a digest: as it is, in either order of bytes, or by its beginning.
_WHOLE, _CRC, _BEGINNING = "whole", "crc", "beginning"


def _spelled(wanted: str) -> tuple[str, ...]:
    """The way to ask for it, the digest, and what else that way compares with."""
    if len(wanted) == 8:
        return _CRC, wanted, civitai_crc32(wanted)
    if _PREFIX <= len(wanted) < 64:
        # A range is answered by the index of either database; "g" follows every hexadecimal digit.
        return _BEGINNING, wanted, f"{wanted}g"
    return _WHOLE, wanted


def _named_by(rows: QuerySet[Version], way: str, wanted: str, other: str = "") -> QuerySet[Version]:
    """Those of these versions that the digest names, the earliest published first."""
    question = Q(value=wanted)
    if way == _CRC:
        question |= Q(kind="crc32", value=other)
    elif way == _BEGINNING:
        question |= Q(kind="sha256", value__gte=wanted, value__lt=other)
    digests = Digest.objects.filter(question).values("version")
    return rows.filter(Q(pk__in=digests) | Q(tensor_digest=wanted)).order_by("published_at", "pk")


def _begun(rows: QuerySet[Version], wanted: str, end: str) -> QuerySet[Digest, str]:
    """The SHA-256 of files of these versions that begin so."""
    found = Digest.objects.filter(kind="sha256", value__gte=wanted, value__lt=end, version__in=rows)
    return found.order_by().values_list("value", flat=True)


def _open(way: str, wanted: str, other: str = "") -> QuerySet[Any, Any]:
    """What a stranger asks: the first version, the first and last file that begin so, and the stamp."""
    rows = _named_by(visible(Version.objects.resolvable(), ANONYMOUS), way, wanted, other)
    if way != _BEGINNING:
        return stamped(rows, "pk")
    files = _begun(rows.order_by(), wanted, other)
    first, last = files.order_by("value")[:1], files.order_by("-value")[:1]
    return stamped(rows.annotate(least=Subquery(first), most=Subquery(last)), "pk", "least", "most")


_OPEN: Final = {
    _WHOLE: Standing(partial(_open, _WHOLE), "0" * 64),
    _CRC: Standing(partial(_open, _CRC), "0" * 8, "1" * 8),
    _BEGINNING: Standing(partial(_open, _BEGINNING), "0" * 10, "1" * 10),
}


def by_sha256(viewer: Viewer, digests: Collection[str]) -> dict[str, Version]:
    """For each of these SHA-256 (small letters) that is known, the version that `named` would give; one query."""
    rows = visible(Version.objects.resolvable(), viewer)
    known = Digest.objects.filter(kind="sha256", value__in=digests, version__in=rows).select_related(
        "version"
    )
    found: dict[str, Version] = {}
    for digest in known.order_by("version__published_at", "version"):
        found.setdefault(digest.value, digest.version)
    return found
