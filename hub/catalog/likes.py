"""Who likes what: whether the viewer does, and all that they like."""

from hub.access import Viewer, visible
from hub.catalog import cards
from hub.catalog.shapes import Card
from hub.models import Embedding, Like

MOST = 200


def is_liked(viewer: Viewer, *, embedding: Embedding) -> bool:
    """Whether the viewer likes this embedding."""
    if viewer.user is None:
        return False
    return Like.objects.filter(user=viewer.user, embedding=embedding).exists()


def list_liked(viewer: Viewer) -> tuple[Card, ...]:
    """What the viewer likes and may still see, the latest first."""
    if viewer.user is None:
        return ()
    rows = visible(Embedding.objects.filter(liked_by__user=viewer.user), viewer)
    return cards.make(cards.with_heads(rows.order_by("-liked_by__created_at", "-pk"))[:MOST])
