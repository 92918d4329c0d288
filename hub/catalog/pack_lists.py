"""Packs as programs walk through them: which there are, narrowed down, latest change first."""

from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from hub.access import Viewer, visible
from hub.catalog.packs import pullable
from hub.models import Collection, CollectionMember

# What lists of packs are sorted by.
BY: Final = "updated_at"


def listed(viewer: Viewer, *, query: str = "", owner: str = "", holds: str = "") -> QuerySet[Collection]:
    """Public packs with something in them; of one `owner` all that the viewer may see.

    `query` is part of the title or name, `holds` the `owner/name` of an embedding that is pinned in it.
    """
    rows = visible(Collection.objects.select_related("owner"), viewer)
    pinned = CollectionMember.objects.filter(collection=OuterRef("pk"), version__in=pullable(viewer))
    if owner:
        rows = rows.filter(owner__name=owner.lower())
    else:
        rows = rows.filter(Exists(pinned), visibility=Collection.Visibility.PUBLIC)
    if holds:
        of, _, name = holds.lower().partition("/")
        held = pinned.filter(embedding__owner__name=of, embedding__name=name)
        rows = rows.filter(Exists(held))
    return rows.filter(Q(title__icontains=query) | Q(name__icontains=query)) if query else rows
