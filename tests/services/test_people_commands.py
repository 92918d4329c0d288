"""The operator's commands for people and tokens."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.models import User
from hub.services.people import accounts, tokens
from tests import factories

pytestmark = pytest.mark.django_db


def say(*words: str) -> str:
    """What a command prints."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_create_user_reads_the_password_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert say("create_user", "ada", "--staff", "--password-stdin") == "Made ada.\n"
    user = User.objects.get()
    assert user.check_password("correct horse battery") and user.is_staff and user.made_by_operator


def test_create_user_without_a_password_prints_a_way_in() -> None:
    link = say("create_user", "ada").split("/sign-in/")[1].strip()
    assert accounts.user_for_link(link).username == "ada"


@pytest.mark.parametrize(
    "words", [["create_user", "api"], ["create_user", "A B"], ["create_token", "nobody"]]
)
def test_refusals_are_one_line(words: list[Any]) -> None:
    with pytest.raises(CommandError) as error:
        say(*words)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_a_weak_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    with pytest.raises(CommandError):
        say("create_user", "ada", "--password-stdin")
    assert not User.objects.exists()


def test_create_token_prints_the_token_alone() -> None:
    factories.user("ada")
    out = say("create_token", "ada", "--scope", "read", "--scope", "publish")
    assert out.count("\n") == 1
    viewer = tokens.viewer_for(out.strip())
    assert viewer.name == "ada" and viewer.token.scopes == ["read", "publish"]
