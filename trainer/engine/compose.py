"""The whole preview sheet as one picture: a row per block and prompt, with its prompt written above."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from PIL import Image, ImageDraw, ImageFont

from trainer.prompts import BLOCK_TITLES, Cell

SMALLEST_SIDE = 128
GAP = 8
MARGIN = 24
LINE = 22
PAPER = (250, 248, 243)
INK = (38, 36, 33)
FAINT = (120, 114, 104)


def compose(cells: Sequence[Cell], pictures: Sequence[Image.Image], trigger: str) -> Image.Image:
    """The sheet. Small pictures are enlarged in whole steps, so that pixels stay what they are."""
    side = pictures[0].width * max(1, -(-SMALLEST_SIDE // pictures[0].width))
    order = sorted(
        zip(cells, pictures, strict=True), key=lambda pair: (pair[0].block, pair[0].row, pair[0].column)
    )
    rows = [list(group) for _, group in groupby(order, key=lambda pair: (pair[0].block, pair[0].row))]
    columns = max(len(row) for row in rows)
    width = 2 * MARGIN + columns * (side + GAP) - GAP
    sheet = Image.new("RGB", (width, 2 * MARGIN + len(rows) * (side + LINE + GAP)), PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    top = MARGIN
    for row in rows:
        first = row[0][0]
        prompt, negative = replace(first, weight=1.0).shown(trigger)
        title = BLOCK_TITLES[first.block]
        pen.text((MARGIN, top), title, INK, font)
        left = MARGIN + pen.textlength(title, font) + 10
        pen.text((left, top), f"{prompt}  — without: {negative}" if negative else prompt, FAINT, font)
        for place, (_, picture) in enumerate(row):
            shown = picture.resize((side, side), Image.Resampling.NEAREST)
            sheet.paste(shown, (MARGIN + place * (side + GAP), top + LINE))
        top += side + LINE + GAP
    return sheet
