"""The whole preview sheet as one picture: groups of pictures under their prompt, each beside its control."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

from trainer.prompts import BLOCK_TITLES, OWN, Cell

SMALLEST_SIDE = 128
COLUMNS = 8
GAP = 8
MARGIN = 24
CAPTION = 38
PAPER = (250, 248, 243)
INK = (38, 36, 33)
FAINT = (120, 114, 104)
Placed = tuple[Cell, Image.Image]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def compose(cells: Sequence[Cell], pictures: Sequence[Image.Image], trigger: str) -> Image.Image:
    """The sheet. Small pictures are enlarged in whole steps, so that pixels stay what they are."""
    side = pictures[0].width * max(1, -(-SMALLEST_SIDE // pictures[0].width))
    lines = _lines(sorted(zip(cells, pictures, strict=True), key=_order))
    columns = max(sum(len(group) for group in line) for line in lines)
    height = len(lines) * (side + CAPTION + GAP) - GAP
    sheet = Image.new("RGB", (columns * (side + GAP) - GAP + 2 * MARGIN, height + 2 * MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        left, top = MARGIN, MARGIN + number * (side + CAPTION + GAP)
        for group in line:
            _write(pen, (left, top), group[0][0], trigger, len(group) * (side + GAP) - 2 * GAP)
            for _, picture in group:
                shown = picture.resize((side, side), Image.Resampling.NEAREST)
                sheet.paste(shown, (left, top + CAPTION))
                left += side + GAP
    return sheet


def _order(placed: Placed) -> tuple[str, int, bool, int]:
    """Block by block, each row of block C right after the row that it is the control of."""
    cell = placed[0]
    if cell.block != "C":
        return cell.block, cell.row, False, cell.column
    return ("A", 0, True, cell.column) if cell.row == 0 else ("B", cell.row - 1, True, cell.column)


def _lines(order: Sequence[Placed]) -> list[list[list[Placed]]]:
    """Groups of one block and row, filled into lines; own prompts begin a new one."""
    lines: list[list[list[Placed]]] = [[]]
    before = ""
    for (block, _), members in groupby(order, key=lambda placed: (placed[0].block, placed[0].row)):
        group = list(members)
        if sum(map(len, lines[-1])) + len(group) > COLUMNS or (block == OWN != before):
            lines.append([])
        lines[-1].append(group)
        before = block
    return lines


def _write(pen: ImageDraw.ImageDraw, at: tuple[int, int], cell: Cell, trigger: str, width: int) -> None:
    prompt, negative = replace(cell, weight=1.0).shown(trigger)
    text = f"{prompt}, without: {negative}" if negative else prompt
    small = ImageFont.load_default(12)
    pen.text(at, BLOCK_TITLES[cell.block], INK, ImageFont.load_default(13))
    pen.text((at[0], at[1] + 17), _cut(pen, text, small, width), FAINT, small)


def _cut(pen: ImageDraw.ImageDraw, text: str, font: Font, width: int) -> str:
    """The text as far as there is room for it."""
    if pen.textlength(text, font) <= width:
        return text
    while text and pen.textlength(f"{text}…", font) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
