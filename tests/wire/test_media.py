"""Pictures by digest: shown to those who may see a thing they belong to."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from hub.models import Preview, Version
from hub.wire import media
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def cover(tmp_path: Path, **fields: Any) -> Preview:
    """A picture of a published embedding's sheet."""
    version: Version = factories.published("mara", "moss-glow", **fields).versions.get()
    factories.sheet(version, tmp_path, columns=1)
    return Preview.objects.filter(version=version, role="image").earliest("id")


def address(preview: Preview) -> str:
    """Where it is served."""
    return media.address(preview.blob_id, preview.content_type)


def test_a_picture_of_a_public_version_is_for_everybody_and_for_ever(client: Client, tmp_path: Path) -> None:
    response = client.get(address(cover(tmp_path)))
    assert response.status_code == 200
    assert response["Content-Type"] in ("image/png", "image/webp")
    assert response["Content-Disposition"].startswith("inline; ")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"


def test_a_picture_of_a_private_version_is_for_its_owner(client: Client, tmp_path: Path) -> None:
    where = address(cover(tmp_path, visibility="private"))
    factories.user("otto")
    assert client.get(where).status_code == 404
    client.force_login(factories.user("otto"))
    assert client.get(where).status_code == 404
    client.force_login(factories.user("mara"))
    response = client.get(where)
    assert response.status_code == 200
    assert response["Cache-Control"] == "private, no-store"
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(
    "where", ["/media/" + "0" * 64 + ".png", "/media/x.png", "/media/" + "0" * 64 + ".svg"]
)
def test_what_is_no_picture_of_ours_is_not_found(client: Client, where: str) -> None:
    assert client.get(where, headers={"accept": "application/json"}).status_code == 404


def test_stored_bytes_that_no_picture_names_cannot_be_asked_for(client: Client) -> None:
    version = factories.published("mara", "moss-glow").versions.get()
    where = media.address(version.tensors_id or "", "image/png")
    assert client.get(where, headers={"accept": "application/json"}).status_code == 404


def test_another_app_may_own_pictures(monkeypatch: Any, tmp_path: Path) -> None:
    asked: list[tuple[Viewer, str]] = []

    def source(viewer: Viewer, *, sha256: str) -> media.Picture | None:
        asked.append((viewer, sha256))
        return media.Picture(sha256, 5, "image/png", is_public=False)

    monkeypatch.setattr(media, "_sources", [])
    media.add_source(source)
    media.add_source(source)
    viewer = factories.viewer("mara")
    assert media.find(viewer, sha256="a" * 64).path == "a" * 64 + ".png"
    assert asked == [(viewer, "a" * 64)]
