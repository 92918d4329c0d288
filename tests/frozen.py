"""Lets the suite empty a database whose triggers let nothing go: they are lifted while Django flushes it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase


@contextmanager
def flush_allowed() -> Iterator[None]:
    """Without the freezing triggers on SQLite; Postgres truncates, which they do not see."""
    if connection.vendor != "sqlite":
        yield
        return
    question = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'frozen_%'"
    with connection.cursor() as cursor:
        triggers = cursor.execute(question).fetchall()
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            for _, sql in triggers:
                cursor.execute(sql)


@pytest.fixture(autouse=True, scope="session")
def _flush_is_possible() -> Iterator[None]:
    """Every test that commits for real is cleaned up by Django's flush."""
    tear_down = TransactionTestCase._fixture_teardown

    def lifted(case: TransactionTestCase) -> None:
        with flush_allowed():
            tear_down(case)

    TransactionTestCase._fixture_teardown = lifted  # type: ignore[method-assign]  # the suite's own clean-up
    yield
    TransactionTestCase._fixture_teardown = tear_down  # type: ignore[method-assign]  # as it was
