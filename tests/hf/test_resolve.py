"""Pulling a file: what HEAD and GET say, which revision gives which bytes, and how refusals look."""

import hashlib
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.access import Viewer
from hub.models import Download, Embedding, Version
from hub.services.upkeep import counting
from hub.services.versions import publishing
from hub.wire import files
from tests import factories
from tests.hf import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
FILE = "learned_embeds.safetensors"


def address(version: Version, revision: str = "main", path: str = FILE) -> str:
    """Where a file of this embedding is pulled."""
    return f"/{version.embedding.full_name}/resolve/{revision}/{path}"


@pytest.fixture
def version() -> Version:
    """A public embedding's first version."""
    return shelf.published()


def test_head_says_all_that_the_client_needs_and_get_gives_the_same_with_the_bytes(
    client: Client, version: Version
) -> None:
    head, get = client.head(address(version)), client.get(address(version))
    digest = hashlib.sha256(get.content).hexdigest()
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert get["ETag"] == f'"{digest}"'
    assert get["X-Repo-Commit"] == shelf.commit_of(version)
    assert int(get["Content-Length"]) == len(get.content) > 0
    for name in ("ETag", "X-Repo-Commit", "Content-Length", "Content-Type", "Accept-Ranges", "Repr-Digest"):
        assert head[name] == get[name]
    assert "X-Xet-Hash" not in get


def test_every_file_of_the_tree_can_be_pulled(client: Client, version: Version) -> None:
    for path in ("README.md", FILE, "moss-glow.safetensors"):
        assert client.get(address(version, path=path)).status_code == 200


def test_main_moves_and_numbers_and_commit_ids_stay(client: Client, version: Version) -> None:
    first = client.get(address(version)).content
    second = shelf.next_version(version)
    new = client.get(address(version)).content
    assert new != first
    assert client.get(address(version, "v1")).content == first
    assert client.get(address(version, shelf.commit_of(version))).content == first
    assert client.get(address(version, "v2")).content == new
    assert client.get(address(version, shelf.commit_of(second))).content == new


def test_label_and_short_commit_id_are_revisions_too(client: Client) -> None:
    version = shelf.published(label="first-light")
    for revision in ("first-light", shelf.commit_of(version)[:9]):
        assert client.get(address(version, revision))["X-Repo-Commit"] == shelf.commit_of(version)


def test_names_are_looked_up_ignoring_case(client: Client, version: Version) -> None:
    assert client.get(f"/MARA/Moss-Glow/resolve/main/{FILE}").status_code == 200


def test_saving_the_card_moves_main_and_leaves_the_version_where_it_was(
    client: Client, version: Version
) -> None:
    viewer = Viewer(version.embedding.created_by)
    old = client.get(address(version, "v1", "README.md"))
    publishing.update_details(
        viewer,
        embedding=version.embedding,
        title="Moss glow",
        summary="",
        card="A new text.",
        tags=(),
        visibility="public",
    )
    new = client.get(address(version, path="README.md"))
    assert new["X-Repo-Commit"] != old["X-Repo-Commit"]
    assert b"A new text." in new.content
    assert client.get(address(version, "v1", "README.md")).content == old.content


@pytest.mark.parametrize(
    ("where", "word"),
    [
        ("/mara/nothing/resolve/main/x.bin", "RepoNotFound"),
        ("/nobody/moss-glow/resolve/main/x.bin", "RepoNotFound"),
        ("/gpt2/resolve/main/config.json", "RepoNotFound"),
        (f"/mara/moss-glow/resolve/v9/{FILE}", "RevisionNotFound"),
        (f"/mara/moss-glow/resolve/{'0' * 40}/{FILE}", "RevisionNotFound"),
        (f"/mara/moss-glow/resolve/refs/pr/1/{FILE}", "RevisionNotFound"),
        ("/mara/moss-glow/resolve/main/learned_embeds.bin", "EntryNotFound"),
        ("/mara/moss-glow/resolve/main/images/x.png", "EntryNotFound"),
    ],
)
def test_what_is_missing_is_named_in_a_header(
    client: Client, version: Version, where: str, word: str
) -> None:
    for response in (client.head(where), client.get(where)):
        assert response.status_code == 404
        assert response["X-Error-Code"] == word
        assert response["X-Error-Message"]
    assert response.json()["error"] == response["X-Error-Message"]


def test_a_missing_file_comes_with_the_commit_so_that_clients_remember(
    client: Client, version: Version
) -> None:
    response = client.head(address(version, path="learned_embeds.bin"))
    assert response["X-Repo-Commit"] == shelf.commit_of(version)


