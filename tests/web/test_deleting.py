"""Deleting, yanking and hiding on the pages: what may still be done, and what it takes."""

import pytest
from django.utils import timezone

from hub.models import Download, Embedding, Version
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_version_is_deleted_only_after_the_name_is_typed(ada):
    factories.published()
    address = "/ada/moss-dragon/versions/1/delete"
    assert "Type <code>moss-dragon</code>" in ada.get(address).content.decode()
    wrong = ada.post(address, {"name": "moss"})
    assert wrong.status_code == 422 and 'id="id_name_error"' in wrong.content.decode()
    assert Version.objects.get().state == "published"
    assert ada.post(address, {"name": "moss-dragon"})["Location"] == "/ada/moss-dragon"
    assert Version.objects.get().state == "deleted"
    assert "Every version was deleted" in ada.get("/ada/moss-dragon").content.decode()


def test_an_embedding_is_deleted_and_strangers_are_told(ada, stranger):
    factories.published()
    assert ada.post("/ada/moss-dragon/delete", {"name": "moss-dragon"})["Location"] == "/ada"
    assert Embedding.objects.get().deleted_at is not None
    assert stranger.get("/ada/moss-dragon").status_code == 410


def test_what_others_rely_on_is_not_offered_for_deletion_but_for_yanking(ada):
    version = factories.published().head
    Download.objects.create(version=version, day=timezone.now().date(), count=100)
    html = ada.get("/ada/moss-dragon/versions/1/delete").content.decode()
    assert "too late" in html and "/versions/1/yank" in html and "for good" not in html
    refused = ada.post("/ada/moss-dragon/versions/1/delete", {"name": "moss-dragon"})
    assert refused.status_code == 422
    version.refresh_from_db()
    assert version.state == "published"
    assert ada.post("/ada/moss-dragon/delete", {"name": "moss-dragon"}).status_code == 422


@pytest.mark.parametrize("part", ["/delete", "/versions/1/delete"])
def test_nobody_else_deletes_anything(bob, stranger, part):
    factories.published()
    assert bob.post(f"/ada/moss-dragon{part}", {"name": "moss-dragon"}).status_code == 403
    assert stranger.post(f"/ada/moss-dragon{part}", {"name": "moss-dragon"}).status_code in (302, 401)
    assert Version.objects.get().state == "published"


@pytest.mark.parametrize("part", ["/delete", "/versions/1/delete"])
def test_what_is_private_looks_absent_to_those_who_would_delete_it(bob, part):
    factories.published(visibility="private")
    assert bob.get(f"/ada/moss-dragon{part}").status_code == 404


def test_a_name_without_a_version_can_be_given_up(ada):
    factories.draft(factories.embedding())
    assert "/ada/moss-dragon/delete" in ada.get("/ada/moss-dragon").content.decode()
    assert ada.post("/ada/moss-dragon/delete", {"name": "moss-dragon"}).status_code == 302
    assert not Version.objects.exists()


def test_a_yank_without_a_reason_is_refused_beside_the_field(ada):
    factories.published()
    response = ada.post("/ada/moss-dragon/versions/1/yank", {"reason": ""})
    assert response.status_code == 422 and 'id="id_reason_error"' in response.content.decode()


def test_visibility_changes_at_once_for_everybody(ada, stranger):
    factories.published()
    form = {"title": "Moss", "visibility": "private"}
    assert ada.post("/ada/moss-dragon/edit", form).status_code == 302
    assert stranger.get("/ada/moss-dragon").status_code == 404
    ada.post("/ada/moss-dragon/edit", {**form, "visibility": "public"})
    assert stranger.get("/ada/moss-dragon").status_code == 200
