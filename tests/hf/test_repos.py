"""Looking around: records, trees, refs, histories and listings."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from hub.access import Viewer
from hub.models import Embedding, Version
from hub.services.versions import publishing
from tests import factories
from tests.hf import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
MODEL = "/api/models/mara/moss-glow"
FILES = ["README.md", "learned_embeds.safetensors", "moss-glow.safetensors"]


@pytest.fixture
def version() -> Version:
    """A public embedding's first version."""
    return shelf.published(tags=["forest"])


def test_record_names_the_commit_the_files_and_the_tags(client: Client, version: Version) -> None:
    record = client.get(MODEL).json()
    assert record["id"] == record["modelId"] == "mara/moss-glow"
    assert record["sha"] == shelf.commit_of(version)
    assert [file["rfilename"] for file in record["siblings"]] == FILES
    assert {"textual_inversion", "diffusers", "text-to-image", "forest", "license:cc0-1.0"} <= set(
        record["tags"]
    )
    assert record["cardData"]["instance_prompt"] == "moss-glow"
    assert record["private"] is False


def test_dates_end_in_z_with_three_digits(client: Client, version: Version) -> None:
    record = client.get(MODEL).json()
    for name in ("createdAt", "lastModified"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record[name])


def test_record_of_a_revision(client: Client, version: Version) -> None:
    shelf.next_version(version)
    assert client.get(f"{MODEL}/revision/v1").json()["sha"] == shelf.commit_of(version)
    assert client.get(f"{MODEL}/revision/main").json()["sha"] != shelf.commit_of(version)
    missing = client.get(f"{MODEL}/revision/dev/x")
    assert (missing.status_code, missing["X-Error-Code"]) == (404, "RevisionNotFound")


@pytest.mark.parametrize("asked", ["true", "True"])
def test_blobs_come_with_their_digests_where_asked_for(client: Client, version: Version, asked: str) -> None:
    files = {file["rfilename"]: file for file in client.get(MODEL, {"blobs": asked}).json()["siblings"]}
    tensors = files["learned_embeds.safetensors"]
    etag = client.head("/mara/moss-glow/resolve/main/learned_embeds.safetensors")["ETag"]
    assert f'"{tensors["lfs"]["sha256"]}"' == etag
    assert tensors["lfs"]["size"] == tensors["size"]
    assert len(files["README.md"]["blobId"]) == 40
    assert "lfs" not in files["README.md"]


def test_tree_lists_every_file_with_its_git_id(client: Client, version: Version) -> None:
    tree = client.get(f"{MODEL}/tree/main", {"recursive": "true"}).json()
    assert [entry["path"] for entry in tree] == FILES
    for entry in tree:
        assert entry["type"] == "file"
        assert re.fullmatch("[0-9a-f]{40}", entry["oid"])
        assert entry["size"] > 0
        assert "xetHash" not in entry
    assert "lastCommit" not in tree[0]
    expanded = client.get(f"{MODEL}/tree/main", {"expand": "True"}).json()
    assert expanded[0]["lastCommit"]["id"] == shelf.commit_of(version)


def test_a_folder_is_missing_because_all_files_are_at_the_root(client: Client, version: Version) -> None:
    response = client.get(f"{MODEL}/tree/main/images")
    assert (response.status_code, response["X-Error-Code"]) == (404, "EntryNotFound")


def test_paths_info_takes_a_form_or_json_and_leaves_out_what_is_not_there(
    client: Client, version: Version
) -> None:
    asked = ["README.md", "nothing.txt"]
    form = client.post(f"{MODEL}/paths-info/main", {"paths": asked, "expand": "false"})
    body = client.post(
        f"{MODEL}/paths-info/main",
        json.dumps({"paths": asked, "expand": True}),
        content_type="application/json",
    )
    assert [entry["path"] for entry in form.json()] == ["README.md"]
    assert body.json()[0]["lastCommit"]["id"] == shelf.commit_of(version)


@pytest.mark.parametrize("body", ["{", "[]", '{"paths": 5}', "null"])
def test_paths_info_refuses_what_it_cannot_read(client: Client, version: Version, body: str) -> None:
    response = client.post(f"{MODEL}/paths-info/main", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["code"] == "malformed_request"


def test_paths_info_needs_no_csrf_proof(version: Version) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"{MODEL}/paths-info/main", {"paths": ["README.md"]}).status_code == 200
    assert strict.get(f"{MODEL}/paths-info/main").status_code == 405


