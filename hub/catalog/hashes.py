"""Which versions a digest names, in whatever way a tool or a site writes it."""

import re
from collections.abc import Collection
from typing import Final

from django.db.models import Q, QuerySet

from hub.access import Viewer, visible
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
    question = Q(value=wanted)
    if len(wanted) == 8:
        question |= Q(kind="crc32", value=civitai_crc32(wanted))
    elif len(wanted) >= _PREFIX:
        # A range is answered by the index of either database; "g" follows every hexadecimal digit.
        question |= Q(kind="sha256", value__gte=wanted, value__lt=f"{wanted}g")
    named = Digest.objects.filter(question).values("version")
    rows = visible(Version.objects.resolvable(), viewer)
    return rows.filter(Q(pk__in=named) | Q(tensor_digest=wanted)).order_by("published_at", "pk")


def named(viewer: Viewer, digest: str) -> int | None:
    """The id of the one version that a digest names: the earliest published of those that share the bytes.

    None where there is none, and for a beginning that different files have in common. Invalid as `versions` says.
    """
    wanted = digest.strip().lower()
    rows = versions(viewer, wanted)
    if _PREFIX <= len(wanted) < 64:
        whole = Q(pk__in=Digest.objects.filter(value=wanted).values("version"))
        begun = Digest.objects.filter(
            kind="sha256", value__gte=wanted, value__lt=f"{wanted}g", version__in=rows
        )
        files = begun.order_by().values_list("value", flat=True).distinct()[:2]
        if len(files) > 1:
            rows = rows.filter(whole)
    return rows.values_list("pk", flat=True).first()


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
