"""Another owner for an embedding or a pack: the old address leads to it for ever, and the old side's rights end."""

from django.db import transaction

from hub.access import Viewer, require
from hub.errors import Conflict
from hub.killpoints import kill_point
from hub.models import Collection, Embedding, FormerName, FormerPackName, Owner, PendingUpload
from hub.services import audit
from hub.services.embeddings import details, names
from hub.services.packs import packs
from hub.services.people import teams


def transfer_embedding(viewer: Viewer, *, embedding: Embedding, to: Owner) -> Embedding:
    """Give an embedding to another name that the viewer may publish under; harmless to repeat.

    Who had rights by its old owner has none from then on, drafts go along, and what was announced for a push is
    dropped. Forbidden where the viewer may not give it away or take it in, Conflict for a name that is taken there.
    """
    require(viewer, "transfer", embedding)
    require(viewer, "create_embedding", to)
    if embedding.owner_id == to.pk:
        return embedding
    with transaction.atomic():
        _hold(embedding.owner, to)
        names.check_embedding_name(to, embedding.name, besides=embedding)
        row, _ = details.apply(viewer, embedding, details.Change())
        require(viewer, "transfer", row)
        before = row.owner
        told = f"{before.name}/{row.name}"
        row.former_names.filter(owner=to, name=row.name).delete()
        FormerName.objects.get_or_create(
            owner=before, name=row.name, defaults={"look_alike": row.look_alike, "embedding": row}
        )
        PendingUpload.objects.filter(embedding=row).delete()
        # Grants go along; what people shared with the old owner is not the new one's to know.
        row.access_requests.update(email="", message="")
        row.owner = to
        row.save(update_fields=["owner", "updated_at"])
        teams.readdress(viewer, row, before=told)
        audit.record(viewer, "transfer", row, before=told)
        kill_point("K9")
    return row


def transfer_pack(viewer: Viewer, *, pack: Collection, to: Owner) -> Collection:
    """The same of a pack; what is in it stays where it is."""
    require(viewer, "transfer", pack)
    require(viewer, "create_pack", to)
    if pack.owner_id == to.pk:
        return pack
    with transaction.atomic():
        _hold(pack.owner, to)
        names.check_embedding_name(to, pack.name, besides=pack)
        row = packs.locked(pack)
        require(viewer, "transfer", row)
        before = row.owner
        row.former_names.filter(owner=to, name=row.name).delete()
        FormerPackName.objects.get_or_create(
            owner=before, name=row.name, defaults={"look_alike": row.look_alike, "collection": row}
        )
        row.owner = to
        row.save(update_fields=["owner", "updated_at"])
        audit.record(viewer, "transfer", row, before=f"{before.name}/{row.name}")
    return row


def _hold(one: Owner, other: Owner) -> None:
    """Both names, always in the same order, so that no two transfers wait for each other. Conflict for an ended one."""
    for owner in sorted([one, other], key=lambda row: row.pk):
        names.hold(owner)
    if Owner.objects.filter(pk=other.pk, retired_at__isnull=False).exists():
        raise Conflict("state_conflict", "This team is deleted.", field="owner")
