"""Looking things up on the home page."""

import pytest
from django.test import Client

from hub.models import Embedding
from tests import factories

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_hub_invites_to_train_or_publish(stranger):
    html = page(stranger, "/")
    assert "Train a word" in html and "Publish a file" in html


def test_home_shows_headword_and_kind_of_what_is_published(stranger):
    factories.published(name="moss-dragon", kind="object")
    html = page(stranger, "/")
    assert '<a href="/ada/moss-dragon">moss-dragon</a> <span class="pos">object</span>' in html


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_home_and_search_do_not_show_what_is_not_public(stranger, visibility):
    factories.published(name="moss-dragon", visibility=visibility)
    assert "moss-dragon" not in page(stranger, "/")
    assert "/ada/moss-dragon" not in page(stranger, "/?q=moss-dragon")


def test_search_finds_a_word_and_says_so_when_there_is_none(stranger):
    factories.published(name="moss-dragon")
    factories.published(name="ring-ripple")
    html = page(stranger, "/?q=ring-ripple")
    assert "/ada/ring-ripple" in html and "/ada/moss-dragon" not in html
    assert "No such word here" in page(stranger, "/?q=xyzzyx")


def test_facets_narrow_down_and_lead_back(stranger):
    factories.published(name="moss-dragon", kind="object")
    factories.published(name="ring-ripple", kind="style")
    assert 'href="?kind=object"' in page(stranger, "/")
    html = page(stranger, "/?kind=object")
    assert "/ada/moss-dragon" in html and "/ada/ring-ripple" not in html
    assert 'href="?" aria-current="true"' in html


def test_an_alphabetical_page_has_its_guide_words(stranger):
    factories.published(name="ring-ripple")
    factories.published(name="moss-dragon")
    assert "<span>Moss Dragon</span><span>Ring Ripple</span>" in page(stranger, "/?sort=name")


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=99999999", "sort=upwards", "kind=%00", "q=%22%27%28"]
)
def test_nonsense_in_the_address_is_no_error(stranger, query):
    factories.published()
    assert stranger.get(f"/?{query}").status_code == 200


def test_queries_do_not_grow_with_the_number_of_entries(stranger, django_assert_max_num_queries):
    for number in range(3):
        factories.published(name=f"word-{number}x")
    stranger.get("/")
    with django_assert_max_num_queries(30) as few:
        stranger.get("/")
    for number in range(3, 9):
        factories.published(name=f"word-{number}x")
    with django_assert_max_num_queries(len(few.captured_queries)):
        stranger.get("/")


def test_a_profile_shows_hidden_things_to_its_owner_alone(ada, bob):
    factories.published(name="moss-dragon")
    factories.published(name="ring-ripple", visibility="private")
    assert "/ada/ring-ripple" in page(ada, "/ada")
    assert "/ada/ring-ripple" not in page(bob, "/ada")
    assert Embedding.objects.count() == 2


def test_an_unknown_name_is_a_designed_404(stranger):
    response = stranger.get("/nobody-here")
    assert response.status_code == 404
    assert "No such entry" in response.content.decode()
