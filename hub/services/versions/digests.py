"""Keeping every name of every file: digests are written with a version and stay when its bytes are long gone."""

from collections.abc import Mapping

from hub.formats.digests import KEPT
from hub.models import Version
from hub.models.digest import Digest


def remember(version: Version, path: str, digests: Mapping[str, str]) -> None:
    """Keep the digests of a file of a version that is not published yet, in the caller's transaction.

    An empty path is the upload that it was made from. Digests that are there already stay.
    """
    rows = [
        Digest(version=version, path=path, kind=kind, value=digests[kind]) for kind in KEPT if kind in digests
    ]
    Digest.objects.bulk_create(rows, ignore_conflicts=True)
