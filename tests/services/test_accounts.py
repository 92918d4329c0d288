"""People and names: who may be called what, and one-time ways in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from hub.errors import Conflict, Unacceptable, Unauthenticated
from hub.models import Owner, SignInLink, User
from hub.services.embeddings import names
from hub.services.people import accounts
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_person_gets_the_owner_of_the_same_name() -> None:
    user = accounts.create_user(name="Ada", email="ada@example.org", password="correct horse battery")
    assert user.username == user.owner.name == "ada"
    assert user.check_password("correct horse battery")
    assert not accounts.create_user(name="bob").has_usable_password()


@pytest.mark.parametrize("name", ["ada", "ADA", "a.d-a", "a_da"])
def test_a_name_is_taken_with_everything_that_looks_like_it(name: str) -> None:
    factories.user("ada")
    with pytest.raises(Conflict) as refusal:
        accounts.create_user(name=name)
    assert refusal.value.code == ("name_taken" if name.lower() == "ada" else "name_too_similar")
    assert User.objects.count() == Owner.objects.count() == 1


@pytest.mark.parametrize("name", ["models", "api", "train", "con", "settings", "me"])
def test_words_that_the_hub_or_its_clients_need_are_nobodys_name(name: str) -> None:
    with pytest.raises(Unacceptable) as refusal:
        accounts.create_user(name=name)
    assert refusal.value.code == "name_reserved"


@pytest.mark.parametrize("name", ["", "-a", "a-", "a..b", "a--b", "a b", "ä", "x.git", "a" * 97, "a/b", ".a"])
def test_only_slugs_are_names(name: str) -> None:
    with pytest.raises(Unacceptable) as refusal:
        names.check_name(name)
    assert refusal.value.detail["rule"] == "N1"


@pytest.mark.parametrize(
    ("one", "other"),
    [("rnoss", "moss"), ("vvave", "wave"), ("g1ossa", "glossa"), ("0range", "orange"), ("m.o_s-s", "moss")],
)
def test_names_that_people_mistake_share_a_key(one: str, other: str) -> None:
    assert names.look_alike(one) == names.look_alike(other)


def test_a_link_signs_in_once() -> None:
    user = factories.user()
    token = accounts.one_time_link(user)
    assert accounts.user_for_link(token) == user
    with pytest.raises(Unauthenticated) as refusal:
        accounts.user_for_link(token)
    assert refusal.value.code == "link_expired"
    assert token not in str(SignInLink.objects.values().get())


def test_a_link_lives_for_a_day() -> None:
    token = accounts.one_time_link(factories.user())
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        accounts.user_for_link(token)
    with pytest.raises(Unauthenticated):
        accounts.user_for_link("made up")


def test_a_frozen_person_has_no_way_in() -> None:
    user = factories.user()
    token = accounts.one_time_link(user)
    User.objects.update(is_active=False)
    with pytest.raises(Unauthenticated):
        accounts.user_for_link(token)


def test_no_owner_can_stand_in_the_way_of_an_address_of_the_hub() -> None:
    def first_segments(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if "/" not in path and isinstance(pattern, URLResolver):
                yield from first_segments(pattern.url_patterns, path)
            else:
                yield path.removeprefix("^").split("/")[0].rstrip("$")

    segments = {segment for segment in first_segments(get_resolver().url_patterns) if "<" not in segment}
    assert {"train", "accounts"} <= segments
    assert segments - names.RESERVED - {""} == set()


def test_passwords_are_hashed_by_argon2() -> None:
    from hub import settings as of_the_site  # those of this process hash cheaply

    assert of_the_site.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