def test_private_looks_like_missing_to_strangers_and_opens_to_its_owners_token(client: Client) -> None:
    version = shelf.published(visibility="private")
    factories.user("otto")
    missing = client.get(f"/mara/nothing/resolve/main/{FILE}")
    hidden = client.get(address(version))
    assert (hidden.status_code, hidden["X-Error-Code"]) == (404, "RepoNotFound")
    assert hidden["X-Error-Message"] == missing["X-Error-Message"]
    assert client.get(address(version), headers=shelf.bearer("otto")).status_code == 404
    owner = version.embedding.created_by
    assert client.get(address(version), headers=shelf.bearer("mara", "publish")).status_code == 404
    mine = client.get(address(version), headers=shelf.bearer())
    assert mine.status_code == 200
    assert mine["Cache-Control"] == "private, no-store"
    client.force_login(owner)
    assert client.get(address(version)).status_code == 200


def test_a_token_of_another_hub_reads_public_things_with_a_warning(client: Client, version: Version) -> None:
    foreign = {"authorization": "Bearer hf_abcdefghijklmnopqrstuvwxyz"}
    response = client.get(address(version), headers=foreign)
    assert response.status_code == 200
    assert response["X-HF-Warning"].startswith("auth; ")
    missing = client.get("/mara/nothing/resolve/main/x", headers=foreign)
    assert missing["X-Error-Code"] == "RepoNotFound"


def test_yanked_version_still_resolves_by_exact_id_and_is_not_main(client: Client, version: Version) -> None:
    owner = version.embedding.created_by
    first = client.get(address(version, "v1")).content
    second = shelf.next_version(version)
    publishing.yank(Viewer(owner), version=second, reason="It learned the background.")
    assert client.get(address(version)).content == first
    assert client.get(address(version, "v2")).status_code == 200
    assert client.get(address(version, shelf.commit_of(second))).status_code == 200


def test_deleted_version_is_gone_and_the_client_reads_it_as_missing(client: Client, version: Version) -> None:
    shelf.next_version(version)
    publishing.delete_version(Viewer(version.embedding.created_by), version=version)
    response = client.get(address(version, "v1"))
    assert (response.status_code, response["X-Error-Code"]) == (410, "RevisionNotFound")


def set_state(version: Version, state: str) -> None:
    """As a moderator's ruling leaves it."""
    Version.objects.filter(pk=version.pk).update(state=state, state_reason="A ruling.")


def test_taken_down_version_is_disabled(client: Client, version: Version) -> None:
    set_state(version, "taken_down")
    pulled = client.get(address(version, "v1"))
    assert (pulled.status_code, pulled["X-Error-Code"]) == (403, "RevisionNotFound")
    asked = client.get("/api/models/mara/moss-glow/revision/v1")
    assert asked.status_code == 403
    assert asked["X-Error-Message"] == "Access to this resource is disabled."
    assert "X-Error-Code" not in asked


def test_quarantined_version_looks_like_one_that_never_was(client: Client, version: Version) -> None:
    shelf.next_version(version)
    set_state(version, "quarantined")
    response = client.get(address(version, "v1"))
    assert (response.status_code, response["X-Error-Code"]) == (404, "RevisionNotFound")


