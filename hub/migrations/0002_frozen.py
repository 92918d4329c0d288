"""Triggers that keep what is frozen: the database refuses what the code must never do, on SQLite and Postgres.

A later migration that makes SQLite rebuild one of these tables loses its triggers and has to run `create` again;
`tests/models/test_frozen.py` notices when one is missing.
"""

from typing import Any, NamedTuple

from django.db import migrations

VERSION_COLUMNS = (
    "embedding_id",
    "number",
    "trigger",
    "family",
    "base_model_id",
    "vectors",
    "encoders",
    "licence",
    "notes",
    "tensor_digest",
    "source_name",
    "source_sha256",
    "source_container",
    "source_layout",
    "initializer",
    "warnings",
    "provenance",
    "run_key",
    "created_at",
    "published_at",
)

EMBEDDING_IS_DELETED = (
    "EXISTS (SELECT 1 FROM hub_embedding e WHERE e.id = OLD.embedding_id AND e.deleted_at IS NOT NULL)"
)


class Rule(NamedTuple):
    """One thing that is refused: `when` is SQL over OLD and NEW, `{differs}` the comparison that knows NULL."""

    name: str
    event: str
    table: str
    when: str
    message: str


def changes(*columns: str) -> str:
    """SQL: any of the columns would get another value."""
    return "(" + " OR ".join(f'NEW."{column}" {{differs}} OLD."{column}"' for column in columns) + ")"


RULES = (
    Rule(
        "version_columns",
        "UPDATE",
        "hub_version",
        f"OLD.published_at IS NOT NULL AND {changes(*VERSION_COLUMNS)}",
        "a published version is frozen",
    ),
    Rule(
        "version_tensors",
        "UPDATE",
        "hub_version",
        f"OLD.published_at IS NOT NULL AND {changes('tensors_id')} "
        "AND NOT (NEW.tensors_id IS NULL AND NEW.state IN ('deleted', 'taken_down'))",
        "the tensors of a published version are frozen",
    ),
    Rule(
        "version_state",
        "UPDATE",
        "hub_version",
        "(OLD.published_at IS NOT NULL AND NEW.state IN ('draft', 'checking')) "
        "OR (OLD.state = 'deleted' AND NEW.state <> 'deleted')",
        "a version does not go back to an earlier life",
    ),
    Rule(
        "version_delete",
        "DELETE",
        "hub_version",
        "OLD.published_at IS NOT NULL",
        "a published version stays",
    ),
    Rule(
        "file_insert",
        "INSERT",
        "hub_file",
        "EXISTS (SELECT 1 FROM hub_version v WHERE v.id = NEW.version_id AND v.published_at IS NOT NULL)",
        "a published version takes no more files",
    ),
    Rule("file_update", "UPDATE", "hub_file", "1 = 1", "files are frozen"),
    Rule(
        "file_delete",
        "DELETE",
        "hub_file",
        "NOT EXISTS (SELECT 1 FROM hub_version v WHERE v.id = OLD.version_id "  # noqa: S608  # no values in it
        "AND v.state IN ('deleted', 'taken_down'))",
        "files are frozen",
    ),
    Rule(
        "commit_update",
        "UPDATE",
        "hub_commit",
        changes("embedding_id", "version_id", "sequence", "sha", "parent", "message", "created_at")
        + f" OR ({changes('created_by_id')} AND NEW.created_by_id IS NOT NULL) "
        f"OR ({changes('readme_id')} AND NOT (NEW.readme_id IS NULL AND {EMBEDDING_IS_DELETED}))",
        "commits are frozen",
    ),
    Rule(
        "commit_delete",
        "DELETE",
        "hub_commit",
        "EXISTS (SELECT 1 FROM hub_embedding e WHERE e.id = OLD.embedding_id AND e.last_number > 0)",
        "commits are frozen",
    ),
    Rule(
        "embedding_update",
        "UPDATE",
        "hub_embedding",
        f"{changes('public_id', 'created_at')} OR NEW.last_number < OLD.last_number",
        "an embedding keeps its id, and a version number is used once",
    ),
    Rule(
        "embedding_delete",
        "DELETE",
        "hub_embedding",
        "OLD.last_number > 0",
        "an embedding that had versions stays",
    ),
    Rule(
        "owner_delete",
        "DELETE",
        "hub_owner",
        "1 = 1",
        "a name once given is never given again",
    ),
    Rule(
        "blob_update",
        "UPDATE",
        "hub_blob",
        changes("sha256", "size", "git_sha1"),
        "blobs are frozen",
    ),
    Rule("audit_update", "UPDATE", "hub_auditentry", "1 = 1", "the audit log only grows"),
    Rule("audit_delete", "DELETE", "hub_auditentry", "1 = 1", "the audit log only grows"),
)


def statements(vendor: str) -> list[str]:
    """The SQL that creates every rule on this database."""
    if vendor == "postgresql":
        return [statement for rule in RULES for statement in _postgres(rule)]
    return [_sqlite(rule) for rule in RULES]


def _sqlite(rule: Rule) -> str:
    when = rule.when.format(differs="IS NOT")
    return (
        f"CREATE TRIGGER frozen_{rule.name} BEFORE {rule.event} ON {rule.table} FOR EACH ROW WHEN {when} "
        f"BEGIN SELECT RAISE(ABORT, '{rule.message}'); END"
    )


def _postgres(rule: Rule) -> tuple[str, str]:
    when = rule.when.format(differs="IS DISTINCT FROM")
    back = "OLD" if rule.event == "DELETE" else "NEW"
    function = (
        f"CREATE OR REPLACE FUNCTION frozen_{rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF {when} THEN RAISE EXCEPTION '{rule.message}' USING ERRCODE = '23000'; END IF; "
        f"RETURN {back}; END $$"
    )
    trigger = (
        f"CREATE TRIGGER frozen_{rule.name} BEFORE {rule.event} ON {rule.table} "
        f"FOR EACH ROW EXECUTE FUNCTION frozen_{rule.name}()"
    )
    return function, trigger


def create(apps: Any, schema_editor: Any) -> None:
    """Create every trigger."""
    for statement in statements(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop every trigger."""
    postgres = schema_editor.connection.vendor == "postgresql"
    for rule in RULES:
        table = f" ON {rule.table}" if postgres else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS frozen_{rule.name}{table}", params=None)


class Migration(migrations.Migration):
    dependencies = [("hub", "0001_initial")]
    operations = [migrations.RunPython(create, drop)]
