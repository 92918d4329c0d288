"""Packs, their members and revisions, former names, likes; and the count of likes of an embedding."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0009_kept_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Collection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=96)),
                ("look_alike", models.CharField(max_length=96)),
                ("title", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                (
                    "visibility",
                    models.CharField(
                        choices=[("public", "public"), ("private", "private")],
                        default="public",
                        max_length=16,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "ordering": ["-updated_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="CollectionMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("trigger", models.CharField(max_length=64)),
                ("note", models.CharField(blank=True, max_length=280)),
                ("position", models.PositiveIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["position", "pk"],
            },
        ),
        migrations.CreateModel(
            name="CollectionRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("title", models.CharField(max_length=120)),
                ("description", models.TextField(blank=True)),
                ("members", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="FormerPackName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=96)),
                ("look_alike", models.CharField(max_length=96)),
            ],
        ),
        migrations.CreateModel(
            name="Like",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        # Django would build the table anew on SQLite, and lose the triggers that hold it.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE hub_embedding ADD COLUMN likes bigint NOT NULL DEFAULT 0 CHECK (likes >= 0)",
                    "ALTER TABLE hub_embedding DROP COLUMN likes",
                ),
            ],
            state_operations=[
                migrations.AddField(
                    model_name="embedding",
                    name="likes",
                    field=models.PositiveBigIntegerField(db_default=0, default=0),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="embedding",
            index=models.Index(fields=["-likes"], name="embedding_most_liked"),
        ),
        migrations.AddField(
            model_name="collection",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="collection",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="collections", to="hub.owner"
            ),
        ),
        migrations.AddField(
            model_name="collectionmember",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="members", to="hub.collection"
            ),
        ),
        migrations.AddField(
            model_name="collectionmember",
            name="embedding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="hub.embedding"
            ),
        ),
        migrations.AddField(
            model_name="collectionmember",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="memberships", to="hub.version"
            ),
        ),
        migrations.AddField(
            model_name="collectionrevision",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="revisions", to="hub.collection"
            ),
        ),
        migrations.AddField(
            model_name="formerpackname",
            name="collection",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="former_names", to="hub.collection"
            ),
        ),
        migrations.AddField(
            model_name="formerpackname",
            name="owner",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="hub.owner"
            ),
        ),
        migrations.AddField(
            model_name="like",
            name="embedding",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="liked_by", to="hub.embedding"
            ),
        ),
        migrations.AddField(
            model_name="like",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="likes", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.UniqueConstraint(
                fields=("owner", "name"), name="collection_name_once_per_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="collection",
            constraint=models.UniqueConstraint(
                fields=("owner", "look_alike"), name="collection_look_alike_once_per_owner"
            ),
        ),
        migrations.AddConstraint(
            model_name="collectionmember",
            constraint=models.UniqueConstraint(
                fields=("collection", "embedding"), name="member_embedding_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="collectionmember",
            constraint=models.UniqueConstraint(fields=("collection", "trigger"), name="member_trigger_once"),
        ),
        migrations.AddConstraint(
            model_name="formerpackname",
            constraint=models.UniqueConstraint(fields=("owner", "name"), name="former_pack_name_once"),
        ),
        migrations.AddIndex(
            model_name="like",
            index=models.Index(fields=["user", "-created_at"], name="liked_newest"),
        ),
        migrations.AddConstraint(
            model_name="like",
            constraint=models.UniqueConstraint(fields=("user", "embedding"), name="liked_once"),
        ),
    ]
