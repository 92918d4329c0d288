"""The drafts of a person and of their teams: what waits to be published, or to be thrown away."""

from typing import cast

from django.db.models import QuerySet

from hub.access import Viewer, can, require, under
from hub.catalog import resolve
from hub.errors import NotFound
from hub.models import Embedding, Version


def list_own(viewer: Viewer, *, embedding: Embedding | None = None) -> QuerySet[Version]:
    """The drafts that the viewer may publish, of one embedding or of all, newest first."""
    require(viewer, "see_draft", embedding or (viewer.user.owner if viewer.user else None))
    assert viewer.user is not None
    rows = _drafts().filter(under(viewer, "see_draft", prefix="embedding__"), embedding__deleted_at=None)
    return (rows.filter(embedding=embedding) if embedding else rows).order_by("-created_at", "-pk")


def of_embedding(viewer: Viewer, *, owner: str, name: str) -> QuerySet[Version]:
    """The drafts of one of the viewer's embeddings. NotFound or Forbidden for others."""
    return list_own(viewer, embedding=resolve.own(viewer, owner=owner, name=name, act="see_draft"))


def own(viewer: Viewer, *, owner: str, name: str, number: int, act: str) -> Version:
    """The draft that the viewer wants to do this act to. NotFound for everybody else's, whatever it is of."""
    row = resolve.own(viewer, owner=owner, name=name, act=act)
    found = _drafts().filter(embedding=row, pk=number).first() if can(viewer, act, row) else None
    if found is None:
        raise NotFound("You have no draft of this number.", code="revision_not_found")
    return found


def published(viewer: Viewer, *, owner: str, name: str, number: int) -> Version | None:
    """What has become of a draft that the viewer published already, or None."""
    row = resolve.own(viewer, owner=owner, name=name, act="publish_version")
    rows = Version.objects.resolvable().select_related("embedding__owner")
    return rows.filter(embedding=row, pk=number).first() if can(viewer, "publish_version", row) else None


def _drafts() -> QuerySet[Version]:
    rows = Version.objects.filter(published_at=None).exclude(state=Version.State.DELETED)
    return cast("QuerySet[Version]", rows.select_related("embedding__owner", "base_model"))
