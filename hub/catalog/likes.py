"""Who likes what: whether the viewer does, and all that they like."""

from django.db.models import QuerySet

from hub.access import Viewer, visible
from hub.models import Embedding, Like


def is_liked(viewer: Viewer, *, embedding: Embedding) -> bool:
    """Whether the viewer likes this embedding."""
    if viewer.user is None:
        return False
    return Like.objects.filter(user=viewer.user, embedding=embedding).exists()


def list_own(viewer: Viewer) -> QuerySet[Like]:
    """The viewer's likes of what they may still see, to be sorted by `created_at`."""
    if viewer.user is None:
        return Like.objects.none()
    seen = visible(Embedding.objects.all(), viewer)
    return Like.objects.filter(user=viewer.user, embedding__in=seen).select_related(
        "embedding__owner", "embedding__head"
    )
