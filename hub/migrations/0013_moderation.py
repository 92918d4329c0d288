"""People's flags, and what moderators decide."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0012_webhooks"),
    ]

    operations = [
        migrations.CreateModel(
            name="Ruling",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("quarantine", "held for a look"), ("take_down", "taken down")],
                        max_length=16,
                    ),
                ),
                ("reason", models.CharField(max_length=280)),
                ("before_state", models.CharField(max_length=16)),
                ("before_reason", models.CharField(blank=True, max_length=280)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("lifted_at", models.DateTimeField(blank=True, null=True)),
                ("lifted_reason", models.CharField(blank=True, max_length=280)),
            ],
            options={
                "ordering": ["-made_at", "-pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="flag",
            name="flag_once_per_rule",
        ),
        migrations.AddField(
            model_name="flag",
            name="note",
            field=models.CharField(blank=True, max_length=280),
        ),
        migrations.AddField(
            model_name="flag",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[("dismissed", "nothing to do"), ("acted", "something was done")],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="raised_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("illegal", "illegal content"),
                    ("likeness", "a person who did not agree"),
                    ("copyright", "somebody else's work"),
                    ("deceptive", "pretends to be something or somebody else"),
                    ("harmful", "a file that does harm"),
                    ("mislabelled", "wrong facts: base model, licence, kind"),
                    ("spam", "spam"),
                    ("other", "something else"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="settled_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="text",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="flag",
            name="version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="flags",
                to="hub.version",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reason", "")), fields=("embedding", "rule"), name="flag_once_per_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("raised_by__isnull", False), ("settled_at__isnull", True)),
                fields=("embedding", "raised_by"),
                name="flag_open_once_per_person",
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="lifted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="made_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="rulings", to="hub.version"
            ),
        ),
        migrations.AddConstraint(
            model_name="ruling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("version",),
                name="ruling_open_once_per_version",
            ),
        ),
    ]
