"""Standing questions: Django puts their SQL together once in a process, and each call sends it with its own values.

For what is asked with every pull: compiling costs thirty times what the database takes to answer.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Row = tuple[Any, ...]


class Standing:
    """A question for one row of plain numbers and texts, which depends on nothing but its values.

    `put` makes a `values_list` of one row at most out of values; `samples` are values of the right types, each of
    which stands nowhere else in the question: where they are in its SQL, those of a call are sent instead.
    """

    def __init__(self, put: Callable[..., QuerySet[Any, Any]], *samples: int | str) -> None:
        self._put = put
        self._samples = samples
        self._compiled = cache(self._compile)

    def ask(self, *values: int | str) -> Row | None:
        """The row for these values, None where there is none."""
        sql, parameters = self._compiled(connection.vendor)
        sent = [values[place] if place is not None else own for place, own in parameters]
        with connection.cursor() as cursor:
            cursor.execute(sql, sent)
            row: Row | None = cursor.fetchone()
        return row

    def _compile(self, vendor: str) -> tuple[str, list[tuple[int | None, Any]]]:
        rows = self._put(*self._samples)
        sql, parameters = rows.query.get_compiler(connection=connection).as_sql()
        places = {sample: place for place, sample in enumerate(self._samples)}
        found = [(places.get(own), own) for own in parameters]
        assert {place for place, _ in found} >= set(places.values()), sql
        return sql, found
