"""`hf auth login` without a token: a code on the screen, allowed or refused by a person in the browser."""

import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory
from django.utils import timezone

from hub.models import AccessToken, DeviceLogin, User
from hub.services.people import device_login
from tests import factories
from tests.hf.conftest import Hf, hf_command, not_with_the_old_client

GRANT = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}


@pytest.fixture
def mara(client: Client) -> User:
    """A person whose browser `client` is, signed in a moment ago."""
    user = factories.user("mara")
    client.force_login(user)
    request: Any = RequestFactory().get("/")
    request.session, request.user = client.session, user
    record_authentication(request, user, method="password")
    request.session.save()
    return user


def begin(client: Client) -> dict[str, Any]:
    """What a tool is told when it asks."""
    return dict(client.post("/oauth/device", {"client_id": "whatever"}).json())


def poll(client: Client, begun: dict[str, Any]) -> Any:
    """What a tool is told when it asks whether it was allowed."""
    return client.post("/oauth/token", {**GRANT, "device_code": begun["device_code"]})


def answer(client: Client, code: str, button: str, **more: Any) -> Any:
    """Press a button of the page."""
    return client.post(
        "/settings/device", {"code": code, "scopes": ["read", "publish"], button: "yes", **more}
    )


@not_with_the_old_client
@pytest.mark.client
@pytest.mark.django_db(transaction=True)
def test_the_command_waits_for_the_browser_and_is_signed_in(
    client: Client, mara: User, client_environment: dict[str, str], hf: Hf, tmp_path: Path
) -> None:
    command = [hf_command(), "auth", "login", "--format", "human"]
    with subprocess.Popen(
        command, env=client_environment, cwd=tmp_path, text=True, bufsize=1,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as tool:  # fmt: skip
        assert tool.stdout is not None
        said = ""
        try:
            while not (code := re.search(r"enter the code:? ([A-Z]{4}-[A-Z]{4})", said)):
                line = tool.stdout.readline()
                assert line, said
                said += line
            page = client.get(f"/settings/device?code={code[1]}")
            assert page.status_code == 200 and code[1] in page.content.decode()
            assert answer(client, code[1], "allow").status_code == 302
            tool.wait(60)
        finally:
            tool.kill()
    assert tool.returncode == 0
    who = hf("auth", "whoami")
    assert who.returncode == 0 and "mara" in who.stdout
    assert AccessToken.objects.get().scopes == ["read", "publish"]
    assert not DeviceLogin.objects.exists()


@pytest.mark.django_db
class TestAnswers:
    """The words of the standard."""

    def test_a_token_comes_once_it_is_allowed_and_only_once(self, client: Client, mara: User) -> None:
        begun = begin(client)
        assert begun["verification_uri"].endswith("/settings/device")
        assert (poll(client, begun).status_code, poll(client, begun).json()["error"]) == (
            400,
            "authorization_pending",
        )
        assert (
            answer(client, begun["user_code"].lower().replace("-", " "), "allow", scopes=["read"]).status_code
            == 302
        )
        made = poll(client, begun)
        assert made.status_code == 200 and made["Cache-Control"] == "no-store"
        me = client.get("/api/whoami-v2", headers={"authorization": f"Bearer {made.json()['access_token']}"})
        assert me.json()["name"] == "mara"
        assert me.json()["auth"]["accessToken"]["role"] == "read"
        assert poll(client, begun).json()["error"] == "expired_token"

    def test_a_refusal_is_final(self, client: Client, mara: User) -> None:
        begun = begin(client)
        answer(client, begun["user_code"], "refuse")
        assert answer(client, begun["user_code"], "allow").status_code == 422
        assert poll(client, begun).json()["error"] == "access_denied"
        assert not AccessToken.objects.exists()

    def test_a_code_is_good_for_a_quarter_of_an_hour(self, client: Client, mara: User) -> None:
        begun = begin(client)
        DeviceLogin.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert "No tool is waiting" in answer(client, begun["user_code"], "allow").content.decode()
        assert poll(client, begun).json()["error"] == "expired_token"
        begin(client)
        assert DeviceLogin.objects.count() == 1

    def test_wrong_codes_and_scopes_allow_nothing(self, client: Client, mara: User) -> None:
        begun = begin(client)
        for code, scopes in (
            ("BBBB-BBBB", ["read"]),
            (begun["user_code"], []),
            (begun["user_code"], ["all"]),
        ):
            assert answer(client, code, "allow", scopes=scopes).status_code == 422
        assert (
            client.post("/oauth/token", {"grant_type": "password"}).json()["error"]
            == "unsupported_grant_type"
        )
        assert poll(client, {"device_code": "guess"}).json()["error"] == "expired_token"
        assert poll(client, begun).json()["error"] == "authorization_pending"

    def test_neither_strangers_nor_tokens_allow_anything(self, client: Client) -> None:
        begun = begin(client)
        secret = factories.token("mara", scopes=["read", "publish", "manage"])[1]
        assert answer(client, begun["user_code"], "allow").status_code in (302, 401)
        form = {"code": begun["user_code"], "scopes": ["read"], "allow": "yes"}
        asked = client.post("/settings/device", form, headers={"authorization": f"Bearer {secret}"})
        assert asked.status_code == 403
        assert poll(client, begun).json()["error"] == "authorization_pending"

    def test_an_account_that_was_frozen_meanwhile_gets_no_token(self, client: Client, mara: User) -> None:
        code, row = device_login.begin()
        device_login.decide(factories.viewer("mara"), user_code=row.user_code, scopes=["read"], allow=True)
        User.objects.filter(pk=mara.pk).update(is_active=False)
        assert device_login.collect(code) == ("access_denied", "")
