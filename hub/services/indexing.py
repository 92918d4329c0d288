"""The words that search looks through, kept in the transaction that changes what they tell of."""

from hub.catalog.search import fold
from hub.killpoints import kill_point
from hub.models import Embedding, SearchText

_BODY_MAX = 20_000


def refresh(embedding: Embedding) -> None:
    """Write what can be found of this embedding."""
    head = embedding.head
    words = [embedding.title, embedding.name, head.trigger if head else ""]
    tags = embedding.tags.values_list("slug", flat=True)
    SearchText.objects.update_or_create(
        embedding=embedding,
        defaults={
            "word": " ".join(dict.fromkeys(fold(" ".join(words)).split())),
            "tags": fold(" ".join([*tags, embedding.kind, embedding.owner.name])),
            "summary": fold(embedding.summary),
            "body": fold(embedding.card)[:_BODY_MAX],
        },
    )
    kill_point("K13")
