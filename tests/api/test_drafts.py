"""Drafts through the native API: kept, looked at, described, published or thrown away by their owner."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.models import Blob, Embedding, OutboxJob, Version
from tests import factories, samples

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
PLACE = f"{API}/embeddings/ada/moss-dragon"
JSON = "application/json"


@pytest.fixture
def ada() -> dict[str, str]:
    return factories.bearer("ada", "read", "publish", "manage")


@pytest.fixture
def embedding() -> Embedding:
    return factories.embedding()


def keep(client: Client, headers: dict[str, str], seed: int = 7, **fields: Any) -> Any:
    file = SimpleUploadedFile("moss.safetensors", samples.canonical_file("tiny", vectors=2, seed=seed))
    given = {"file": file, "trigger": "moss-dragon", "licence": "cc0-1.0", **fields}
    return client.post(f"{PLACE}/drafts", given, headers=headers)


def test_a_file_is_kept_described_and_published(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    answer = keep(client, ada, notes="First try.")
    assert answer.status_code == 201, answer.content
    draft = answer.json()
    assert answer["Location"] == draft["url"]
    assert (draft["embedding"], draft["state"], draft["vectors_per_token"]) == (
        "ada/moss-dragon", "draft", 2,
    )  # fmt: skip
    assert client.get(draft["url"], headers=ada).json() == draft
    for address in (f"{API}/drafts", f"{PLACE}/drafts"):
        assert client.get(address, headers=ada).json() == {"items": [draft], "next": None}
    assert client.get(f"{PLACE}/versions", headers=ada).json()["items"] == []
    change = {"trigger": "moss-glow", "label": "soft", "notes": "Second try."}
    told = client.patch(draft["url"], change, content_type=JSON, headers=ada).json()
    assert {**draft, **change} == told
    made = client.post(f"{draft['url']}/publish", {"licence": "mit"}, content_type=JSON, headers=ada)
    assert made.status_code == 201, made.content
    version = made.json()
    assert (version["name"], version["trigger"], version["label"], version["licence"], version["notes"]) == (
        "v1", "moss-glow", "soft", "mit", "Second try.",
    )  # fmt: skip
    assert made["Location"] == version["url"]
    again = client.post(f"{draft['url']}/publish", {}, content_type=JSON, headers=ada)
    assert (again.status_code, again.json()) == (200, version)
    assert client.get(draft["url"], headers=ada).status_code == 404
    assert client.get(f"{API}/drafts", headers=ada).json()["items"] == []


def test_a_kept_file_gets_its_sheet_before_it_is_published(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    factories.base_model()
    draft = keep(client, ada).json()
    assert draft["sheet_state"] == "waiting"
    assert OutboxJob.objects.filter(name="render_sheet").count() == 1


def test_another_base_model_draws_the_sheet_again_and_one_of_another_family_is_refused(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    first = factories.base_model()
    other = factories.base_model(name="tiny-two")
    factories.base_model("sd1", name="stable")
    draft = keep(client, ada, base_model=first.name).json()
    before = OutboxJob.objects.filter(name="render_sheet").count()

    def change(base: str | None) -> Any:
        return client.patch(draft["url"], {"base_model": base}, content_type=JSON, headers=ada)

    assert change(other.name).json()["base_model"] == "tiny-two"
    assert OutboxJob.objects.filter(name="render_sheet").count() == before + 1
    refused = change("stable")
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "metadata_mismatch")
    assert change("nobodys-base").status_code == 422
    assert change(None).json()["base_model"] is None


def test_a_word_that_was_trained_here_keeps_its_base(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    base, other = factories.base_model(), factories.base_model(name="tiny-two")
    draft = factories.draft(embedding, base_model=base, run_key="7d4df2a2-5d38-4e5b-9d80-6f8a6a4b9a11")
    address = f"{PLACE}/drafts/{draft.pk}"
    refused = client.patch(address, {"base_model": other.name}, content_type=JSON, headers=ada)
    assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, "base_model")
    assert client.patch(address, {"base_model": base.name}, content_type=JSON, headers=ada).status_code == 200


def test_a_draft_changes_only_from_the_state_that_was_read(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    address = keep(client, ada).json()["url"]
    headers = {**ada, "if-match": client.get(address, headers=ada)["ETag"]}
    assert client.patch(address, {"notes": "One."}, content_type=JSON, headers=headers).status_code == 200
    stale = client.patch(address, {"notes": "Two."}, content_type=JSON, headers=headers)
    assert (stale.status_code, stale.json()["error"]["code"]) == (412, "stale")
    assert Version.objects.get().notes == "One."


def test_a_refused_change_or_file_leaves_nothing(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    blobs = Blob.objects.count()
    assert keep(client, ada, trigger="photo").status_code == 422
    assert keep(client, ada, licence="mine").status_code == 422
    assert keep(client, ada, base_model="nobodys").status_code == 422
    assert not Version.objects.exists() and Blob.objects.count() == blobs
    draft = keep(client, ada).json()
    for change in ({"trigger": "photo"}, {"licence": "mine"}, {"label": "main"}, {"titel": "x"}):
        refused = client.patch(draft["url"], change, content_type=JSON, headers=ada)
        assert (refused.status_code, refused.json()["error"]["detail"]["field"]) == (422, *change)
    assert client.get(draft["url"], headers=ada).json() == draft


def test_a_file_that_is_a_version_already_is_no_draft(client: Client, ada: dict[str, str]) -> None:
    data = samples.canonical_file("tiny", vectors=2, seed=7)
    factories.published(ingested=factories.ingested(data))
    refused = keep(client, ada)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "version_exists")


def test_a_draft_is_thrown_away_and_a_version_is_not(client: Client, ada: dict[str, str]) -> None:
    embedding = factories.published()
    published = embedding.versions.get()
    draft = keep(client, ada).json()
    assert client.delete(draft["url"], headers=ada).status_code == 204
    assert client.delete(draft["url"], headers=ada).status_code == 404
    assert client.delete(f"{PLACE}/drafts/{published.pk}", headers=ada).status_code == 404
    assert [one.pk for one in Version.objects.all()] == [published.pk]


def test_nobody_else_knows_of_it_not_even_a_moderator(client: Client, ada: dict[str, str]) -> None:
    factories.published()
    address = keep(client, ada).json()["url"]
    bob = factories.bearer("bob", "read", "publish", "manage")
    factories.moderator()
    mod = factories.bearer("mod", "read", "publish", "manage")
    for headers in (bob, mod):
        assert client.get(f"{API}/drafts", headers=headers).json()["items"] == []
        assert client.get(address, headers=headers).status_code == 404
        assert client.patch(address, {}, content_type=JSON, headers=headers).status_code == 404
        assert client.post(f"{address}/publish", {}, content_type=JSON, headers=headers).status_code == 404
        assert client.delete(address, headers=headers).status_code == 404
        assert client.get(f"{address}/pictures", headers=headers).status_code == 404
    assert client.get(address).status_code == 401
    assert Version.objects.filter(published_at=None).count() == 1


def test_a_token_for_publishing_keeps_and_publishes_but_does_not_read(
    client: Client, embedding: Embedding
) -> None:
    publisher = factories.bearer("ada", "publish")
    draft = keep(client, publisher).json()
    assert client.get(draft["url"], headers=publisher).json()["error"]["detail"]["scope"] == "read"
    reader = factories.bearer("ada", "read")
    assert client.get(draft["url"], headers=reader).status_code == 200
    refused = client.patch(draft["url"], {"notes": "x"}, content_type=JSON, headers=reader)
    assert refused.json()["error"]["detail"]["scope"] == "publish"
    made = client.post(f"{draft['url']}/publish", {}, content_type=JSON, headers=publisher)
    assert made.status_code == 201


def test_the_list_goes_on_with_a_cursor_and_costs_no_more_for_more(
    client: Client, ada: dict[str, str], embedding: Embedding, django_assert_max_num_queries: Any
) -> None:
    made = [factories.draft(embedding).pk for _ in range(3)]
    with django_assert_max_num_queries(12) as captured:
        first = client.get(f"{API}/drafts?limit=2", headers=ada).json()
    queries = len(captured)
    second = client.get(first["next"], headers=ada).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == made[::-1]
    assert second["next"] is None
    made += [factories.draft(embedding).pk for _ in range(6)]
    with django_assert_max_num_queries(queries):
        assert len(client.get(f"{API}/drafts?limit=9", headers=ada).json()["items"]) == 9


def test_a_draft_sent_twice_with_one_key_is_one_draft(
    client: Client, ada: dict[str, str], embedding: Embedding
) -> None:
    key = {**ada, "idempotency-key": "draft-0001"}
    first, again = keep(client, key), keep(client, key)
    assert again["Idempotency-Replayed"] == "true" and first.json() == again.json()
    assert Version.objects.count() == 1