def test_a_range_gives_that_part(client: Client, version: Version) -> None:
    whole = client.get(address(version)).content
    size = len(whole)
    for header, start, end in (("bytes=10-", 10, size), ("bytes=0-9", 0, 10), ("bytes=-5", size - 5, size)):
        part = client.get(address(version), headers={"range": header})
        assert part.status_code == 206
        assert part.content == whole[start:end]
        assert part["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        assert int(part["Content-Length"]) == end - start


@pytest.mark.parametrize("header", ["bytes=999999999-", "bytes=0-1,4-5", "bytes=5-1", "bytes=-", "bytes=-0"])
def test_a_range_that_is_not_there_or_several_are_refused(
    client: Client, version: Version, header: str
) -> None:
    response = client.get(address(version), headers={"range": header})
    assert response.status_code == 416
    assert response["Content-Range"].startswith("bytes */")


def test_if_range_with_another_etag_gives_the_whole(client: Client, version: Version) -> None:
    etag = client.head(address(version))["ETag"]
    same = client.get(address(version), headers={"range": "bytes=0-3", "if-range": etag})
    other = client.get(address(version), headers={"range": "bytes=0-3", "if-range": '"old"'})
    assert (same.status_code, other.status_code) == (206, 200)


def test_a_known_etag_is_not_sent_again(client: Client, version: Version) -> None:
    etag = client.head(address(version))["ETag"]
    response = client.get(address(version), headers={"if-none-match": f'"other", {etag}'})
    assert (response.status_code, response.content) == (304, b"")
    assert response["X-Repo-Commit"]


def test_bytes_are_inert_and_cached_only_as_long_as_they_may_be(client: Client, version: Version) -> None:
    response = client.get(address(version, path="README.md"))
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Content-Disposition"] == 'attachment; filename="README.md"'
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "public, no-cache"
    fixed = client.get(address(version, shelf.commit_of(version)))
    assert fixed["Cache-Control"] == "public, max-age=31536000, immutable"


def pulls() -> int:
    """Downloads that were counted."""
    counting.tally.write()
    return sum(Download.objects.values_list("count", flat=True))


def test_a_get_counts_as_one_pull_and_a_head_or_a_later_piece_does_not(
    client: Client, version: Version
) -> None:
    client.head(address(version))
    client.get(address(version), headers={"range": "bytes=10-"})
    client.get(address(version, path="README.md"))
    assert pulls() == 0
    client.get(address(version))
    assert pulls() == 1


@pytest.mark.parametrize("revision", ["main", "v1", "commit"])
def test_a_pull_is_one_query_once_the_commit_is_known(
    client: Client, version: Version, django_assert_num_queries: DjangoAssertNumQueries, revision: str
) -> None:
    where = address(version, shelf.commit_of(version) if revision == "commit" else revision)
    with django_assert_num_queries(3):
        client.get(where)
    for path in (FILE, "README.md"):
        with django_assert_num_queries(1):
            assert client.head(where.replace(FILE, path)).status_code == 200
    with django_assert_num_queries(1):
        assert client.get(where).status_code == 200
    with django_assert_num_queries(1):
        assert client.get(where.replace(FILE, "nothing.bin"))["X-Error-Code"] == "EntryNotFound"


def test_a_pull_with_a_token_asks_for_the_token_too(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    version, headers = shelf.published(visibility="private"), shelf.bearer()
    client.get(address(version), headers=headers)
    with django_assert_num_queries(2):
        assert client.get(address(version), headers=headers).status_code == 200


def test_what_a_process_knows_of_a_commit_opens_it_to_nobody(client: Client, version: Version) -> None:
    commit, viewer = shelf.commit_of(version), Viewer(version.embedding.created_by)
    where = [address(version, revision) for revision in ("main", "v1", commit)]
    assert {client.get(one).status_code for one in where} == {200}
    Embedding.objects.filter(pk=version.embedding_id).update(visibility="private")
    assert {client.get(one).status_code for one in where} == {404}
    mine = [client.get(one, headers=shelf.bearer()) for one in where]
    assert {(one.status_code, one["Cache-Control"]) for one in mine} == {(200, "private, no-store")}
    Embedding.objects.filter(pk=version.embedding_id).update(visibility="public")
    assert {client.get(one).status_code for one in where} == {200}
    publishing.delete_version(viewer, version=version)
    assert {client.get(one).status_code for one in where} == {410}


def test_a_large_file_comes_from_the_disk_whole_and_in_pieces(
    client: Client, version: Version, monkeypatch: Any, disk_blobs: Any
) -> None:
    whole = client.get(address(version)).content
    monkeypatch.setattr(files, "IN_MEMORY", 0)
    for header, status, part in (
        ({}, 200, whole),
        ({"range": "bytes=10-"}, 206, whole[10:]),
        ({"range": "bytes=10-19"}, 206, whole[10:20]),
    ):
        response = client.get(address(version), headers=header)
        assert (response.status_code, response.getvalue()) == (status, part)
        assert int(response["Content-Length"]) == len(part)
        assert response["Content-Type"] == "application/octet-stream"
        assert response.streaming == (part == whole[-len(part) :])
    for path in disk_blobs.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"x" * path.stat().st_size)
    assert client.get(address(version)).status_code == 503


def test_missing_bytes_are_an_outage_and_never_an_empty_file(
    client: Client, version: Version, disk_blobs: Any
) -> None:
    for path in disk_blobs.rglob("*"):
        if path.is_file():
            path.unlink()
    response = client.get(address(version))
    assert response.status_code == 503
    assert response["Retry-After"]


def test_damaged_bytes_are_never_sent(client: Client, version: Version, disk_blobs: Any) -> None:
    for path in disk_blobs.rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"x" * path.stat().st_size)
    assert client.get(address(version)).status_code == 503


@pytest.mark.s3
def test_a_store_that_signs_addresses_is_pulled_from_directly(client: Client, s3_blobs: Any) -> None:
    version = shelf.published()
    for response in (client.head(address(version)), client.get(address(version))):
        assert response.status_code == 307
        assert response["Location"].startswith("http")
        assert response["X-Linked-Etag"] == response["ETag"]
        assert int(response["X-Linked-Size"]) > 0
        assert response["X-Repo-Commit"] == shelf.commit_of(version)
        assert response["Cache-Control"] == "private, no-store"
