"""Pulls do not wait for their counts: these are gathered, written together, and kept until they are written."""

from typing import Any

import pytest
from django.db import DatabaseError
from pytest_django import DjangoAssertNumQueries

from hub.models import Download
from hub.services.upkeep import counting
from tests import factories, kill
from tests.parts.worker import eventually

GATHER = """
import sys
from hub.services.upkeep import counting
for _ in range(3):
    counting.tally.add(int(sys.argv[1]))
print("left")
"""


def stored(name: str = "moss-dragon") -> int:
    """The id of a published file."""
    return factories.published("ada", name).versions.get().files.get(layout="canonical").pk


def counts() -> list[int]:
    """Pulls of each version and day."""
    return sorted(Download.objects.values_list("count", flat=True))


@pytest.mark.django_db
def test_pulls_wait_and_are_written_together(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    first, second = stored("moss-dragon"), stored("fog-dragon")
    with django_assert_num_queries(0):
        for _ in range(20):
            counting.tally.add(first)
        counting.tally.add(second)
    counting.tally.write()
    assert counts() == [1, 20]
    with django_assert_num_queries(0):
        counting.tally.write()


@pytest.mark.django_db
def test_pulls_of_what_is_gone_are_dropped_and_the_others_counted() -> None:
    counting.tally.add(0)
    counting.tally.add(stored())
    counting.tally.write()
    assert counts() == [1]


@pytest.mark.django_db
def test_counts_wait_for_a_database_that_is_out(monkeypatch: Any) -> None:
    file, write = stored(), counting.count_downloads

    def full(pulls: Any) -> None:
        raise DatabaseError("database or disk is full")

    monkeypatch.setattr(counting, "count_downloads", full)
    counting.tally.add(file)
    counting.tally.write()
    counting.tally.add(file)
    assert counts() == []
    monkeypatch.setattr(counting, "count_downloads", write)
    counting.tally.write()
    assert counts() == [2]


@pytest.mark.django_db(transaction=True)
def test_counts_are_written_by_themselves_in_time() -> None:
    tally = counting.Tally(0.1)
    tally.add(stored())
    eventually(lambda: counts() == [1])


@pytest.mark.django_db(transaction=True)
def test_a_process_that_ends_writes_what_it_counted() -> None:
    assert kill.run(GATHER, str(stored())).stdout.strip() == "left"
    assert counts() == [3]
