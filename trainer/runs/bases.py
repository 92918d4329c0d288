"""Base models as pages and programs are told of them: what they are, what was published that fits, their pace here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.access import Viewer
from hub.catalog import browse
from hub.catalog.shapes import Card
from hub.errors import NotFound
from hub.formats import FAMILIES, known_base
from hub.models import BaseModel
from hub.models.registry import Kind
from trainer.models import BaseProbe
from trainer.presets import preset_settings
from trainer.runs import pace

SHOWN = 4


@dataclass(frozen=True)
class Source:
    """The single file that a base was made from."""

    file: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Installed:
    """An installed base model. `cards` are the newest words that fit it, `total` how many there are for the viewer.

    `times` are seconds at most by quality, empty where nothing was measured; `is_whole` says that they are from past
    runs, with pictures and sheet.
    """

    row: BaseModel
    family_title: str
    encoders: tuple[tuple[str, int], ...]
    fits: str
    licence: str
    author: str
    description: str
    size: int
    source: Source | None
    parts: dict[str, str]
    card_text: str
    cards: tuple[Card, ...]
    total: int
    total_capped: bool
    times: dict[str, float]
    steps: dict[str, int]
    is_whole: bool
    probe: BaseProbe | None

    @property
    def covers(self) -> tuple[Card, ...]:
        """Those of the cards that have a picture."""
        return tuple(card for card in self.cards if card.cover)


def list_installed(viewer: Viewer) -> list[Installed]:
    """All installed base models, by family and title. As many queries for many as for one of each family."""
    rows = BaseModel.objects.filter(is_installed=True)
    return _told(viewer, sorted(rows, key=lambda row: (list(FAMILIES).index(row.family), row.title)))


def get_installed(viewer: Viewer, *, name: str) -> Installed:
    """One of them. NotFound for any other name."""
    row = BaseModel.objects.filter(is_installed=True, name=name).first()
    if row is None:
        raise NotFound("No base model of this name is installed here.", code="base_not_found")
    return _told(viewer, [row])[0]


def _told(viewer: Viewer, rows: Sequence[BaseModel]) -> list[Installed]:
    keys = [row.pk for row in rows]
    known, probes = pace.paces(keys), pace.probes(keys)
    fitting = {
        family: browse.list_embeddings(viewer, family=family, page_size=SHOWN)
        for family in sorted({row.family for row in rows})
    }
    return [_one(row, fitting[row.family], known.get(row.pk), probes.get(row.pk)) for row in rows]


def _one(row: BaseModel, fitting: Any, found: pace.Pace | None, probe: BaseProbe | None) -> Installed:
    family, record = FAMILIES[row.family], row.record
    named = known_base(row.name)
    source = record.get("source")
    times = pace.expected(row, found)
    return Installed(
        row=row,
        family_title=family.title,
        encoders=tuple((encoder.name, encoder.width) for encoder in family.encoders),
        fits=named.fits if named and named.family == row.family else "",
        licence=str(record.get("licence", "")),
        author=str(record.get("author", "")),
        description=str(record.get("description", "")),
        size=int(record.get("size", 0)),
        source=Source(source["file"], source["size"], source["sha256"]) if source else None,
        parts=dict(record.get("parts", {})),
        card_text=str(record.get("card_text", "")),
        cards=fitting.items,
        total=fitting.total,
        total_capped=fitting.total_capped,
        times=times,
        steps={
            quality: int(preset_settings(quality, row.family, Kind.STYLE)["max_steps"]) for quality in times
        },
        is_whole=found.is_whole if found else False,
        probe=probe,
    )
