"""Fingerprints of versions: made of the tensors when a version is published, looked up by hub.catalog.recognise."""

from collections.abc import Mapping

from django.db import transaction

from hub import blobs
from hub.formats import FAMILIES, EmbeddingData, Tensor, read, sketch
from hub.formats.statistics import rows_of
from hub.models import Fingerprint, FingerprintBand, Version


def sketches_of(data: EmbeddingData) -> list[int]:
    """The sketches of an embedding's first vectors, as its first text encoder has them."""
    return _sketches(data.family, data.tensors)


def remember(version: Version, sketches: list[int]) -> None:
    """Store a published version's fingerprint, in the caller's transaction; doing it again changes nothing."""
    row, is_new = Fingerprint.objects.get_or_create(
        version=version, defaults={"sketches": sketch.to_hex(sketches)}
    )
    if not is_new:
        return
    values = {value for one in sketches for value in sketch.bands(one)}
    FingerprintBand.objects.bulk_create(
        FingerprintBand(fingerprint=row, family=version.family, value=value) for value in sorted(values)
    )


def remember_late(version: Version) -> None:
    """Make the fingerprint of a version that was published without one."""
    assert version.tensors_id is not None
    sketches = sketches_of(read(blobs.read(version.tensors_id)))
    with transaction.atomic():
        remember(version, sketches)


def _sketches(family: str, tensors: Mapping[str, Tensor]) -> list[int]:
    first = FAMILIES[family].encoders[0].slot
    return [sketch.sketch(row) for row in rows_of(tensors[first])[: sketch.MAX_ROWS]]
