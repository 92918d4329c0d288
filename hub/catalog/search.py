"""Finding words: one question, answered by FTS5 on SQLite and by tsvector on Postgres.

Every word of the query must begin some word of the text; a query that finds nothing that way is looked for
inside words as well. Text and query are folded alike, so accents, case and punctuation never matter.
"""

import re
import unicodedata
from typing import Protocol

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

    def words(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        return self._match(rows, "hub_search_words", "4, 3, 1, 2", " ".join(f'"{word}"*' for word in words))

    def parts(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        return self._match(rows, "hub_search_parts", "1", " AND ".join(f'"{word}"' for word in words))

    def _match(
        self, rows: QuerySet[Embedding], table: str, weights: str, question: str
    ) -> QuerySet[Embedding]:
        ranked = f"SELECT rowid FROM {table} WHERE {table} MATCH %s"
        rank = f"(SELECT bm25({table}, {weights}) FROM {table} WHERE {table} MATCH %s AND rowid = hub_embedding.id)"
        return rows.filter(pk__in=RawSQL(ranked, [question])).annotate(
            rank=RawSQL(rank, [question], output_field=FloatField())
        )


class _Postgres:
    """A weighted tsvector with a GIN index, and a trigram index over the names."""

    def words(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        question = " & ".join(f"{word}:*" for word in words)
        found = "SELECT embedding_id FROM hub_searchtext WHERE vector @@ to_tsquery('simple', %s)"
        rank = (
            "(SELECT -ts_rank(vector, to_tsquery('simple', %s)) FROM hub_searchtext "
            "WHERE embedding_id = hub_embedding.id)"
        )
        return rows.filter(pk__in=RawSQL(found, [question])).annotate(
            rank=RawSQL(rank, [question], output_field=FloatField())
        )

    def parts(self, rows: QuerySet[Embedding], words: list[str]) -> QuerySet[Embedding]:
        clauses = " AND ".join(["word LIKE %s"] * len(words))
        found = f"SELECT embedding_id FROM hub_searchtext WHERE {clauses}"
        rank = "(SELECT length(word) / 1000.0 FROM hub_searchtext WHERE embedding_id = hub_embedding.id)"
        return rows.filter(pk__in=RawSQL(found, [f"%{word}%" for word in words])).annotate(
            rank=RawSQL(rank, [], output_field=FloatField())
        )
