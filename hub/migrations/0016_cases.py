"""Flags and rulings on pictures, packs and owners; appeals; what owners are told."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("hub", "0015_teams"),
    ]

    operations = [
        migrations.CreateModel(
            name="Appeal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("text", models.TextField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[("upheld", "the ruling stands"), ("overturned", "the ruling is taken back")],
                        max_length=16,
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=280)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["made_at"],
            },
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "about",
                    models.CharField(
                        choices=[
                            ("made", "a ruling was made"),
                            ("lifted", "a ruling was taken back"),
                            ("answered", "an appeal was answered"),
                        ],
                        max_length=16,
                    ),
                ),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("mailed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["made_at", "pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="ruling",
            name="ruling_open_once_per_version",
        ),
        migrations.AddField(
            model_name="flag",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="flags",
                to="hub.owner",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="pack",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="flags",
                to="hub.collection",
            ),
        ),
        migrations.AddField(
            model_name="flag",
            name="picture",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="hub.preview",
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="before",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="ruling",
            name="category",
            field=models.CharField(
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
                default="other",
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rulings",
                to="hub.owner",
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="pack",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="rulings",
                to="hub.collection",
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="picture",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="hub.blob",
            ),
        ),
        migrations.AddField(
            model_name="ruling",
            name="rule",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AddField(
            model_name="ruling",
            name="subject",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name="collection",
            name="visibility",
            field=models.CharField(
                choices=[("public", "public"), ("private", "private"), ("held", "held")],
                default="public",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="flag",
            name="embedding",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="flags",
                to="hub.embedding",
            ),
        ),
        migrations.AlterField(
            model_name="ruling",
            name="before_state",
            field=models.CharField(blank=True, max_length=16),
        ),
        migrations.AlterField(
            model_name="ruling",
            name="kind",
            field=models.CharField(
                choices=[
                    ("quarantine", "held for a look"),
                    ("take_down", "taken down"),
                    ("remove_picture", "picture removed"),
                    ("clear", "profile text removed"),
                    ("freeze", "account frozen"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="ruling",
            name="version",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rulings",
                to="hub.version",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("raised_by__isnull", False), ("settled_at__isnull", True)),
                fields=("pack", "raised_by"),
                name="flag_open_once_per_pack",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.UniqueConstraint(
                condition=models.Q(("raised_by__isnull", False), ("settled_at__isnull", True)),
                fields=("owner", "raised_by"),
                name="flag_open_once_per_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="flag",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("embedding__isnull", False), ("owner__isnull", True), ("pack__isnull", True)),
                    models.Q(("embedding__isnull", True), ("owner__isnull", True), ("pack__isnull", False)),
                    models.Q(("embedding__isnull", True), ("owner__isnull", False), ("pack__isnull", True)),
                    _connector="OR",
                ),
                name="flag_has_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["quarantine", "take_down"]), ("lifted_at__isnull", True)),
                fields=("version",),
                name="ruling_open_once_per_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("pack",),
                name="ruling_open_once_per_pack",
            ),
        ),
        migrations.AddConstraint(
            model_name="ruling",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at__isnull", True)),
                fields=("owner", "kind"),
                name="ruling_open_once_per_owner",
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="made_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="appeal",
            name="ruling",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="appeal", to="hub.ruling"
            ),
        ),
        migrations.AddField(
            model_name="appeal",
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
            model_name="notice",
            name="ruling",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="hub.ruling"
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="notices",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
