"""Gates on pages: a box in place of the download, what one asked, the owner's settings and answers."""

import pytest
from django.test import Client

from hub.models import AccessRequest, Embedding
from hub.services.embeddings import gating
from tests import factories
from tests.web.conftest import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/ada/moss-dragon"
REQUESTS = f"{PAGE}/requests"
DOWNLOAD = f'href="{PAGE}/resolve/v1/moss-dragon.safetensors"'


@pytest.fixture
def row(db: None) -> Embedding:
    """An embedding behind a gate that ada opens by hand."""
    made = factories.published(family="sd1")
    return gating.set_gate(factories.viewer(), embedding=made, gate="manual", terms="No *likenesses*.")


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status
    return response.content.decode()


def test_a_stranger_sees_all_but_a_way_to_the_files(stranger: Client, row: Embedding) -> None:
    html = text(stranger, PAGE)
    assert 'id="gate"' in html and "No <em>likenesses</em>." in html
    assert "/accounts/login/?next=/ada/moss-dragon%23gate" in html
    assert DOWNLOAD not in html and "?layout=" not in html.split('id="files"')[1]
    assert "/api/download/models/" not in html
    # Names and digests are for everybody.
    assert row.versions.get().files.get(layout="canonical").blob_id in html
    assert '<span class="badge">gated</span>' in text(stranger, "/")


def test_asking_waiting_and_being_let_in(bob: Client, ada: Client, row: Embedding) -> None:
    assert "Ask for access" in text(bob, PAGE)
    refused = bob.post(f"{PAGE}/access", {"message": "For a zine."}, follow=True)
    assert "Agree to the terms" in refused.content.decode() and not AccessRequest.objects.exists()
    asked = bob.post(f"{PAGE}/access", {"agree": "yes", "message": "For a zine."}, follow=True)
    assert "has not answered yet" in asked.content.decode()
    assert "1 waiting" in text(ada, PAGE)
    listed = text(ada, REQUESTS)
    assert "For a zine." in listed and "mailto:bob@example.org" in listed
    answered = ada.post(REQUESTS, {"do": "accept", "person": "bob"}, follow=True)
    assert "bob is let in." in answered.content.decode()
    html = text(bob, PAGE)
    assert DOWNLOAD in html and 'id="gate"' not in html and "You have access since" in html
    assert bob.get(f"{PAGE}/resolve/v1/moss-dragon.safetensors").status_code == 200
    revoked = ada.post(f"{REQUESTS}?state=accepted", {"do": "reject", "person": "bob", "reason": "Not so."})
    assert revoked["Location"] == f"{REQUESTS}?state=accepted"
    html = text(bob, PAGE)
    assert "<q>Not so.</q>" in html and "Ask for access" not in html
    assert "Not so." in text(ada, f"{REQUESTS}?state=rejected")


def test_agreeing_opens_an_auto_gate_at_once_and_it_can_be_given_up(bob: Client, row: Embedding) -> None:
    gating.set_gate(factories.viewer(), embedding=row, gate="auto")
    assert "Agree and get access" in text(bob, PAGE)
    done = bob.post(f"{PAGE}/access", {"agree": "yes"}, follow=True)
    assert "The files are yours to have." in done.content.decode()
    assert DOWNLOAD in text(bob, PAGE)
    bob.post(f"{PAGE}/access", {"do": "withdraw"})
    assert DOWNLOAD not in text(bob, PAGE) and not AccessRequest.objects.exists()


def test_the_owner_sets_the_gate_where_the_details_are(ada: Client, bob: Client) -> None:
    factories.published(family="sd1")
    fields = {"title": "Moss", "summary": "", "card": "", "tags": "", "visibility": "public"}
    assert "Who may have its files" in text(ada, f"{PAGE}/edit")
    sent = ada.post(f"{PAGE}/edit", {**fields, "gate": "manual", "terms": "No likenesses."})
    assert sent.status_code == 302
    row = Embedding.objects.get()
    assert (row.gate, row.gate_terms, row.title) == ("manual", "No likenesses.", "Moss")
    # Whoever does not send it, such as an old form, leaves it as it is.
    ada.post(f"{PAGE}/edit", fields)
    assert Embedding.objects.get().gate == "manual"
    wrong = ada.post(f"{PAGE}/edit", {**fields, "gate": "shut", "terms": ""})
    assert wrong.status_code == 422 and Embedding.objects.get().gate == "manual"
    assert bob.get(f"{PAGE}/edit").status_code == 403


