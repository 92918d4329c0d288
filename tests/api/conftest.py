"""Callers of the native API, by token and by session, and a hub that has something of everything."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client, RequestFactory

from hub import env
from tests import factories
from tests.api.seeded import Seeded, engine
from tests.parts.receiver import receiving

SignIn = Callable[..., Client]


@pytest.fixture
def signed_in(db: None) -> SignIn:
    """A person's browser; `fresh` when the password was given a moment ago. With `csrf` it has to prove its forms."""

    def sign_in(name: str = "ada", *, fresh: bool = True, csrf: bool = False, **fields: Any) -> Client:
        user = factories.user(name, **fields)
        user.set_password(factories.PASSWORD)
        user.save()
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        if fresh:
            request: Any = RequestFactory().get("/")
            request.session, request.user = client.session, user
            record_authentication(request, user, method="password", reauthenticated=True)
            request.session.save()
        return client

    return sign_in


@pytest.fixture
def hub(tmp_path: Path, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Seeded]:
    """A hub with something of everything, whose requests leave the test's connection open."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    with receiving() as receiver, engine(tmp_path, monkeypatch):
        hosts = env.hook_hosts(f"127.0.0.1:{receiver.port} http private")
        monkeypatch.setitem(settings.HUB, "HUB_WEBHOOK_HOSTS", hosts)
        monkeypatch.setitem(settings.HUB, "HUB_EMAIL_URL", "")
        yield Seeded(tmp_path, receiver, signed_in)
    for signal in signals:
        signal.connect(close_old_connections)
