"""What webhooks can be told of, and the moment in which something happens: a delivery for each that wants to know."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django.utils import timezone

from hub import jobs
from hub.models import Delivery, Embedding, Webhook
from hub.services.webhooks import targets

EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "version.published": "a version is published",
        "version.yanked": "a version is yanked",
        "version.unyanked": "a yanked version is offered again",
        "version.deleted": "a version is deleted",
        "version.quarantined": "moderators hold a version",
        "version.taken_down": "moderators take a version down",
        "version.restored": "moderators give it back",
        "embedding.renamed": "an embedding has another name",
        "embedding.deleted": "an embedding is deleted",
        "access.requested": "somebody asks for the files of a gated embedding",
        "run.done": "a training run is done",
        "run.failed": "a training run has failed",
        "run.cancelled": "a training run was stopped",
    }
)
PING: Final = "ping"
JOB: Final = "send_webhooks"
# What an event can be about beyond embeddings and versions, and who says it: a function of a viewer and an id, by its
# dotted name, since the rooms that know are above this one or not part of the hub.
SAYERS: Final[dict[str, str]] = {}


def tell(event: str, embedding: Embedding, **about: Any) -> None:
    """Promise this event to every webhook that wants it, in the transaction in which it happens.

    `about` has ids and words: `version`, `number`, `run`, `before`.
    """
    if event not in EVENTS:
        raise LookupError(f"no webhook can be told of {event!r}")
    if not targets.allowed():
        return
    rows = Webhook.objects.filter(owner=embedding.owner_id, is_active=True)
    wanting = [row for row in rows if event in row.events and row.embedding_id in (None, embedding.pk)]
    promise(wanting, event, embedding=embedding.pk, **about)


def promise(webhooks: list[Webhook], event: str, **about: Any) -> list[Delivery]:
    """A delivery for each of these, due now, and a worker to be woken; in the caller's transaction."""
    if not webhooks:
        return []
    now = timezone.now()
    made = [Delivery(webhook=row, event=event, about=about, next_at=now) for row in webhooks]
    made = Delivery.objects.bulk_create(made)
    wake()
    return made


def wake() -> None:
    """Have a worker look what is due; in the caller's transaction."""
    jobs.enqueue(JOB)
