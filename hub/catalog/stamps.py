"""Whether a stranger may see something, and the stamp of all that doors tell of it: in one query, with every call.

Whoever keeps an answer keeps it with its stamp, and hands it out as long as the database gives the same one. None for
what a stranger may not see, and for every other viewer: their answers are made each time.
"""

from typing import Any, Final

from django.db.models import QuerySet

from hub.access import ANONYMOUS, Viewer, allows, visible
from hub.catalog.standing import Row, Standing
from hub.models import Embedding, Version

# Samples for standing questions.
OWNER: Final = "sample-owner"
NAME: Final = "sample-name"
NUMBER: Final = 2_000_000_001


def is_stranger(viewer: Viewer) -> bool:
    """Whether the viewer sees what everybody sees."""
    return viewer == ANONYMOUS and allows(viewer, "see_public")


def of_version(viewer: Viewer, *, number: int) -> Row | None:
    """Of the version with this id."""
    return _VERSION.ask(number) if is_stranger(viewer) else None


def of_embedding(viewer: Viewer, *, number: int) -> Row | None:
    """Of the embedding with this id."""
    return _EMBEDDING.ask(number) if is_stranger(viewer) else None


def of_name(viewer: Viewer, *, owner: str, name: str) -> Row | None:
    """Of the embedding of this name, ignoring case."""
    return _NAMED.ask(owner.lower(), name.lower()) if is_stranger(viewer) else None


def stamped(
    rows: QuerySet[Any, Any], *columns: str, stamp: str = "embedding__stamp__number"
) -> QuerySet[Any, Any]:
    """These columns and then the stamp of the first of these rows, which are a stranger's to see."""
    return rows.filter(**{f"{stamp}__isnull": False}).values_list(*columns, stamp)[:1]


_VERSION: Final = Standing(
    lambda number: stamped(visible(Version.objects.all(), ANONYMOUS).filter(pk=number)), NUMBER
)
_EMBEDDING: Final = Standing(
    lambda number: stamped(
        visible(Embedding.objects.all(), ANONYMOUS).filter(pk=number), stamp="stamp__number"
    ),
    NUMBER,
)
_NAMED: Final = Standing(
    lambda owner, name: stamped(
        visible(Embedding.objects.all(), ANONYMOUS).filter(owner__name=owner, name=name),
        stamp="stamp__number",
    ),
    OWNER,
    NAME,
)
