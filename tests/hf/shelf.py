"""Published embeddings, and the headers of those who ask for them."""

from typing import Any

from hub.models import Embedding, Version
from tests import factories


def published(owner: str = "mara", name: str = "moss-glow", **fields: Any) -> Version:
    """The first version of a new embedding."""
    return factories.published(owner, name, **fields).versions.get()


def next_version(of: Version, **fields: Any) -> Version:
    """A further version of the same embedding."""
    embedding = Embedding.objects.select_related("owner").get(pk=of.embedding_id)
    return factories.version(embedding, trigger=of.trigger, **fields)


def bearer(name: str = "mara", *scopes: str) -> dict[str, str]:
    """The header that sends a fresh token of this person's, with these scopes (else `read`)."""
    return {"authorization": f"Bearer {factories.token(name, scopes=list(scopes or ('read',)))[1]}"}


def commit_of(version: Version) -> str:
    """The commit id with which this version was published."""
    return str(version.commits.order_by("sequence").values_list("sha", flat=True)[0])
