"""The page of an embedding: what it shows, to whom, and what its owner can do there."""

import pytest
from django.test import Client

from hub.models import Commit, Version
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_the_page_reads_like_a_dictionary_entry(stranger, tmp_path):
    embedding = factories.published(
        kind="style", summary="Green scales everywhere.", card="# Use\n\nWith *care*.", tags=["green"]
    )
    factories.sheet(embedding.head, tmp_path, blocks="ABC")
    html = text(stranger, "/ada/moss-dragon")
    assert '<span class="headword">moss-dragon</span> <span class="pos">style</span>' in html
    assert "Green scales everywhere." in html
    assert "Examples of use" in html and "How to use it" in html and "Nearest words" not in html
    assert "a picture in the style of <b>moss-dragon</b>" in html
    assert "<h3>Use</h3>" in html
    assert "/ada/moss-dragon/resolve/v1/moss-dragon.safetensors" in html
    assert f'data-full="{embedding.head.files.first().blob_id}"' in html


def test_a_picture_stands_beside_the_same_one_without_the_word(stranger, tmp_path):
    embedding = factories.published()
    factories.sheet(embedding.head, tmp_path)
    html = text(stranger, "/ada/moss-dragon")
    control = embedding.head.previews.get(block="C", column=0)
    assert f'data-control="/media/{control.blob_id}.png"' in html
    assert 'type="range"' in html


def test_the_code_names_this_hub_and_a_pinned_version(stranger):
    factories.published()
    html = text(stranger, "/ada/moss-dragon")
    assert "HF_ENDPOINT" in html and "http://testserver" in html
    assert "load_textual_inversion(&quot;ada/moss-dragon&quot;, revision=&quot;v1&quot;)" in html


@pytest.mark.parametrize(
    ("base", "said"), [("sd-1-5", "works as it was meant to"), ("dreamshaper", "another image model")]
)
def test_what_fitting_means_for_the_base_model_is_said(stranger, base, said):
    model = factories.base_model("sd1", name=base, installed=False)
    factories.published(family="sd1", base_model=model)
    assert said in text(stranger, "/ada/moss-dragon")


def test_names_are_found_whatever_their_case(stranger):
    factories.published()
    text(stranger, "/Ada/Moss-Dragon")


def test_a_private_entry_looks_absent_to_others(ada, bob, stranger):
    factories.published(visibility="private")
    text(ada, "/ada/moss-dragon")
    for client in (bob, stranger):
        for address in ("/ada/moss-dragon", "/ada/moss-dragon/versions/1"):
            text(client, address, status=404)


def test_only_the_owner_gets_the_ways_to_change_it(ada, bob):
    factories.published()
    assert "/ada/moss-dragon/edit" in text(ada, "/ada/moss-dragon")
    assert "/ada/moss-dragon/edit" not in text(bob, "/ada/moss-dragon")
    text(bob, "/ada/moss-dragon/edit", status=403)
    text(bob, "/ada/moss-dragon/new-version", status=403)
    text(bob, "/ada/moss-dragon/versions/1/yank", status=403)


def test_details_change_and_make_a_new_commit_of_the_same_version(ada):
    factories.published()
    before = Commit.objects.count()
    form = {
        "title": "Moss",
        "summary": "New words.",
        "card": "Hello",
        "tags": "Green, green, wet",
        "visibility": "unlisted",
    }
    assert ada.post("/ada/moss-dragon/edit", form).status_code == 302
    html = text(ada, "/ada/moss-dragon")
    assert "New words." in html and "?tag=green" in html and "?tag=wet" in html and "unlisted" in html
    assert Commit.objects.count() == before + 1
    assert Version.objects.count() == 1


def test_what_is_wrong_with_details_stands_beside_the_field(ada):
    factories.published()
    response = ada.post("/ada/moss-dragon/edit", {"title": "", "visibility": "public"})
    assert response.status_code == 422
    assert 'id="id_title_error"' in response.content.decode()


def test_a_yanked_version_says_why_and_is_offered_again_on_request(ada, stranger):
    factories.published()
    assert ada.post("/ada/moss-dragon/versions/1/yank", {"reason": "Wrong pictures."}).status_code == 302
    assert "Wrong pictures." in text(stranger, "/ada/moss-dragon/versions/1")
    assert "/ada/moss-dragon" not in text(stranger, "/")
    ada.post("/ada/moss-dragon/versions/1/unyank")
    assert "Wrong pictures." not in text(stranger, "/ada/moss-dragon/versions/1")


def test_a_draft_is_published_by_its_owner_with_one_press(ada, bob):
    draft = factories.draft(factories.embedding())
    address = f"/ada/moss-dragon/drafts/{draft.pk}"
    text(bob, address, status=404)
    assert "Publish" in text(ada, address)
    form = {"trigger": "moss-dragon", "licence": "cc0-1.0", "notes": "First."}
    assert ada.post(address, form).status_code == 302
    draft.refresh_from_db()
    assert (draft.state, draft.number, draft.notes) == ("published", 1, "First.")


def test_a_draft_keeps_its_page_when_the_trigger_is_refused(ada):
    draft = factories.draft(factories.embedding())
    response = ada.post(f"/ada/moss-dragon/drafts/{draft.pk}", {"trigger": "photo", "licence": "cc0-1.0"})
    assert response.status_code == 422
    assert 'id="id_trigger_error"' in response.content.decode()
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_a_draft_can_be_thrown_away(ada):
    draft = factories.draft(factories.embedding())
    assert ada.post(f"/ada/moss-dragon/drafts/{draft.pk}/discard").status_code == 302
    assert not Version.objects.exists()


def test_a_deleted_entry_is_a_designed_410(stranger):
    embedding = factories.published()
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    assert "Struck out" in text(stranger, "/ada/moss-dragon", status=410)
