"""What doors remember: one query a pull, and every change is seen by the very next request, wherever it was made.

Changes are made by another thread with a database connection of its own, as another process would make them. What is
answered then is compared with what a process answers that remembers nothing.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.catalog import whole
from hub.models import Embedding, Preview, Ruling, Version
from hub.services.embeddings import gating, labels, renaming, sharing
from hub.services.moderation import rulings
from hub.services.upkeep import counting
from hub.services.versions import ingest, previews, publishing
from hub.wire import remembered
from tests import factories, samples

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]
NAME = "ada/moss-dragon"
# What a process remembers, body or file; the way to it that must be found in one query.
ADDRESSES = {
    "hf record": "/api/models/{name}",
    "hf record of a version": "/api/models/{name}/revision/v1?blobs=true",
    "hf record of a commit": "/api/models/{name}/revision/{commit}",
    "hf tree": "/api/models/{name}/tree/main",
    "hf refs": "/api/models/{name}/refs",
    "hf file": "/{name}/resolve/main/{file}",
    "hf file of a version": "/{name}/resolve/v1/{file}",
    "civitai version": "/api/v1/model-versions/{id}",
    "civitai mini": "/api/v1/model-versions/mini/{id}",
    "civitai by SHA-256": "/api/v1/model-versions/by-hash/{sha256}",
    "civitai by AutoV2": "/api/v1/model-versions/by-hash/{autov2}",
    "civitai by CRC-32": "/api/v1/model-versions/by-hash/{crc32}",
    "civitai model": "/api/v1/models/{embedding}",
    "civitai download": "/api/download/models/{id}",
    "native embedding": "/api/hub/v1/embeddings/{name}",
    "native version": "/api/hub/v1/embeddings/{name}/versions/1",
    "native file": "/api/hub/v1/embeddings/{name}/versions/1/files?layout=canonical",
}
ANSWERED = {200, 307}


def elsewhere(act: Callable[[], object]) -> None:
    """Do it in another thread, by another connection, and let it be committed."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def ada() -> Any:
    return factories.viewer("ada")


def row() -> Embedding:
    return Embedding.objects.select_related("owner", "head").get(owner__name="ada", last_number__gt=0)


def first() -> Version:
    return Version.objects.select_related("embedding__owner").get(embedding=row(), number=1)


def details(**changes: Any) -> Callable[[], object]:
    return lambda: publishing.update_details(ada(), embedding=row(), **changes)


def ruled(kind: str) -> Callable[[], object]:
    return lambda: rulings.rule(factories.moderator(), embedding=row(), kind=kind, reason="Not ours to give.")


def lifted() -> None:
    rulings.lift(factories.moderator(), ruling=Ruling.objects.get())


def drawn_on() -> None:
    blob = ingest.store(samples.picture("WEBP", size=(64, 64)))
    Preview.objects.create(version=first(), role="upload", blob=blob, width=64, height=64)


def picture_gone() -> None:
    previews.remove_upload(ada(), version=first(), picture=Preview.objects.get().pk)


# What happens, before and then; whether strangers still have version 1 afterwards, None for all of it but its files.
CHANGES: dict[str, tuple[Callable[[], object] | None, Callable[[], object], bool | None]] = {
    "yank": (None, lambda: publishing.yank(ada(), version=first(), reason="Too strong."), True),
    "unyank": (
        lambda: publishing.yank(ada(), version=first(), reason="Too strong."),
        lambda: publishing.unyank(ada(), version=first()),
        True,
    ),
    "quarantine": (None, ruled("quarantine"), False),
    "takedown": (None, ruled("take_down"), False),
    "release": (ruled("quarantine"), lifted, True),
    "private": (None, details(visibility="private"), False),
    "unlisted": (None, details(visibility="unlisted"), True),
    "public again": (details(visibility="private"), details(visibility="public"), True),
    "card": (None, details(title="Another title", card="Another text.", tags=["moss"]), True),
    "gate": (None, lambda: gating.set_gate(ada(), embedding=row(), gate="manual"), None),
    "gate gone": (
        lambda: gating.set_gate(ada(), embedding=row(), gate="auto"),
        lambda: gating.set_gate(ada(), embedding=row(), gate="off"),
        True,
    ),
    "rename": (None, lambda: renaming.rename(ada(), embedding=row(), name="fern-dragon"), True),
    "next version": (None, lambda: factories.version(row(), trigger="moss-dragon", family="sd1"), True),
    "label": (None, lambda: labels.put(ada(), version=first(), label="spring"), True),
    "picture": (None, drawn_on, True),
    "picture gone": (drawn_on, picture_gone, True),
    "like": (None, lambda: sharing.like(factories.viewer("bob"), embedding=row()), True),
    "pull counted": (
        None,
        lambda: counting.count_download(file_id=first().files.all()[0].pk, day="2026-01-02"),
        True,
    ),
    "delete version": (None, lambda: publishing.delete_version(ada(), version=first()), False),
    "delete": (None, lambda: publishing.delete_embedding(ada(), embedding=row()), False),
}


