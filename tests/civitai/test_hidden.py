"""What a caller may not know of answers like what never was, at every address and to every caller (rule R3)."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import Embedding, Version
from hub.services.versions import publishing
from tests import factories
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
ABSENT = 1_999_999_999


def set_state(version: Version, state: str) -> Version:
    """As a moderator's ruling leaves it; `main` is where it was."""
    Version.objects.filter(pk=version.pk).update(state=state, state_changed_at=timezone.now())
    return version


def deleted(version: Version) -> Version:
    publishing.delete_version(factories.viewer("mara"), version=version)
    return version


def all_deleted(version: Version) -> Version:
    publishing.delete_embedding(factories.viewer("mara"), embedding=version.embedding)
    return version


def private(version: Version) -> Version:
    publishing.update_details(factories.viewer("mara"), embedding=version.embedding, visibility="private")
    return version


def draft(version: Version) -> Version:
    return factories.draft(version.embedding, trigger="moss-glow", family="sd1")


HIDDEN: dict[str, Callable[[Version], Version]] = {
    "private": private,
    "quarantined": lambda version: set_state(version, "quarantined"),
    "taken down": lambda version: set_state(version, "taken_down"),
    "deleted": deleted,
    "deleted with all": all_deleted,
    "draft": draft,
    "checking": lambda version: set_state(draft(version), "checking"),
}


def answers(client: Client, version: int, embedding: int, picture: int, digest: str, **headers: str) -> Any:
    """Status, text and headers at every address that names the thing, with its numbers taken out."""
    api = shelf.API
    addresses = [
        f"{api}/model-versions/{version}",
        f"{api}/model-versions/mini/{version}",
        f"{api}/model-versions/{version}/sidecars",
        f"{api}/model-versions/{version}/sidecars/moss-glow.zip",
        f"{api}/model-versions/by-hash/{digest}",
        f"{api}/images?modelVersionId={version}",
        f"{api}/images?imageId={picture}",
        f"{api}/models?modelVersionIds={version}",
        f"/api/download/models/{version}",
        f"/api/download/models/{version}?type=Negative",
        f"/media/previews/{picture}.png",
        *([f"{api}/models/{embedding}", f"{api}/models?ids={embedding}"] if embedding else []),
    ]
    found = {}
    for number, address in enumerate(addresses):
        found[number] = told(client.get(address, headers=headers))
    for path in ("", "/ids"):
        body = json.dumps([digest])
        posted = client.post(
            f"{api}/model-versions/by-hash{path}", body, content_type="application/json", headers=headers
        )
        found[path] = told(posted)
    return found


def told(response: Any) -> Any:
    """An answer without what differs from one to the next."""
    text = re.sub(r'"request_id": "\w+"|\b[0-9a-f]{64}\b', "-", response.content.decode())
    # The length follows from the text, in which numbers may be longer or shorter.
    # What is left of the caller's calls is about the caller, and goes down with every call.
    left_out = {"X-Request-Id", "Content-Length", "RateLimit-Remaining", "RateLimit-Reset"}
    kept = {name: value for name, value in response.headers.items() if name not in left_out}
    return response.status_code, re.sub(r"\d{1,10}", "N", text), kept


@pytest.mark.parametrize("state", HIDDEN)
def test_what_is_hidden_looks_like_what_never_was(client: Client, tmp_path: Path, state: str) -> None:
    other = shelf.published("otto", "ink-wash")
    version = shelf.drawn(shelf.published(), tmp_path)
    picture = version.previews.filter(block="A")[0].pk
    hidden = HIDDEN[state](version)
    # An embedding with a further draft is there for everybody; only the draft is not.
    is_whole = hidden.pk == version.pk
    embedding, picture = (version.embedding_id, picture) if is_whole else (0, ABSENT)
    factories.user("somebody")
    moderator = Client()
    moderator.force_login(factories.user("mod", moderator=True))
    for who, headers in ((client, {}), (client, shelf.bearer("somebody")), (moderator, {})):
        seen = answers(who, hidden.pk, embedding, picture, hidden.source_sha256, **headers)
        never = answers(who, ABSENT, ABSENT if is_whole else 0, ABSENT, "0" * 64, **headers)
        assert seen == never
        assert {one[0] for one in seen.values()} <= {200, 404}
        listed = shelf.ids(shelf.get(who, "/models", headers=headers))
        assert set(listed) - {other.embedding_id} == (set() if is_whole else {version.embedding_id})
        for path in ("/creators", "/users?query=ma", "/tags"):
            names = [one.get("username") for one in shelf.get(who, path, headers=headers)["items"]]
            assert not is_whole or "mara" not in names


@pytest.mark.parametrize("state", ["quarantined", "taken down", "deleted", "draft", "checking"])
def test_here_its_owner_sees_no_more_of_it(client: Client, state: str) -> None:
    version = shelf.published()
    shelf.next_version(version)
    hidden = HIDDEN[state](version)
    mine = shelf.bearer("mara")
    assert client.get(f"{shelf.API}/model-versions/{hidden.pk}", headers=mine).status_code == 404
    assert client.get(f"/api/download/models/{hidden.pk}", headers=mine).status_code == 404


def test_a_private_embedding_is_its_owners_with_a_token_that_may_read(client: Client, tmp_path: Path) -> None:
    version = private(shelf.drawn(shelf.published(), tmp_path))
    path = f"/model-versions/{version.pk}"
    assert client.get(shelf.API + path, headers=shelf.bearer("mara", "publish")).status_code == 404
    record = shelf.get(client, path, headers=shelf.bearer())
    assert record["availability"] == "Private"
    assert shelf.get(client, f"/model-versions/mini/{version.pk}", headers=shelf.bearer())["requireAuth"]
    assert Embedding.objects.get().visibility == "private"


def test_pictures_of_a_private_embedding_are_shown_by_links_that_end(
    client: Client, tmp_path: Path, monkeypatch: Any
) -> None:
    version = private(shelf.drawn(shelf.published(), tmp_path))
    record = shelf.get(client, f"/model-versions/{version.pk}", headers=shelf.bearer())
    address = record["images"][0]["url"].removeprefix("http://testserver")
    assert address.endswith(f"/{record['images'][0]['id']}.png")
    shown = client.get(address)
    assert (shown.status_code, shown["Cache-Control"]) == (200, "private, no-store")
    other = record["images"][1]["id"]
    assert client.get(re.sub(r"\d+\.png$", f"{other}.png", address)).status_code == 404
    monkeypatch.setattr("hub.wire.links.LIFE_SECONDS", -1)
    assert client.get(address).status_code == 404
