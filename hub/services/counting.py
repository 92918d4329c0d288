"""Counts of pulls: by version and day, and the sum that lists sort by."""

from datetime import date

from django.db import transaction
from django.db.models import F

from hub.models import Download, Embedding, File


def count_download(*, file_id: int, day: date | str) -> None:
    """Count one pull of a file on that day; silent for a file that is gone."""
    file = File.objects.select_related("version").filter(pk=file_id).first()
    if file is None:
        return
    with transaction.atomic():
        row, _ = Download.objects.select_for_update().get_or_create(version=file.version, day=day)
        Download.objects.filter(pk=row.pk).update(count=F("count") + 1)
        Embedding.objects.filter(pk=file.version.embedding_id).update(downloads=F("downloads") + 1)
