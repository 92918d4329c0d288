"""Finding words: one question, answered by FTS5 on SQLite and by tsvector on Postgres.

Every word of the query must begin some word of the text; a query that finds nothing that way is looked for
inside words as well. Text and query are folded alike, so accents, case and punctuation never matter.
"""

import re
import unicodedata
from typing import Any, Protocol

from django.db import connection
from django.db.models import FloatField, QuerySet, Value
from django.db.models.expressions import RawSQL

from hub.models import Embedding

_WORDS_MAX = 12
_WORD_MAX = 60


class Index(Protocol):
    """What a database has to offer for search."""

    def words(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        """Rows in which each word begins some word, with `rank`: smaller is better."""

    def parts(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        """Rows whose name, title or trigger has every word somewhere inside, with `rank`."""


def fold(text: str) -> str:
    """Lower case without accents; everything but letters and digits becomes a space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def matching(rows: QuerySet[Embedding], query: str) -> QuerySet[Embedding]:
    """The rows that the query finds, annotated with `rank` (smaller is better); all of them for no words.

    A query of nothing but signs finds nothing.
    """
    unranked = rows.annotate(rank=Value(0.0, output_field=FloatField()))
    if not query.strip():
        return unranked
    words = [word[:_WORD_MAX] for word in fold(query).split()[:_WORDS_MAX]]
    if not words:
        return unranked.none()
    index: Index = _Postgres() if connection.vendor == "postgresql" else _Sqlite()
    found = index.words(rows, words)
    if found.exists() or min(len(word) for word in words) < 3:
        return found
    return index.parts(rows, words)


class _Sqlite:
    """FTS5: one table over whole words, one over groups of three letters."""

    WORDS = "SELECT rowid FROM hub_search_words WHERE hub_search_words MATCH %s"
    WORDS_RANK = (
        "(SELECT bm25(hub_search_words, 4, 3, 1, 2) FROM hub_search_words "
        "WHERE hub_search_words MATCH %s AND rowid = hub_embedding.id)"
    )
    PARTS = "SELECT rowid FROM hub_search_parts WHERE hub_search_parts MATCH %s"
    PARTS_RANK = (
        "(SELECT bm25(hub_search_parts) FROM hub_search_parts "
        "WHERE hub_search_parts MATCH %s AND rowid = hub_embedding.id)"
    )

    def words(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        question = " ".join(f'"{word}"*' for word in words)
        return _ranked(rows, self.WORDS, [question], self.WORDS_RANK, [question])

    def parts(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        question = " AND ".join(f'"{word}"' for word in words)
        return _ranked(rows, self.PARTS, [question], self.PARTS_RANK, [question])


class _Postgres:
    """A weighted tsvector with a GIN index, and a trigram index over the names."""

    WORDS = "SELECT embedding_id FROM hub_searchtext WHERE vector @@ to_tsquery('simple', %s)"
    WORDS_RANK = (
        "(SELECT -ts_rank(vector, to_tsquery('simple', %s)) FROM hub_searchtext "
        "WHERE embedding_id = hub_embedding.id)"
    )
    PARTS = "SELECT embedding_id FROM hub_searchtext WHERE word LIKE ALL(%s)"
    PARTS_RANK = "(SELECT length(word) / 1000.0 FROM hub_searchtext WHERE embedding_id = hub_embedding.id)"

    def words(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        question = " & ".join(f"{word}:*" for word in words)
        return _ranked(rows, self.WORDS, [question], self.WORDS_RANK, [question])

    def parts(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        patterns = [f"%{word}%" for word in words]
        return _ranked(rows, self.PARTS, [patterns], self.PARTS_RANK, [])


def _ranked(
    rows: QuerySet[Embedding], found: str, values: list[Any], rank: str, rank_values: list[Any]
) -> QuerySet[Embedding]:
    """Rows among those that one statement finds, with the rank that another gives each."""
    among = RawSQL(found, values)  # noqa: S611  # constants of this module; the user's words are values
    score = RawSQL(rank, rank_values, output_field=FloatField())  # noqa: S611  # the same
    return rows.filter(pk__in=among).annotate(rank=score)
