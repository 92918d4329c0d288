"""Rule N3: names that read like much pulled ones are flagged, in the transaction of what made the name."""

from typing import Final

from hub.models import Embedding, Flag
from hub.models.registry import Visibility
from hub.services.embeddings.names import reads_like

MUCH_PULLED: Final = 500


def name_like_a_known_one(embedding: Embedding) -> Flag | None:
    """A public name that reads like one of the most pulled names of somebody else is kept for a look.

    The act goes on. The same embedding is flagged once, whatever happens to it later.
    """
    if embedding.visibility != Visibility.PUBLIC:
        return None
    known = (
        Embedding.objects.listed()
        .filter(downloads__gt=0)
        .exclude(owner_id=embedding.owner_id)
        .order_by("-downloads", "pk")
        .values_list("owner__name", "name")[:MUCH_PULLED]
    )
    alike = next((f"{owner}/{name}" for owner, name in known if reads_like(embedding.name, name)), None)
    if alike is None:
        return None
    flag, _ = Flag.objects.get_or_create(embedding=embedding, rule="N3", defaults={"detail": {"like": alike}})
    return flag
