"""Two at once: whatever the order, one wins, the other is told, and nothing is lost or doubled."""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from hub import blobs
from hub.access import Viewer
from hub.errors import Conflict, HubError
from hub.models import Blob, Embedding, Version
from hub.services import audit
from hub.services.people import accounts
from hub.services.upkeep import gc
from hub.services.versions import ingest, publishing
from tests import factories, samples

pytestmark = pytest.mark.django_db(transaction=True)


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Results of acts done at the same moment, each in a thread with a connection of its own; refusals as results."""
    start = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            results[place] = act()
        except HubError as error:
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def publish(user: Any, folder: Path, seed: int, **form: Any) -> Callable[[], Version]:
    """The act of publishing a file of its own."""
    path = folder / f"{seed}.safetensors"
    path.write_bytes(samples.canonical_file(seed=seed))
    form = {"trigger": "moss-dragon", "licence": "cc0-1.0", **form}
    return lambda: publishing.publish_file(Viewer(user), path=path, filename=path.name, **form)


def test_versions_published_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    embedding = factories.published()
    user = factories.user()
    results = together(*(publish(user, tmp_path, seed, embedding=embedding) for seed in (71, 72, 73)))
    assert sorted(version.number for version in results) == [2, 3, 4]
    embedding.refresh_from_db()
    assert (embedding.last_number, embedding.head.number) == (4, 4)
    shas = list(embedding.commits.order_by("sequence").values_list("parent", "sha"))
    assert all(parent == before[1] for before, (parent, _) in itertools.pairwise(shas))
    assert list(audit.breaks()) == []


def test_one_name_goes_to_one_of_two(tmp_path: Path) -> None:
    user = factories.user()
    form = {"name": "moss-dragon", "title": "Moss", "kind": "style"}
    results = together(*(publish(user, tmp_path, seed, **form) for seed in (81, 82)))
    assert {type(result) for result in results} == {Version, Conflict}
    assert Embedding.objects.count() == Version.objects.count() == 1


def test_one_account_name_goes_to_one_of_two() -> None:
    results = together(lambda: accounts.create_user(name="ada"), lambda: accounts.create_user(name="a-da"))
    assert sum(isinstance(result, Conflict) for result in results) == 1


def test_pressing_publish_twice_at_once_publishes_once() -> None:
    draft = factories.draft()
    viewer = factories.viewer()
    results = together(*[lambda: publishing.publish(viewer, version=draft)] * 3)
    assert [version.number for version in results] == [1, 1, 1]
    assert draft.embedding.commits.count() == 2


def test_ten_deliveries_of_one_run_leave_one_draft() -> None:
    embedding, source, viewer = factories.embedding(), factories.ingested(), factories.viewer()
    key = "00000000-0000-4000-8000-000000000007"
    form = {"trigger": "moss-dragon", "licence": "cc0-1.0", "run_key": key}

    def act() -> Version:
        return publishing.add_draft(viewer, embedding=embedding, ingested=source, **form)

    results = together(*[act] * 10)
    assert {version.pk for version in results} == {Version.objects.get().pk}


def _interleavings(first: int, second: int) -> Iterator[tuple[int, ...]]:
    """Every order of the steps of two programs."""
    for places in itertools.combinations(range(first + second), first):
        yield tuple(0 if place in places else 1 for place in range(first + second))


@pytest.mark.parametrize("known", [True, False], ids=["with-row", "stray"])
@pytest.mark.parametrize("order", list(_interleavings(2, 3)))
@pytest.mark.usefixtures("disk_blobs")
def test_no_order_of_upload_and_collection_loses_bytes(order: tuple[int, ...], known: bool) -> None:
    """The steps between commits of an upload (put, row and reference) and of gc (adopt, mark, remove)."""
    data = b"wanted again"
    name = blobs.put(data).sha256
    if known:
        ingest.store(data)
    version = factories.draft()
    kept: dict[str, ingest.Stored] = {}

    def put() -> None:
        kept["stored"] = ingest.put(data)

    def refer() -> None:
        with transaction.atomic():
            Version.objects.filter(pk=version.pk).update(tensors=ingest.row(kept["stored"]))

    def adopt() -> None:
        if not Blob.objects.filter(pk=name).exists():
            gc.adopt(name)

    programs = (iter((put, refer)), iter((adopt, lambda: gc.mark(name), lambda: gc.sweep(name))))
    for turn in order:
        next(programs[turn])()
    assert blobs.read(name) == data
    assert not Blob.objects.get(pk=name).deleting
