"""Full-text indexes over `hub_searchtext`, kept by the database itself: FTS5 on SQLite, tsvector on Postgres."""

from typing import Any

from django.db import migrations

COLUMNS = ("word", "tags", "summary", "body")
WORDS = (
    "hub_search_words",
    COLUMNS,
    "tokenize='unicode61 remove_diacritics 2', prefix='2 3'",
)
PARTS = ("hub_search_parts", ("word",), "tokenize='trigram'")

POSTGRES = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    (
        "ALTER TABLE hub_searchtext ADD COLUMN vector tsvector GENERATED ALWAYS AS ("
        "setweight(to_tsvector('simple', word), 'A') || setweight(to_tsvector('simple', tags), 'B') || "
        "setweight(to_tsvector('simple', summary), 'C') || setweight(to_tsvector('simple', body), 'D')) STORED"
    ),
    "CREATE INDEX search_vector ON hub_searchtext USING gin (vector)",
    "CREATE INDEX search_parts ON hub_searchtext USING gin (word gin_trgm_ops)",
)


def sqlite_statements(table: str, columns: tuple[str, ...], options: str) -> list[str]:
    """One external-content FTS5 table and the three triggers that follow its content."""
    names = ", ".join(columns)
    old = ", ".join(f"old.{column}" for column in columns)
    new = ", ".join(f"new.{column}" for column in columns)
    leave = f"INSERT INTO {table}({table}, rowid, {names}) VALUES ('delete', old.embedding_id, {old});"  # noqa: S608  # names of this module
    enter = f"INSERT INTO {table}(rowid, {names}) VALUES (new.embedding_id, {new});"  # noqa: S608  # the same
    return [
        (
            f"CREATE VIRTUAL TABLE {table} USING fts5({names}, content='hub_searchtext', "
            f"content_rowid='embedding_id', {options})"
        ),
        f"CREATE TRIGGER {table}_insert AFTER INSERT ON hub_searchtext BEGIN {enter} END",
        f"CREATE TRIGGER {table}_delete AFTER DELETE ON hub_searchtext BEGIN {leave} END",
        f"CREATE TRIGGER {table}_update AFTER UPDATE ON hub_searchtext BEGIN {leave} {enter} END",
    ]


def create(apps: Any, schema_editor: Any) -> None:
    """Create the indexes."""
    sqlite = [statement for table in (WORDS, PARTS) for statement in sqlite_statements(*table)]
    for statement in POSTGRES if schema_editor.connection.vendor == "postgresql" else sqlite:
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE hub_searchtext DROP COLUMN vector", params=None)
        schema_editor.execute("DROP INDEX search_parts", params=None)
        return
    for table, _, _ in (WORDS, PARTS):
        for event in ("insert", "delete", "update"):
            schema_editor.execute(f"DROP TRIGGER {table}_{event}", params=None)
        schema_editor.execute(f"DROP TABLE {table}", params=None)


class Migration(migrations.Migration):
    dependencies = [("hub", "0002_frozen")]
    operations = [migrations.RunPython(create, drop)]
