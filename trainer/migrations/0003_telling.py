"""Which ended runs their owners have seen, and who wants a mail. Runs that ended before count as seen."""

from typing import Any

from django.db import migrations, models


def see_what_ended(apps: Any, schema_editor: Any) -> None:
    """Nobody wants to be told of all runs of last year."""
    runs = apps.get_model("trainer", "TrainingRun").objects
    runs.exclude(finished_at=None).update(seen_at=models.F("finished_at"))


class Migration(migrations.Migration):
    """Three columns and the index of the menu."""

    dependencies = [("trainer", "0002_going_on")]

    operations = [
        migrations.AddField("trainingrun", "seen_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddField("trainingrun", "tell_by_mail", models.BooleanField(default=False)),
        migrations.AddField("trainingrun", "told_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex("trainingrun", models.Index(fields=["owner", "seen_at"], name="run_unseen")),
        migrations.RunPython(see_what_ended, migrations.RunPython.noop),
    ]