def test_refs_name_main_and_each_version_by_number_and_label(client: Client) -> None:
    version = shelf.published(label="first-light")
    second = shelf.next_version(version)
    refs = client.get(f"{MODEL}/refs", {"include_prs": "1"}).json()
    assert [branch["name"] for branch in refs["branches"]] == ["main"]
    assert refs["branches"][0]["targetCommit"] == shelf.commit_of(second)
    tags = {tag["name"]: tag["targetCommit"] for tag in refs["tags"]}
    assert tags == {
        "v1": shelf.commit_of(version),
        "first-light": shelf.commit_of(version),
        "v2": shelf.commit_of(second),
    }
    assert refs["converts"] == refs["pullRequests"] == []


def test_refs_of_an_embedding_whose_versions_are_all_yanked_have_no_branch(
    client: Client, version: Version
) -> None:
    publishing.yank(Viewer(version.embedding.created_by), version=version, reason="Wrong pictures.")
    refs = client.get(f"{MODEL}/refs").json()
    assert refs["branches"] == []
    assert [tag["name"] for tag in refs["tags"]] == ["v1"]


def test_history_is_newest_first_and_paged_with_an_absolute_link(client: Client, version: Version) -> None:
    second = shelf.next_version(version)
    whole = client.get(f"{MODEL}/commits/main").json()
    assert next(commit["id"] for commit in whole) == shelf.commit_of(second)
    assert shelf.commit_of(version) in [commit["id"] for commit in whole]
    assert {"id", "title", "message", "date", "authors"} <= set(whole[0])
    first = client.get(f"{MODEL}/commits/main", {"limit": "1"})
    link = re.fullmatch('<(http://testserver/.+)>; rel="next"', first["Link"])
    assert link
    assert client.get(link[1]).json() == whole[1:2]


def test_history_of_an_old_version_ends_there(client: Client, version: Version) -> None:
    second = shelf.next_version(version)
    ids = [commit["id"] for commit in client.get(f"{MODEL}/commits/v1").json()]
    assert shelf.commit_of(version) in ids
    assert shelf.commit_of(second) not in ids


def listed(client: Client, **query: Any) -> list[str]:
    """Ids of a listing."""
    response = client.get("/api/models", query)
    assert response.status_code == 200, response.content
    return [record["id"] for record in response.json()]


def test_listing_is_searched_by_part_of_the_id_and_filtered_by_tags(client: Client, version: Version) -> None:
    shelf.published("otto", "ink-wash", licence="mit", family="sd1")
    assert listed(client, search="OSS-G") == ["mara/moss-glow"]
    assert listed(client, search="ra/mo") == ["mara/moss-glow"]
    assert listed(client, author="otto") == ["otto/ink-wash"]
    assert listed(client, filter=["textual_inversion", "forest"]) == ["mara/moss-glow"]
    assert listed(client, filter="diffusers,license:mit") == ["otto/ink-wash"]
    assert listed(client, filter="stable-diffusion") == ["otto/ink-wash"]
    assert listed(client, filter="nothing-like-it") == []
    assert set(listed(client, pipeline_tag="text-to-image")) == {"mara/moss-glow", "otto/ink-wash"}
    assert listed(client, gated="true") == []


def test_every_tag_that_a_record_shows_finds_it(client: Client) -> None:
    shelf.published(tags=["forest"], base_model=factories.base_model())
    for tag in client.get(MODEL).json()["tags"]:
        assert listed(client, filter=tag) == ["mara/moss-glow"], tag


@pytest.mark.parametrize("sort", ["downloads", "likes", "lastModified", "createdAt", "trendingScore"])
def test_listing_goes_through_all_pages_once_in_every_order(client: Client, sort: str) -> None:
    names = [f"word-{letter}" for letter in "abcde"]
    for name in names:
        shelf.published(name=name)
    Embedding.objects.filter(name="word-c").update(downloads=7)
    seen: list[str] = []
    where = f"/api/models?sort={sort}&direction=-1&limit=2&full=true"
    while where:
        response = client.get(where)
        seen += [record["id"] for record in response.json()]
        assert all(len(record["siblings"]) == 3 for record in response.json())
        link = re.fullmatch('<(.+)>; rel="next"', response.get("Link", ""))
        where = link[1] if link else ""
    assert sorted(seen) == [f"mara/{name}" for name in names]
    if sort == "downloads":
        assert seen[0] == "mara/word-c"