@pytest.fixture
def addresses() -> Iterator[dict[str, str]]:
    """Every address of a version that was just published; nothing is remembered before and after."""
    version = factories.published("ada", "moss-dragon", family="sd1").versions.get()
    file = version.files.get(layout="canonical")
    digests = dict(version.digests.filter(path=file.path).values_list("kind", "value"))
    facts = {
        "name": NAME, "id": version.pk, "embedding": version.embedding_id, "file": file.path,
        "commit": version.commits.get().sha, "sha256": file.blob_id, "autov2": file.blob_id[:10],
        "crc32": digests["crc32"],
    }  # fmt: skip
    forget()
    yield {name: address.format(**facts) for name, address in ADDRESSES.items()}
    forget()


def forget() -> None:
    """Be a process that remembers nothing."""
    remembered.answers.forget()
    whole._for_file.forget()


def told(client: Client, address: str, **headers: str) -> tuple[int, Any]:
    """Status and body, without what is different in each answer."""
    response = client.get(address, headers=headers)
    body = response.getvalue() if response.streaming else response.content
    if response.status_code >= 400:
        body = body.replace(response["X-Request-Id"].encode(), b"")
    # A signed link says when it was made.
    return response.status_code, (body, response.get("ETag"), "Location" in response)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_by_the_next_request(client: Client, addresses: dict[str, str], change: str) -> None:
    before, act, is_still_there = CHANGES[change]
    if before is not None:
        elsewhere(before)
    for address in addresses.values():
        told(client, address), told(client, address)
    elsewhere(act)
    next_answers = {name: told(client, address) for name, address in addresses.items()}
    forget()
    assert next_answers == {name: told(client, address) for name, address in addresses.items()}
    exact = {name for name in addresses if name not in ("hf record", "hf tree", "hf refs", "hf file")}
    if is_still_there is None:
        files = {name for name in exact if "file" in name or "download" in name}
        assert {next_answers[name][0] for name in files} == {401}
        exact, is_still_there = exact - files, True
    assert {next_answers[name][0] in ANSWERED for name in exact} == {is_still_there}


def test_a_pull_costs_one_query(
    client: Client, addresses: dict[str, str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first_answers = {name: told(client, address) for name, address in addresses.items()}
    assert {status for status, _ in first_answers.values()} == ANSWERED
    for name, address in addresses.items():
        with django_assert_num_queries(1):
            assert told(client, address) == first_answers[name], name


def test_nobody_is_told_what_was_remembered_of_another(client: Client, addresses: dict[str, str]) -> None:
    owner = factories.bearer("ada", "read")
    for address in addresses.values():
        told(client, address)
    elsewhere(details(visibility="private"))
    for name, address in addresses.items():
        assert told(client, address, **owner)[0] in ANSWERED, name
        assert told(client, address)[0] == 404, name


def test_nothing_remembered_is_told_where_strangers_see_nothing(
    client: Client, addresses: dict[str, str], settings: Any
) -> None:
    for address in addresses.values():
        told(client, address)
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    assert {told(client, address)[0] for address in addresses.values()} == {401}


@pytest.mark.parametrize("name", ["civitai version", "native embedding"])
def test_links_lead_to_the_host_that_was_asked(client: Client, addresses: dict[str, str], name: str) -> None:
    for host in ("localhost:8000", "127.0.0.1:9000", "localhost:8000"):
        body = client.get(addresses[name], headers={"host": host}).content.decode()
        assert f"http://{host}/" in body
        assert body.count("http://") == body.count(f"http://{host}/")


@pytest.mark.parametrize("name", [name for name in ADDRESSES if "native" in name and "file" not in name])
def test_a_reader_who_has_it_is_told_so_from_memory(
    client: Client, addresses: dict[str, str], name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    etag = client.get(addresses[name])["ETag"]
    with django_assert_num_queries(1):
        again = client.get(addresses[name], headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    elsewhere(details(title="Another title"))
    assert (
        client.get(addresses[name], headers={"if-none-match": etag}).status_code == 200 or "version" in name
    )


def test_a_remembered_answer_has_the_headers_of_the_first(client: Client, addresses: dict[str, str]) -> None:
    own = ("X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset")
    for name, address in addresses.items():
        once, again = client.get(address), client.get(address)
        same = [{key: value for key, value in one.items() if key not in own} for one in (once, again)]
        if name == "civitai download":
            same = [{**one, "Location": ""} for one in same]
        assert same[0] == same[1], name
        assert client.head(address)["Content-Type"] == once["Content-Type"], name
