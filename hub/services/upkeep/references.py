"""Which stored bytes somebody still needs: asked of every foreign key to Blob, the trainer's included."""

from django.db.models import Exists, ForeignObjectRel, OuterRef, QuerySet

from hub.models import Blob


def unreferenced() -> QuerySet[Blob]:
    """Blob rows that no row of any table points to."""
    rows = Blob.objects.all()
    for relation in Blob._meta.get_fields(include_hidden=True):  # most have no name to go back by
        if not isinstance(relation, ForeignObjectRel):
            continue
        pointing = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
        rows = rows.exclude(Exists(pointing))
    return rows


def is_referenced(blob: Blob) -> bool:
    """Whether any row points to this one."""
    return not unreferenced().filter(pk=blob.pk).exists()
