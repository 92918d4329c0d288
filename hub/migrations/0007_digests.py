"""Digests of every file and upload, filled from what is stored and then frozen; conversions that were asked for."""

import importlib
from typing import Any

import django.db.models.deletion
from django.db import migrations, models

from hub import blobs
from hub.errors import HubError
from hub.formats.digests import KEPT, digests_of

FROZEN = importlib.import_module("hub.migrations.0002_frozen")
_PUBLISHED = "EXISTS (SELECT 1 FROM hub_version v WHERE v.id = {}.version_id AND v.published_at IS NOT NULL)"

RULES = (
    FROZEN.Rule(
        "digest_insert",
        "INSERT",
        "hub_digest",
        _PUBLISHED.format("NEW"),
        "a published version takes no more digests",
    ),
    FROZEN.Rule("digest_update", "UPDATE", "hub_digest", "1 = 1", "digests are frozen"),
    FROZEN.Rule(
        "digest_delete", "DELETE", "hub_digest", _PUBLISHED.format("OLD"), "digests are kept for ever"
    ),
)


def fill(apps: Any, schema_editor: Any) -> None:
    """The digests of all versions there are; of an upload only the SHA-256 was kept until now."""
    digests = apps.get_model("hub", "Digest")
    for version in apps.get_model("hub", "Version").objects.exclude(source_sha256="").iterator():
        digests.objects.create(version=version, path="", kind="sha256", value=version.source_sha256)
    for file in apps.get_model("hub", "File").objects.select_related("version").iterator():
        for kind, value in _of_blob(file.blob_id).items():
            digests.objects.create(version=file.version, path=file.path, kind=kind, value=value)


def _of_blob(sha256: str) -> dict[str, str]:
    """Every digest of stored bytes; of bytes that are missing the one that names them."""
    try:
        found = digests_of(blobs.read(sha256))
    except HubError:
        return {"sha256": sha256}
    return {kind: found[kind] for kind in KEPT if kind in found}


def freeze(apps: Any, schema_editor: Any) -> None:
    """Create the triggers."""
    vendor = schema_editor.connection.vendor
    for rule in RULES:
        made = FROZEN._postgres(rule) if vendor == "postgresql" else (FROZEN._sqlite(rule),)
        for statement in made:
            schema_editor.execute(statement, params=None)


def thaw(apps: Any, schema_editor: Any) -> None:
    """Drop the triggers."""
    for rule in RULES:
        table = f" ON {rule.table}" if schema_editor.connection.vendor == "postgresql" else ""
        schema_editor.execute(f"DROP TRIGGER IF EXISTS frozen_{rule.name}{table}", params=None)


class Migration(migrations.Migration):
    dependencies = [("hub", "0006_flags")]
    operations = [
        migrations.CreateModel(
            name="Digest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", models.CharField(blank=True, max_length=120)),
                ("kind", models.CharField(max_length=16)),
                ("value", models.CharField(max_length=64)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="digests", to="hub.version"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["value"], name="digest_value")],
                "constraints": [
                    models.UniqueConstraint(fields=("version", "path", "kind"), name="digest_kind_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Conversion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source", models.CharField(max_length=64)),
                ("layout", models.CharField(max_length=32)),
                ("writer", models.CharField(max_length=16)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "blob",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="hub.blob"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="conversions",
                        to="hub.version",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("source", "layout", "writer"), name="conversion_once")
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(freeze, thaw),
    ]
