"""Looks of moderators at private things that were reported: each is written down."""

from django.db import transaction

from hub.access import Viewer, require
from hub.models import Collection, Embedding, Owner
from hub.models.registry import Visibility
from hub.services import audit


def note(viewer: Viewer, *, thing: Embedding | Collection | Owner) -> None:
    """Write down that a moderator looks at this; nothing for what everybody may see."""
    require(viewer, "moderate", thing)
    if isinstance(thing, Owner) or thing.visibility != Visibility.PRIVATE:
        return
    with transaction.atomic():
        audit.record(viewer, "look_at_private", thing)