@pytest.mark.parametrize("query", [{"sort": "name"}, {"cursor": "what"}, {"cursor": "2026-01-01T00:00:00~1"}])
def test_listing_refuses_sorts_and_cursors_it_does_not_know(client: Client, query: dict[str, str]) -> None:
    assert client.get("/api/models", query).status_code == 400


def test_listing_shows_private_and_unlisted_things_to_their_owner_alone(client: Client) -> None:
    shelf.published()
    shelf.published(name="quiet-one", visibility="private")
    shelf.published(name="shy-one", visibility="unlisted")
    factories.user("otto")
    assert listed(client) == ["mara/moss-glow"]
    for headers, count in (
        (shelf.bearer("otto"), 1),
        (shelf.bearer("mara", "publish"), 1),
        (shelf.bearer(), 3),
    ):
        assert len(client.get("/api/models", headers=headers).json()) == count


def test_listing_asks_the_database_as_often_for_many_as_for_few(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for letter in "abcdef":
        shelf.published(name=f"word-{letter}", tags=[f"tag-{letter}"])
    with django_assert_max_num_queries(4):
        client.get("/api/models", {"full": "true"})


def test_a_record_is_one_query_once_it_was_told_and_three_once_its_commit_is_known(
    client: Client, version: Version, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for revision in ("main", "v1", shelf.commit_of(version)):
        client.get(f"{MODEL}/revision/{revision}")
        for queries in (3, 1):
            with django_assert_num_queries(queries):
                assert client.get(f"{MODEL}/revision/{revision}", {"blobs": "true"}).status_code == 200


def test_who_am_i(client: Client) -> None:
    factories.user("mara")
    assert client.get("/api/whoami-v2").status_code == 401
    for scopes, role in ((["read"], "read"), (["read", "publish"], "write")):
        me = client.get("/api/whoami-v2", headers=shelf.bearer("mara", *scopes)).json()
        assert (me["name"], me["type"]) == ("mara", "user")
        assert me["auth"]["accessToken"] == {"displayName": "test", "role": role}


def test_a_bad_token_is_told_so_where_it_matters(client: Client, version: Version) -> None:
    bad = {"authorization": "Bearer glossa_nonsense"}
    for where in ("/api/whoami-v2", f"{MODEL}/auth-check"):
        response = client.get(where, headers=bad)
        assert response.status_code == 401
        assert response["X-Error-Message"] == "Invalid credentials in Authorization header"


def test_auth_check_answers_as_the_act_would(client: Client, version: Version) -> None:
    factories.user("otto")
    assert client.get(f"{MODEL}/auth-check").status_code == 200
    assert client.get(f"{MODEL}/auth-check/write").status_code == 401
    assert client.get(f"{MODEL}/auth-check/write", headers=shelf.bearer("otto", "publish")).status_code == 403
    assert client.get(f"{MODEL}/auth-check/write", headers=shelf.bearer("mara", "read")).status_code == 403
    assert client.get(f"{MODEL}/auth-check/write", headers=shelf.bearer("mara", "publish")).status_code == 200
    missing = client.get("/api/models/mara/nothing/auth-check", headers=shelf.bearer())
    assert (missing.status_code, missing["X-Error-Code"]) == (404, "RepoNotFound")


def test_what_only_other_hubs_have_is_refused_quickly(client: Client, version: Version) -> None:
    assert client.get(f"{MODEL}/xet-read-token/main").status_code == 404
    assert client.get(f"{MODEL}/discussions").status_code == 404
    elsewhere = client.get("/api/datasets/a/b")
    assert (elsewhere.status_code, elsewhere["X-Error-Code"]) == (404, "RepoNotFound")
    for where in ("/api/models/gpt2", "/api/models/gpt2/revision/main", "/api/models/gpt2/tree/main"):
        response = client.get(where)
        assert (response.status_code, response["X-Error-Code"]) == (404, "RepoNotFound")
    assert client.get("/api/agent-harnesses").json() == {"standardEnvVars": [], "harnesses": {}}


def test_a_hub_closed_to_strangers_asks_for_a_token_everywhere(
    client: Client, version: Version, settings: Any
) -> None:
    settings.HUB = {**settings.HUB, "HUB_ANONYMOUS_READ": False}
    for where in (MODEL, "/api/models", "/mara/moss-glow/resolve/main/README.md"):
        assert client.get(where).status_code == 401
        answer = client.get(where, headers=shelf.bearer())
        assert answer.status_code == 200
        assert answer["Cache-Control"].startswith("private")
