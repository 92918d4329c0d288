"""Gates: whose files are for those who were let in, and who asked for them."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

COLUMNS: "dict[str, tuple[str, models.Field[Any, Any]]]" = {
    "gate": (
        "varchar(16) NOT NULL DEFAULT 'off'",
        models.CharField(
            choices=[("off", "no gate"), ("auto", "whoever agrees"), ("manual", "whoever is let in")],
            db_default="off",
            default="off",
            max_length=16,
        ),
    ),
    "gate_terms": ("text NOT NULL DEFAULT ''", models.TextField(blank=True, db_default="", default="")),
}


class Migration(migrations.Migration):
    dependencies = [("hub", "0017_stamps")]
    operations = [
        *(
            # Django would build the table anew on SQLite, and lose the triggers that draw its stamps.
            migrations.SeparateDatabaseAndState(
                database_operations=[
                    migrations.RunSQL(
                        f"ALTER TABLE hub_embedding ADD COLUMN {name} {kind}",
                        f"ALTER TABLE hub_embedding DROP COLUMN {name}",
                    )
                ],
                state_operations=[migrations.AddField(model_name="embedding", name=name, field=field)],
            )
            for name, (kind, field) in COLUMNS.items()
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "waiting"), ("accepted", "accepted"), ("rejected", "rejected")],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("message", models.CharField(blank=True, max_length=1000)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("terms", models.TextField(blank=True)),
                ("reason", models.CharField(blank=True, max_length=280)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "embedding",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_requests",
                        to="hub.embedding",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="access_requests",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
                "indexes": [
                    models.Index(fields=["embedding", "state", "-created_at"], name="access_by_state")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("embedding", "user"), name="access_asked_once")
                ],
            },
        ),
    ]
