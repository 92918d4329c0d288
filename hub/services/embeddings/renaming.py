"""Another name for an embedding: the old one leads to it for ever, and nobody else gets it."""

from django.db import IntegrityError, transaction

from hub.access import Viewer, require
from hub.killpoints import kill_point
from hub.models import Embedding, FormerName
from hub.services import audit, indexing
from hub.services.embeddings import details, names
from hub.services.moderation import lookalikes
from hub.services.versions import commits
from hub.services.webhooks import events


def rename(viewer: Viewer, *, embedding: Embedding, name: str) -> Embedding:
    """Give an embedding another name under the same owner; harmless to repeat.

    Raises Unacceptable (N1), Conflict `name_taken` or `name_too_similar`.
    """
    require(viewer, "rename", embedding)
    if name == embedding.name:
        return embedding
    names.check_embedding_name(embedding.owner, name, besides=embedding)
    trial, slugs = details.changed(embedding, details.Change())
    trial.name = name
    readme = commits.prepare(trial, trial.head, slugs)
    with transaction.atomic():
        names.hold(embedding.owner)
        names.check_embedding_name(embedding.owner, name, besides=embedding)
        row, _ = details.apply(viewer, embedding, details.Change())
        before = row.name
        row.former_names.filter(name=name).delete()
        if before != name:
            FormerName.objects.get_or_create(
                owner=row.owner, name=before, defaults={"look_alike": row.look_alike, "embedding": row}
            )
        row.name, row.look_alike = name, names.look_alike(name)
        try:
            with transaction.atomic():
                row.save(update_fields=["name", "look_alike", "updated_at"])
        except IntegrityError:
            names.check_embedding_name(row.owner, name, besides=row)
            raise
        if row.head_id != trial.head_id:
            readme = commits.prepare(row, row.head, details.tag_slugs(row))
        commits.follow_card(viewer, row, readme, message=f"Rename {before} to {name}")
        lookalikes.name_like_a_known_one(row)
        indexing.refresh(row)
        audit.record(viewer, "rename", row, before=before)
        events.tell("embedding.renamed", row, before=before)
        kill_point("K9")
    return row
