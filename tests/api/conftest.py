"""Callers of the native API: by token and by session."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.internal.flows.login import record_authentication
from django.test import Client, RequestFactory

from tests import factories

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
