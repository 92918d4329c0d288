"""Stamps: the database draws an embedding's number anew with every change to what doors tell of it.

On Postgres they are drawn at the end of the transaction, when all its other locks are taken: two writers to one
embedding wait for each other there, and nowhere else. A later migration that makes SQLite rebuild one of these tables
loses its triggers and has to run `create` again; `tests/models/test_stamps.py` notices when one is missing.
"""

from typing import Any, NamedTuple

import django.db.models.deletion
from django.db import migrations, models

OF_VERSION = "SELECT embedding_id FROM hub_version WHERE id = {row}.version_id"
DRAWN = {"sqlite": "random()", "postgresql": "floor(random() * 9007199254740992)::bigint"}


class Rule(NamedTuple):
    """A table whose changes count; `embeddings` is SQL for those that a `{row}` of it belongs to."""

    table: str
    embeddings: str
    events: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE")


# Pulls are written together with the sum in their embedding, so that they need no row here.
RULES = (
    Rule("hub_embedding", "{row}.id", ("UPDATE",)),
    Rule("hub_embedding_tags", "{row}.embedding_id"),
    Rule("hub_version", "{row}.embedding_id"),
    Rule("hub_commit", "{row}.embedding_id"),
    Rule("hub_file", OF_VERSION),
    Rule("hub_digest", OF_VERSION),
    Rule("hub_preview", OF_VERSION),
    Rule("hub_owner", "SELECT id FROM hub_embedding WHERE owner_id = {row}.id", ("UPDATE",)),
    Rule("hub_tag", "SELECT embedding_id FROM hub_embedding_tags WHERE tag_id = {row}.id", ("UPDATE",)),
    Rule("hub_basemodel", "SELECT embedding_id FROM hub_version WHERE base_model_id = {row}.id", ("UPDATE",)),
)  # fmt: skip
FIRST = "INSERT INTO hub_stamp (embedding_id, number) VALUES (NEW.id, {drawn})"


def statements(vendor: str) -> list[str]:
    """The SQL that creates every trigger on this database."""
    first = FIRST.format(drawn=DRAWN[vendor])
    rules = [(rule, event) for rule in RULES for event in rule.events]
    if vendor == "postgresql":
        made = _postgres("first", "hub_embedding", "INSERT", first, waits=False)
        return made + [statement for rule, event in rules for statement in _postgres_rule(rule, event)]
    made = [f"CREATE TRIGGER stamp_first AFTER INSERT ON hub_embedding BEGIN {first}; END"]
    return made + [_sqlite(rule, event) for rule, event in rules]


def _name(rule: Rule, event: str) -> str:
    return f"{rule.table}_{event.lower()}"


def _draw(rule: Rule, event: str, vendor: str) -> str:
    """SQL that draws the number for the row as it was and as it is."""
    rows = {"INSERT": ("NEW",), "DELETE": ("OLD",), "UPDATE": ("OLD", "NEW")}[event]
    update = f"UPDATE hub_stamp SET number = {DRAWN[vendor]} WHERE embedding_id IN"  # noqa: S608  # no values in it
    return "; ".join(f"{update} ({rule.embeddings.format(row=row)})" for row in rows)


def _sqlite(rule: Rule, event: str) -> str:
    body = _draw(rule, event, "sqlite")
    return f"CREATE TRIGGER stamp_{_name(rule, event)} AFTER {event} ON {rule.table} BEGIN {body}; END"


def _postgres_rule(rule: Rule, event: str) -> list[str]:
    body = _draw(rule, event, "postgresql")
    return _postgres(_name(rule, event), rule.table, event, body, waits=True)


def _postgres(name: str, table: str, event: str, body: str, *, waits: bool) -> list[str]:
    kind, when = ("CONSTRAINT TRIGGER", "DEFERRABLE INITIALLY DEFERRED ") if waits else ("TRIGGER", "")
    run = f"BEGIN {body}; RETURN NULL; END"
    return [
        f"CREATE OR REPLACE FUNCTION stamp_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ {run} $$",
        f"CREATE {kind} stamp_{name} AFTER {event} ON {table} {when}FOR EACH ROW EXECUTE FUNCTION stamp_{name}()",
    ]


def create(apps: Any, schema_editor: Any) -> None:
    """Draw a number for every embedding there is, and create every trigger."""
    vendor = schema_editor.connection.vendor
    fill = "INSERT INTO hub_stamp (embedding_id, number) SELECT id, {drawn} FROM hub_embedding"
    for statement in (fill.format(drawn=DRAWN[vendor]), *statements(vendor)):
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    is_postgres = schema_editor.connection.vendor == "postgresql"
    names = [(_name(rule, event), rule.table) for rule in RULES for event in rule.events]
    for name, table in [("first", "hub_embedding"), *names]:
        on = f" ON {table}" if is_postgres else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS stamp_{name}{on}", params=None)


class Migration(migrations.Migration):
    dependencies = [("hub", "0016_cases")]
    operations = [
        migrations.CreateModel(
            name="Stamp",
            fields=[
                (
                    "embedding",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="stamp",
                        serialize=False,
                        to="hub.embedding",
                    ),
                ),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.RunPython(create, drop),
    ]
