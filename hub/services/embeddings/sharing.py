"""Likes: what a person shows to find good."""

from django.db import transaction
from django.db.models import F

from hub.access import Viewer, can_see, require
from hub.errors import NotFound
from hub.models import Embedding, Like


def like(viewer: Viewer, *, embedding: Embedding) -> int:
    """Like an embedding; harmless to repeat. How many like it now. NotFound for what the viewer cannot see."""
    require(viewer, "like", embedding)
    assert viewer.user is not None
    if not can_see(viewer, embedding):
        raise NotFound()
    with transaction.atomic():
        _, is_new = Like.objects.get_or_create(user=viewer.user, embedding=embedding)
        if is_new:
            Embedding.objects.filter(pk=embedding.pk).update(likes=F("likes") + 1)
    return _count(embedding)


def unlike(viewer: Viewer, *, embedding: Embedding) -> int:
    """Take a like back; harmless to repeat, and possible for what has been hidden since."""
    require(viewer, "like", embedding)
    with transaction.atomic():
        gone, _ = Like.objects.filter(user=viewer.user, embedding=embedding).delete()
        if gone:
            Embedding.objects.filter(pk=embedding.pk, likes__gt=0).update(likes=F("likes") - 1)
    return _count(embedding)


def _count(embedding: Embedding) -> int:
    return Embedding.objects.values_list("likes", flat=True).get(pk=embedding.pk)
