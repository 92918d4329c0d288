"""Labels of published versions: words beside the number that stand where a revision stands, put on and taken off."""

from django.db import IntegrityError, transaction

from hub.access import Viewer, require
from hub.errors import Conflict, NotFound
from hub.models import Embedding, Version
from hub.services import audit, texts
from hub.services.versions import checks


def put(viewer: Viewer, *, version: Version, label: str) -> Version:
    """Label a version; the label that it has already changes nothing.

    Unacceptable for a word that cannot be one, Conflict `label_taken` when it is another version's, or this one has
    another.
    """
    require(viewer, "edit_card", version.embedding)
    label = texts.version_label(label)
    with transaction.atomic():
        row = Version.objects.select_for_update().get(pk=version.pk)
        if not label or row.label == label:
            return row
        if row.label:
            message = f"{row.name} is labelled “{row.label}”; take that off first."
            raise Conflict("label_taken", message, field="label")
        before, row.label = row.label, label
        checks.label_is_free(row)
        try:
            with transaction.atomic():
                row.save(update_fields=["label"])
        except IntegrityError:
            checks.label_is_free(row)
            raise
        audit.record(viewer, "label", version.embedding, version=row.number, label=label, before=before)
    return row


def take_off(viewer: Viewer, *, embedding: Embedding, label: str) -> None:
    """Take a label off the version that has it. NotFound `revision_not_found` when none has."""
    require(viewer, "edit_card", embedding)
    with transaction.atomic():
        rows = Version.objects.select_for_update().exclude(label="")
        row = rows.filter(embedding=embedding, label=label).first()
        if row is None:
            raise NotFound(f"There is no tag {label[:40]!r}.", code="revision_not_found")
        row.label = ""
        row.save(update_fields=["label"])
        audit.record(viewer, "unlabel", embedding, version=row.number, label=label)
