"""Access tokens: their form, what they may do, and when they stop."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from hub.errors import Conflict, Forbidden, NotFound, Unacceptable, Unauthenticated
from hub.models import AccessToken, User
from hub.services.people import tokens
from tests import factories

pytestmark = pytest.mark.django_db


def refusal(secret: str) -> str:
    """Why this secret is nobody's."""
    with pytest.raises(Unauthenticated) as error:
        tokens.viewer_for(secret)
    return error.value.code


def test_a_token_has_the_form_that_scanners_look_for_and_only_its_digest_is_kept() -> None:
    token, secret = factories.token()
    assert re.fullmatch(r"glossa_[0-9A-Za-z]{46}", secret)
    assert token.prefix == secret[:11]
    assert token.digest == hashlib.sha256(secret.encode()).hexdigest()
    row = AccessToken.objects.values().get()
    assert secret not in str(row) and secret[11:] not in str(row)


def test_a_token_is_its_owner_with_its_scopes_and_remembers_the_day() -> None:
    token, secret = factories.token(scopes=["publish", "read"])
    viewer = tokens.viewer_for(secret)
    assert viewer.name == "ada" and viewer.token == token
    assert viewer.has_scope("read") and viewer.has_scope("publish") and not viewer.has_scope("manage")
    token.refresh_from_db()
    assert token.scopes == ["read", "publish"]
    assert token.last_used_on == timezone.now().date()


def test_a_mistyped_token_is_refused_without_a_question_to_the_database(
    django_assert_num_queries: object,
) -> None:
    _, secret = factories.token()
    typo = secret[:20] + ("x" if secret[20] != "x" else "y") + secret[21:]
    with django_assert_num_queries(0):  # type: ignore[operator]  # pytest-django's fixture
        assert refusal(typo) == "not_authenticated"
        assert refusal("hf_something_else") == "not_authenticated"
        assert refusal("") == "not_authenticated"


def test_a_revoked_expired_or_frozen_token_stops_at_once() -> None:
    token, secret = factories.token()
    tokens.revoke(factories.viewer(), token=token)
    tokens.revoke(factories.viewer(), token=token)
    assert refusal(secret) == "token_revoked"
    token, secret = factories.token()
    AccessToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refusal(secret) == "token_expired"
    _, secret = factories.token()
    User.objects.update(is_active=False)
    assert refusal(secret) == "token_revoked"


def test_nobody_ends_the_token_of_another() -> None:
    token, secret = factories.token()
    with pytest.raises(NotFound):
        tokens.revoke(factories.viewer("bob"), token=token)
    assert tokens.viewer_for(secret).name == "ada"


def test_a_token_cannot_make_or_end_tokens() -> None:
    viewer = factories.token_viewer(scopes=list(tokens.SCOPES))
    with pytest.raises(Forbidden) as error:
        tokens.create(viewer, name="more", scopes=["read"])
    assert error.value.code == "session_required"
    with pytest.raises(Forbidden):
        tokens.revoke(viewer, token=AccessToken.objects.get())


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["read", "root"]}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 367}, "days"),
        ({"days": None}, "days"),
    ],
)
def test_a_bad_form_makes_no_token(form: dict[str, object], field: str) -> None:
    with pytest.raises(Unacceptable) as error:
        tokens.create(factories.viewer(), **{"name": "laptop", "scopes": ["read"], **form})
    assert error.value.field == field
    assert not AccessToken.objects.exists()


def test_fifty_tokens_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    first, _ = factories.token()
    factories.token()
    with pytest.raises(Conflict):
        factories.token()
    tokens.revoke(factories.viewer(), token=first)
    factories.token()


def test_a_token_never_carries_the_power_of_a_moderator() -> None:
    factories.moderator("mod")
    viewer = factories.token_viewer("mod", scopes=list(tokens.SCOPES))
    assert not viewer.is_moderator