def test_writers_of_a_team_neither_set_the_gate_nor_answer(row: Embedding) -> None:
    team = factories.team(wes="writer")
    made = factories.published(name="fern-glow", team=team)
    gating.set_gate(factories.viewer(), embedding=made, gate="manual")
    wes, ada = signed_in("wes"), signed_in("ada")
    assert "Who may have its files" not in text(wes, "/fern-house/fern-glow/edit")
    assert wes.get("/fern-house/fern-glow/requests").status_code == 403
    html = text(wes, "/fern-house/fern-glow")
    assert 'id="gate"' not in html and "resolve/v1/fern-glow.safetensors" in html
    assert ada.get("/fern-house/fern-glow/requests").status_code == 200


def test_the_owner_lets_somebody_in_unasked(ada: Client, bob: Client, row: Embedding) -> None:
    done = ada.post(REQUESTS, {"do": "grant", "person": "bob"}, follow=True)
    assert "bob is let in." in done.content.decode() and DOWNLOAD in text(bob, PAGE)
    for name, why in (("bob", "may have these files already"), ("nobody", "no person of this name")):
        wrong = ada.post(REQUESTS, {"do": "grant", "person": name})
        assert wrong.status_code == 422 and why in wrong.content.decode()


def test_requests_are_for_the_owner_alone(stranger: Client, bob: Client, ada: Client, row: Embedding) -> None:
    gating.ask(factories.viewer("cara"), embedding=row, agrees=True)
    assert stranger.get(REQUESTS)["Location"].startswith("/accounts/login/")
    assert b"cara" not in bob.get(REQUESTS).content and bob.get(REQUESTS).status_code == 403
    assert bob.post(REQUESTS, {"do": "accept", "person": "cara"}).status_code == 403
    assert ada.post(REQUESTS, {"do": "open", "person": "cara"}).status_code == 400
    assert ada.post(REQUESTS, {"do": "accept", "person": "bob"}).status_code == 404
    assert ada.get(f"{REQUESTS}?state=none").status_code == 400


def test_requests_come_in_pages_with_as_many_queries(
    ada: Client, row: Embedding, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries
) -> None:
    monkeypatch.setattr("hub.catalog.gates.PAGE_SIZE", 2)
    for name in ("bob", "cara", "dora"):
        gating.ask(factories.viewer(name), embedding=row, agrees=True)
    with django_assert_max_num_queries(14):
        first = text(ada, REQUESTS)
    assert "Page 1 of 2" in first and "dora" in first and "bob" not in first
    assert "bob" in text(ada, f"{REQUESTS}?page=2")


def test_what_waits_is_counted_in_the_menu_and_listed_with_what_one_asked(
    ada: Client, bob: Client, row: Embedding
) -> None:
    assert "Gated words</strong>" not in text(ada, "/")
    gating.ask(factories.viewer("bob"), embedding=row, agrees=True)
    assert "<strong>Gated words</strong>: 1 request" in text(ada, "/")
    assert f'href="{REQUESTS}"' in text(ada, "/settings/access")
    mine = text(bob, "/settings/access")
    assert "waits for its owner" in mine and "you shared bob@example.org" in mine and REQUESTS not in mine
    Embedding.objects.update(visibility="private")
    assert "moss-dragon" not in text(bob, "/settings/access")
    gating.set_gate(factories.viewer(), embedding=row, gate="off")
    assert "Gated words</strong>" not in text(ada, "/")


def test_whoever_follows_a_download_without_access_is_led_to_the_page(bob: Client, row: Embedding) -> None:
    html = text(bob, f"{PAGE}/versions/1?layout=onetrainer", 403)
    assert "ask its owner for access" in html and 'href="http://testserver/ada/moss-dragon#gate"' in html
