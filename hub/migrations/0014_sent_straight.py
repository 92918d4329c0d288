"""Uploads whose parts are sent straight to the file store."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column."""

    dependencies = [("hub", "0013_moderation")]

    operations = [
        migrations.AddField(
            model_name="pendingupload",
            name="store_upload",
            field=models.TextField(blank=True, default=""),
        ),
    ]
