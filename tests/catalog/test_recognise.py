"""Is it known here? By values, digest, likeness and name; never more than the viewer may see, never by a full scan."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub import blobs
from hub.access import ANONYMOUS
from hub.catalog import recognise
from hub.formats import Tensor, read, sketch, write_canonical
from hub.formats.generation_parameters import Reference
from hub.formats.values import floats_of
from hub.models import Fingerprint, FingerprintBand, Version
from hub.services.upkeep import fsck
from hub.services.versions import publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db


def near_copy(of: Version, *, noise: float, keep: int | None = None) -> bytes:
    """A file whose vectors are nearly those of a version."""
    data = read(blobs.read(of.tensors_id))
    tensor = data.tensors["emb_params"]
    rows = keep or tensor.vectors
    source = random.Random(3)
    values = [value + source.gauss(0, noise) for value in list(floats_of(tensor))[: rows * tensor.width]]
    made = Tensor("F32", (rows, tensor.width), samples.packed("F32", values))
    return write_canonical({"emb_params": made}, family=of.family, trigger="copy-cat", metadata={})


def test_the_very_file_and_the_same_values_in_another_one_are_told_apart():
    source = factories.ingested(samples.canonical_file(seed=11))
    version = factories.version(ingested=source)
    canonical = version.files.get(layout="canonical").blob_id
    for sha256, why in ((source.source_sha256, "file"), (canonical, "file"), ("0" * 64, "values")):
        found = recognise.by_values(ANONYMOUS, tensors=version.tensor_digest, sha256=sha256)
        assert [(one.name, one.number, one.why) for one in found] == [("ada/moss-dragon", 1, why)]
    assert recognise.by_values(ANONYMOUS, tensors="f" * 64) == []


@pytest.mark.parametrize("visibility", ["private", "unlisted"])
def test_a_private_embedding_is_never_revealed_and_an_unlisted_one_only_to_whoever_has_the_file(visibility):
    version = factories.version(factories.embedding(visibility=visibility))
    named = Reference("moss-dragon", version.source_sha256[:12], "TI hashes")
    by_name = Reference("moss-dragon", "", "prompt")
    copy = read(near_copy(version, noise=0.0001))
    for viewer, sees in (
        (ANONYMOUS, False),
        (factories.viewer("bob"), False),
        (factories.viewer("ada"), True),
    ):
        has_file = sees or visibility == "unlisted"
        assert bool(recognise.by_values(viewer, tensors=version.tensor_digest)) is has_file
        assert bool(recognise.references(viewer, [named])[0].found) is has_file
        assert bool(recognise.references(viewer, [by_name])[0].found) is sees
        assert bool(recognise.alike(viewer, copy, except_values="")) is sees


def test_a_picture_resolves_by_digest_before_name():
    first = factories.published(name="moss-dragon").head
    second = factories.published("bob", "moss-dragon", trigger="moss-dragon").head
    asked = [
        Reference("renamed", first.source_sha256[:12], "TI hashes"),
        Reference("MOSS-dragon", "", "prompt"),
        Reference("unheard-of", "abcdef012345", "TI hashes"),
        Reference("short", "abc", "TI hashes"),
    ]
    found = recognise.references(ANONYMOUS, asked)
    assert [(one.name, one.why) for one in found[0].found] == [("ada/moss-dragon", "digest")]
    assert {(one.name, one.why) for one in found[1].found} == {
        ("ada/moss-dragon", "name"),
        ("bob/moss-dragon", "name"),
    }
    assert found[2].found == found[3].found == ()
    assert second is not None


def test_a_file_served_here_is_found_by_the_first_digits_of_its_digest():
    version = factories.version()
    served = version.files.get(layout="canonical").blob_id
    found = recognise.by_digest(ANONYMOUS, [served[:10], served[:12], "0" * 10])
    assert set(found) == {served[:10], served[:12]}


def test_near_copies_are_found_whole_scaled_or_in_part():
    version = factories.version(factories.embedding(), ingested=factories.ingested(vectors=4))
    factories.published("bob", "other-word", vectors=4)
    for data in (near_copy(version, noise=0.0005), near_copy(version, noise=0.0, keep=2)):
        found = recognise.alike(ANONYMOUS, read(data), except_values="")
        assert [one.name for one in found] == ["ada/moss-dragon"]
        assert found[0].cosine > 0.99 and found[0].shared in (2, 4)
    assert recognise.alike(ANONYMOUS, read(samples.canonical_file(seed=999)), except_values="") == []


def test_exact_copies_are_not_said_to_be_nearly_the_same():
    version = factories.version()
    data = read(blobs.read(version.tensors_id))
    assert recognise.alike(ANONYMOUS, data, except_values=version.tensor_digest) == []


def test_a_missing_fingerprint_is_found_and_made_again():
    version = factories.version()
    Fingerprint.objects.all().delete()
    (finding,) = [one for one in fsck.findings() if "fingerprint" in one.message]
    finding.repair()
    assert Fingerprint.objects.get().version == version
    assert FingerprintBand.objects.count() >= sketch.BANDS
    assert not [one for one in fsck.findings() if "fingerprint" in one.message]


def test_looking_up_asks_as_many_questions_of_a_large_hub_as_of_a_small_one():
    version = factories.version()
    copy = read(near_copy(version, noise=0.0001))
    named = [Reference(f"word-{n}", f"{n:012x}", "TI hashes") for n in range(30)]

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            recognise.by_values(ANONYMOUS, tensors=version.tensor_digest, sha256="0" * 64)
            recognise.alike(ANONYMOUS, copy, except_values="")
            recognise.references(ANONYMOUS, named)
        return len(queries)

    few = count()
    for n in range(12):
        factories.published("bob", f"word-{n}-of-many")
    assert count() == few <= 8


def test_near_copies_are_looked_up_by_the_index_of_bands():
    if connection.vendor != "sqlite":
        pytest.skip("the plan is written differently there")
    version = factories.version()
    with CaptureQueriesContext(connection) as queries:
        recognise.alike(ANONYMOUS, read(near_copy(version, noise=0.0001)), except_values="")
    asked = next(query["sql"] for query in queries if "fingerprintband" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked}")
        plan = " | ".join(str(row[-1]) for row in cursor.fetchall())
    assert "SCAN hub_fingerprintband" not in plan, plan


def test_publishing_the_same_values_again_keeps_both():
    source = samples.canonical_file(seed=21)
    factories.version(factories.embedding(), ingested=factories.ingested(source))
    again = factories.version(factories.embedding("bob", "copy-cat"), ingested=factories.ingested(source))
    assert again.is_published and Fingerprint.objects.count() == 2
    assert (
        publishing.checks.twins(ANONYMOUS, again.tensor_digest, besides=again.embedding_id)[0].name
        == "ada/moss-dragon"
    )
