"""Browsers without a screen: a stranger, the publisher, and somebody else."""

import pytest
from django.test import Client

from tests import factories


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(factories.user(name), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def stranger() -> Client:
    """Nobody in particular."""
    return Client()


@pytest.fixture
def ada(db: None) -> Client:
    """The publisher's browser."""
    return signed_in("ada")


@pytest.fixture
def bob(db: None) -> Client:
    """Somebody else's browser."""
    return signed_in("bob")
