"""What is frozen is held by the database itself: raw SQL past all of our code is refused."""

import importlib

import pytest
from django.db import IntegrityError, connection, transaction

from hub.models import AuditEntry, Blob, Commit, Embedding, File, Owner, Version
from hub.services.versions import publishing
from tests import factories

pytestmark = pytest.mark.django_db

MIGRATION = importlib.import_module("hub.migrations.0002_frozen")
DIGESTS = importlib.import_module("hub.migrations.0007_digests")


def refused(sql: str, *values: object) -> bool:
    """Whether the database refuses this statement."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, values)
    except IntegrityError:
        return True
    return False


def test_every_rule_has_its_trigger() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'frozen_%%'"
            if connection.vendor == "postgresql"
            else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'frozen_%%'",
            [],
        )
        found = {name for (name,) in cursor.fetchall()}
    assert found == {f"frozen_{rule.name}" for rule in (*MIGRATION.RULES, *DIGESTS.RULES)}


@pytest.mark.parametrize("column", MIGRATION.VERSION_COLUMNS)
def test_no_fact_of_a_published_version_changes(column: str) -> None:
    version = factories.version()
    values = {
        "embedding_id": factories.embedding(name="other").pk,
        "base_model_id": factories.base_model().pk,
    }
    values |= {"run_key": "0" * 32, "created_at": "2001-01-01", "published_at": "2001-01-01"}
    values |= {"number": 9, "vectors": 9, "encoders": "[1]", "warnings": "[1]", "provenance": '{"a": 1}'}
    value = values.get(column, "changed")
    assert refused(f'UPDATE hub_version SET "{column}" = %s WHERE id = %s', value, version.pk)


def test_a_draft_changes_freely() -> None:
    draft = factories.draft()
    assert not refused("UPDATE hub_version SET licence = 'mit' WHERE id = %s", draft.pk)


def test_state_label_sheet_and_insights_of_a_version_may_change() -> None:
    version = factories.version()
    version.label, version.insights, version.sheet_state = "spring", {"intact": True}, "done"
    version.save()
    assert not refused(
        "UPDATE hub_version SET state = 'yanked', state_reason = 'why' WHERE id = %s", version.pk
    )


def test_a_version_goes_neither_away_nor_back_to_a_draft() -> None:
    version = factories.version()
    assert refused("UPDATE hub_version SET state = 'draft' WHERE id = %s", version.pk)
    assert refused("DELETE FROM hub_version WHERE id = %s", version.pk)
    assert not refused("UPDATE hub_version SET state = 'deleted' WHERE id = %s", version.pk)
    assert refused("UPDATE hub_version SET state = 'published' WHERE id = %s", version.pk)


def test_tensors_are_let_go_only_after_deletion() -> None:
    version = factories.version()
    sql = "UPDATE hub_version SET tensors_id = %s WHERE id = %s"
    other = factories.draft(version.embedding).tensors_id
    assert refused(sql, other, version.pk)
    assert refused(sql, None, version.pk)
    Version.objects.filter(pk=version.pk).update(state="deleted")
    assert refused(sql, other, version.pk)
    assert not refused(sql, None, version.pk)


def test_files_of_a_version_are_neither_added_nor_changed_nor_removed() -> None:
    version = factories.version()
    file = version.files.first()
    assert file is not None
    insert = "INSERT INTO hub_file (version_id, path, layout, blob_id) VALUES (%s, 'x.safetensors', 'x', %s)"
    assert refused(insert, version.pk, file.blob_id)
    assert refused("UPDATE hub_file SET path = 'x' WHERE id = %s", file.pk)
    assert refused("DELETE FROM hub_file WHERE id = %s", file.pk)
    Version.objects.filter(pk=version.pk).update(state="deleted")
    assert not refused("DELETE FROM hub_file WHERE id = %s", file.pk)
    assert File.objects.count() == 1


def test_commits_are_frozen() -> None:
    commit = factories.version().embedding.commits.latest("sequence")
    for column, value in [
        ("sha", "0" * 40),
        ("parent", ""),
        ("sequence", 9),
        ("message", "x"),
        ("readme_id", None),
    ]:
        assert refused(f"UPDATE hub_commit SET {column} = %s WHERE id = %s", value, commit.pk)
    assert refused("DELETE FROM hub_commit WHERE id = %s", commit.pk)
    assert not refused("UPDATE hub_commit SET created_by_id = NULL WHERE id = %s", commit.pk)
    assert Commit.objects.filter(pk=commit.pk).exists()


def test_an_embedding_keeps_its_id_and_counts_versions_upwards_only() -> None:
    embedding = factories.published()
    assert refused("UPDATE hub_embedding SET public_id = %s WHERE id = %s", "0" * 32, embedding.pk)
    assert refused("UPDATE hub_embedding SET last_number = 0 WHERE id = %s", embedding.pk)
    assert refused("DELETE FROM hub_embedding WHERE id = %s", embedding.pk)
    assert Embedding.objects.filter(pk=embedding.pk).exists()


def test_a_number_is_used_once_even_after_its_version_was_deleted() -> None:
    embedding = factories.published()
    first = embedding.versions.get()
    publishing.delete_version(factories.viewer(), version=first)
    second = factories.version(embedding)
    assert second.number == 2


def test_names_blobs_and_the_audit_log_stay() -> None:
    version = factories.version()
    assert refused("DELETE FROM hub_owner WHERE id = %s", version.embedding.owner_id)
    assert refused("UPDATE hub_blob SET size = 1 WHERE sha256 = %s", version.tensors_id)
    assert refused("UPDATE hub_auditentry SET actor = 'eve'")
    assert refused("DELETE FROM hub_auditentry")
    assert Owner.objects.count() == 1 and Blob.objects.exists() and AuditEntry.objects.exists()


def test_digests_are_written_with_a_version_and_kept_for_ever() -> None:
    version, draft = factories.version(), factories.draft(factories.embedding(name="other"))
    insert = "INSERT INTO hub_digest (version_id, path, kind, value) VALUES (%s, 'x', 'blake3', 'ab')"
    assert refused(insert, version.pk)
    assert not refused(insert, draft.pk)
    assert refused("UPDATE hub_digest SET value = 'ab' WHERE version_id = %s", version.pk)
    assert refused("DELETE FROM hub_digest WHERE version_id = %s", version.pk)
    assert not refused("DELETE FROM hub_digest WHERE version_id = %s", draft.pk)
    publishing.delete_version(factories.viewer(), version=version)
    assert refused("DELETE FROM hub_digest WHERE version_id = %s", version.pk)
    assert version.digests.filter(path="", kind="sha256").exists()
