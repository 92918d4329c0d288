"""Finding words: one question, answered by FTS5 on SQLite and by tsvector on Postgres.

Every word of the query must begin some word of the text; a query that finds nothing that way is looked for
inside words as well. Text and query are folded alike, so accents, case and punctuation never matter.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from hub.models import Embedding

_WORDS_MAX: Final = 12
_WORD_MAX: Final = 60


@dataclass(frozen=True)
class Index:
    """One way of looking: `found` selects ids, `ranks` ids with their rank (smaller is better); `values` fill both."""

    found: str
    ranks: str
    values: tuple[Any, ...]


def fold(text: str) -> str:
    """Lower case without accents; everything but letters and digits becomes a space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def matching(rows: QuerySet[Embedding], query: str) -> tuple[QuerySet[Embedding], Index | None]:
    """The rows that the query finds, and the way they were found, for `ranks`; all of them and None for no words.

    A query of nothing but signs finds nothing.
    """
    if not query.strip():
        return rows, None
    words = [word[:_WORD_MAX] for word in fold(query).split()[:_WORDS_MAX]]
    if not words:
        return rows.none(), None
    whole, inside = (_postgres if connection.vendor == "postgresql" else _sqlite)(words)
    found = _among(rows, whole)
    if min(len(word) for word in words) < 3 or found.exists():
        return found, whole
    return _among(rows, inside), inside


def ranks(index: Index) -> dict[int, float]:
    """Rank of every embedding that was found this way, seen or not; smaller is better."""
    with connection.cursor() as cursor:
        cursor.execute(index.ranks, index.values)
        return dict(cursor.fetchall())


def _among(rows: QuerySet[Embedding], index: Index) -> QuerySet[Embedding]:
    ids = RawSQL(index.found, index.values)  # noqa: S611  # constants of this module; the user's words are values
    return rows.filter(pk__in=ids)


def _sqlite(words: list[str]) -> tuple[Index, Index]:
    """FTS5: one table over whole words, one over groups of three letters."""
    whole = Index(
        "SELECT rowid FROM hub_search_words WHERE hub_search_words MATCH %s",
        "SELECT rowid, bm25(hub_search_words, 4, 3, 1, 2) FROM hub_search_words WHERE hub_search_words MATCH %s",
        (" ".join(f'"{word}"*' for word in words),),
    )
    inside = Index(
        "SELECT rowid FROM hub_search_parts WHERE hub_search_parts MATCH %s",
        "SELECT rowid, bm25(hub_search_parts) FROM hub_search_parts WHERE hub_search_parts MATCH %s",
        (" AND ".join(f'"{word}"' for word in words),),
    )
    return whole, inside


def _postgres(words: list[str]) -> tuple[Index, Index]:
    """A weighted tsvector with a GIN index, and a trigram index over the names."""
    whole = Index(
        "SELECT s.embedding_id FROM hub_searchtext s, to_tsquery('simple', %s) q WHERE s.vector @@ q",
        "SELECT s.embedding_id, -ts_rank(s.vector, q) FROM hub_searchtext s, to_tsquery('simple', %s) q "
        "WHERE s.vector @@ q",
        (" & ".join(f"{word}:*" for word in words),),
    )
    inside = Index(
        "SELECT embedding_id FROM hub_searchtext WHERE word LIKE ALL(%s)",
        "SELECT embedding_id, length(word) FROM hub_searchtext WHERE word LIKE ALL(%s)",
        ([f"%{word}%" for word in words],),
    )
    return whole, inside
