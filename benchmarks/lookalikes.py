"""How the search for near copies grows with the registry: questions to the database and time of one search.

    python benchmarks/lookalikes.py [--versions 1000 5000 20000] [--searches 50]

In a new SQLite database one real version is published; the rows of the others are copies of its rows with vectors of
their own, as far as the search looks at vectors (sketches and bands). Searched for are files that nobody has, and a
near copy of the real one, which has to be found.
"""

import argparse
import os
import random
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BATCH, WIDTH = 1000, 128


def fill(original: Any, missing: int, source: random.Random) -> None:
    """Add so many versions of other values."""
    from hub.formats import sketch
    from hub.models import Embedding, Fingerprint, FingerprintBand, Version

    embeddings = Embedding.objects.bulk_create(
        Embedding(
            owner=original.embedding.owner,
            name=name,
            look_alike=name,
            title=name,
            kind="style",
            last_number=1,
        )
        for name in (f"word-{secrets.token_hex(8)}" for _ in range(missing))
    )
    kept = ("id", "embedding", "number", "tensor_digest", "public_id", "commit_id", "run_key")
    same = {
        field.attname: getattr(original, field.attname)
        for field in Version._meta.concrete_fields
        if field.name not in kept
    }
    versions = Version.objects.bulk_create(
        Version(**same, embedding=embedding, number=1, tensor_digest=secrets.token_hex(32))
        for embedding in embeddings
    )
    for embedding, version in zip(embeddings, versions, strict=True):
        embedding.head = version
    Embedding.objects.bulk_update(embeddings, ["head"], batch_size=200)
    own = {version: [source.getrandbits(sketch.BITS) for _ in range(2)] for version in versions}
    fingerprints = Fingerprint.objects.bulk_create(
        Fingerprint(version=version, sketches=sketch.to_hex(values)) for version, values in own.items()
    )
    FingerprintBand.objects.bulk_create(
        FingerprintBand(fingerprint=fingerprint, family=fingerprint.version.family, value=band)
        for fingerprint in fingerprints
        for band in {band for value in own[fingerprint.version] for band in sketch.bands(value)}
    )


def canonical(source: random.Random, count: int, width: int, near: Any = None) -> bytes:
    """A file of numbers that nobody else has, or nearly those of another one."""
    from hub.formats import Tensor, write_canonical
    from hub.formats.values import floats_of, packed_floats

    base = floats_of(near) if near else [0.0] * (count * width)
    noise = 0.0005 if near else 0.02
    numbers = packed_floats(value + source.gauss(0, noise) for value in base)
    return write_canonical(
        {"emb_params": Tensor("F32", (count, width), numbers)}, family="tiny", trigger="copy-cat"
    )


def published(content: bytes) -> Any:
    """The one version that goes the whole way."""
    from hub.access import Viewer
    from hub.services.people import accounts
    from hub.services.versions import ingest, publishing

    ada = Viewer(accounts.create_user(name="ada", email="ada@example.org", password=None))
    with tempfile.NamedTemporaryFile(suffix=".safetensors") as file:
        file.write(content)
        file.flush()
        ingested = ingest.embedding(ada, path=Path(file.name), filename="moss-dragon.safetensors")
    embedding = publishing.create_embedding(ada, name="moss-dragon", title="Moss dragon", kind="style")
    draft = publishing.add_draft(
        ada, embedding=embedding, ingested=ingested, trigger="moss-dragon", licence="cc0-1.0"
    )
    return publishing.publish(ada, version=draft)


def searched(content: bytes) -> tuple[float, int, int]:
    """Milliseconds, questions to the database and finds of one search."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from hub.access import ANONYMOUS
    from hub.catalog import recognise
    from hub.formats import read

    data = read(content, filename="")
    with CaptureQueriesContext(connection) as questions:
        began = time.perf_counter()
        found = recognise.alike(ANONYMOUS, data, except_values="")
        took = time.perf_counter() - began
    return 1000 * took, len(questions), len(found)


def measured(sizes: list[int], searches: int) -> Iterator[str]:
    """One line for each size of the registry."""
    from django.db import transaction

    from hub import blobs
    from hub.formats import read
    from hub.models import Version

    source = random.Random(1)
    original = published(canonical(source, 2, WIDTH))
    data = read(blobs.read(original.tensors_id), filename="")
    tensor = data.tensors["emb_params"]
    for size in sizes:
        while (missing := size - Version.objects.count()) > 0:
            with transaction.atomic():
                fill(original, min(missing, BATCH), source)
        strangers = [searched(canonical(source, *tensor.shape)) for _ in range(searches)]
        copies = [searched(canonical(source, *tensor.shape, tensor)) for _ in range(searches)]
        assert all(found == 1 for _, _, found in copies), "a near copy was not found"
        yield "   ".join(
            f"{what} {statistics.median(times):.1f} ms (slowest {max(times):.1f}), {max(asked)} questions"
            for what, rows in ((f"{size:6} versions: of a stranger", strangers), ("of a near copy", copies))
            for times, asked, _found in [tuple(zip(*rows, strict=True))]
        )


def main() -> None:
    """Print the growth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--versions", type=int, nargs="+", default=[1000, 5000, 20000])
    parser.add_argument("--searches", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HUB_DATA_DIR": folder, "DJANGO_SETTINGS_MODULE": "hub.settings"}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        for line in measured(options.versions, options.searches):
            print(line, flush=True)


if __name__ == "__main__":
    main()
