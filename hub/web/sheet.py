"""The preview sheet arranged for reading: each picture beside the same picture without the word."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hub.catalog import cards
from hub.catalog.shapes import Picture
from hub.models import Preview


@dataclass(frozen=True)
class Pair:
    """A picture made with the word and its control: same prompt, same seed, the word left out."""

    picture: Picture
    control: Picture | None = None


@dataclass
class Row:
    """One prompt and the pictures it gave."""

    prompt: str
    pairs: list[Pair] = field(default_factory=list)

    @property
    def is_negative(self) -> bool:
        """Whether the word stands in the negative prompt."""
        return any(pair.picture.negative_prompt for pair in self.pairs)


@dataclass
class Sheet:
    """The blocks of a preview sheet that a version has; empty ones are left out of the page."""

    faithful: list[Row] = field(default_factory=list)
    obedient: list[Row] = field(default_factory=list)
    intact: list[Picture] = field(default_factory=list)
    strength: list[Picture] = field(default_factory=list)
    growth: list[Picture] = field(default_factory=list)
    negative: list[Row] = field(default_factory=list)
    own: list[Row] = field(default_factory=list)
    whole: Picture | None = None
    uploads: list[Picture] = field(default_factory=list)

    @property
    def cover(self) -> Pair | None:
        """The pair that stands beside the headword."""
        rows = self.negative or self.faithful or self.obedient
        return rows[0].pairs[0] if rows else None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.cover is None and not self.uploads and self.whole is None


def arrange(pictures: Iterable[Picture | Preview]) -> Sheet:
    """Pictures of one version, by block. The rows of block C are those of A, then those of B one lower."""
    cells: dict[str, list[Picture]] = {}
    sheet = Sheet()
    for picture in pictures:
        if isinstance(picture, Preview):
            picture = cards.picture(picture)
        if picture.role == Preview.Role.SHEET:
            sheet.whole = picture
        elif picture.role == Preview.Role.UPLOAD:
            sheet.uploads.append(picture)
        else:
            cells.setdefault(picture.block, []).append(picture)
    controls = {(cell.row, cell.column): cell for cell in cells.get("C", [])}
    sheet.faithful = _rows(cells.get("A", []), controls, shift=0)
    sheet.obedient = _rows(cells.get("B", []), controls, shift=1)
    sheet.intact = cells.get("D", [])
    sheet.strength = cells.get("E", [])
    sheet.growth = cells.get("F", [])
    sheet.negative = _rows_in_twos(cells.get("G", []))
    sheet.own = _rows_in_twos(cells.get("H", []))
    return sheet


def _rows(cells: list[Picture], controls: dict[tuple[int, int], Picture], *, shift: int) -> list[Row]:
    rows: dict[int, Row] = {}
    for cell in cells:
        row = rows.setdefault(cell.row, Row(cell.prompt))
        row.pairs.append(Pair(cell, controls.get((cell.row + shift, cell.column))))
    return [rows[number] for number in sorted(rows)]


def _rows_in_twos(cells: list[Picture]) -> list[Row]:
    """Blocks G and H: each prompt's row with the word, then the row without."""
    controls = {(cell.row - 1, cell.column): cell for cell in cells if cell.is_control}
    return _rows([cell for cell in cells if not cell.is_control], controls, shift=0)
