"""Who uses a word already: asked before publishing, because two embeddings of one trigger cannot be in one folder."""

from dataclasses import dataclass

from hub.access import Viewer, visible
from hub.models import Embedding


@dataclass(frozen=True)
class Namesake:
    """An embedding whose newest version has the trigger."""

    owner: str
    name: str
    downloads: int

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


def namesakes(
    viewer: Viewer, *, trigger: str, besides: Embedding | None = None, most: int = 3
) -> tuple[Namesake, ...]:
    """Listed embeddings with this trigger in any spelling of its letters, most pulled first (rule N5)."""
    if not trigger:
        return ()
    rows = visible(Embedding.objects.listed(), viewer).filter(head__trigger__iexact=trigger)
    if besides is not None and besides.pk is not None:
        rows = rows.exclude(pk=besides.pk)
    found = rows.order_by("-downloads", "pk").values_list("owner__name", "name", "downloads")[:most]
    return tuple(Namesake(*row) for row in found)
