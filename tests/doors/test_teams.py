"""A private word of a team at every door: members find and pull it, and from the moment they are none it is gone."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from hub.models import Version
from hub.services.people import teammates
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
NAME = "fern-house/moss-dragon"
# What names the word to who may know of it, and nothing to others.
LISTS = (
    "/api/hub/v1/embeddings?q=moss",
    "/api/hub/v1/embeddings?owner=fern-house",
    "/api/models?search=moss-dragon",
    "/api/models?author=fern-house",
    "/api/v1/models?query=moss",
    "/api/v1/models?username=fern-house",
)


def things(version: Version) -> tuple[str, ...]:
    """The addresses of it, by door."""
    digest = version.files.earliest("pk").blob_id
    return (
        f"/api/hub/v1/embeddings/{NAME}",
        f"/api/hub/v1/embeddings/{NAME}/versions/1",
        f"/api/hub/v1/embeddings/{NAME}/versions/1/files/canonical",
        f"/{NAME}/resolve/main/README.md",
        f"/{NAME}/resolve/main/moss-dragon.safetensors",
        f"/api/models/{NAME}",
        f"/api/models/{NAME}/tree/main",
        f"/api/v1/models/{version.embedding_id}",
        f"/api/v1/model-versions/{version.pk}",
        f"/api/v1/model-versions/by-hash/{digest}",
        f"/api/download/models/{version.pk}",
    )


def answers(addresses: tuple[str, ...], headers: dict[str, str]) -> dict[str, int]:
    """The status of each."""
    return {path: Client().get(path, headers=headers).status_code for path in addresses}


def naming(headers: dict[str, str]) -> list[str]:
    """The lists that name it."""
    return [path for path in LISTS if b"moss-dragon" in Client().get(path, headers=headers).content]


def test_every_door_opens_to_members_and_closes_behind_them() -> None:
    team = factories.team(rhea="reader")
    version = factories.published(team=team, visibility="private").versions.get()
    member, other = factories.bearer("rhea"), factories.bearer("bob")
    seen = answers(things(version), member)
    assert set(seen.values()) <= {200, 307}, seen
    assert naming(member) == list(LISTS)
    link = urlsplit(Client().get(f"/api/download/models/{version.pk}", headers=member)["Location"]).path
    assert Client().get(link).status_code == 200
    for headers in (other, {}):
        assert naming(headers) == []
        assert set(answers(things(version), headers).values()) <= {401, 404}
    teammates.remove(factories.viewer(), team=team, name="rhea")
    assert naming(member) == []
    gone = answers(things(version), member)
    assert gone == answers(things(version), other)
    assert set(gone.values()) == {404}
    assert Client().get(link).status_code == 404


def test_the_page_and_the_pages_of_others_do_the_same() -> None:
    team = factories.team(rhea="reader")
    factories.published(team=team, visibility="private")
    client = Client()
    client.force_login(factories.user("rhea"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/{NAME}").status_code == 200
    assert b"moss-dragon" in client.get("/fern-house").content
    # Nothing private is offered on the first page, not even to those who may see it.
    assert b"moss-dragon" not in client.get("/?q=moss").content.replace(b'value="moss', b"")
    teammates.remove(factories.viewer(), team=team, name="rhea")
    assert client.get(f"/{NAME}").status_code == 404
    assert b"moss-dragon" not in client.get("/fern-house").content
