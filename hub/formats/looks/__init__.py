"""What advice on a set of pictures needs to know of each: small numbers, taken where the picture is decoded anyway.

Only Pillow and the standard library, so that it runs in the sandbox child. A look is a few kilobytes of JSON and is
kept with the picture; what it means is decided elsewhere, from the looks of a whole set.
"""

from base64 import b64encode

from PIL import Image

from hub.formats.looks.edges import edge_widths
from hub.formats.looks.faces import count_faces
from hub.formats.looks.marks import Mark, find_darker, find_marks
from hub.formats.looks.writing import longest_line

# Raised when a measurement changes its meaning: looks of another version are not compared.
VERSION = 1
THUMB = 32
# Marks are looked for at two sizes: small writing is lost in the smaller, big letters break up in the larger.
MARK_SIDES = (512, 176)


def look_at(image: Image.Image) -> dict[str, object]:
    """The look of an RGB picture.

    `edges`: how many pixels wide the sharpest edges are, by the short side looked at; `thumb`: 32 x 32 pixels of
    RGB in base64; `letters`: marks in the longest line of what may be writing; `faces`: how many patterns of two
    eyes over a mouth.
    """
    letters = faces = 0
    for side in MARK_SIDES:
        small = reduced(image, side)
        shades = small.convert("L")
        dark, light = find_marks(shades, darker=True), find_marks(shades, darker=False)
        letters = max(letters, longest_line(dark, shades), longest_line(light, shades))
        # Lips are red: where only green is seen they are dark on every skin.
        faces = max(faces, count_faces(find_darker(small.getchannel("G")), small))
    thumb = image.resize((THUMB, THUMB), Image.Resampling.BOX)
    return {
        "version": VERSION,
        "edges": edge_widths(image),
        "thumb": b64encode(thumb.tobytes()).decode(),
        "letters": letters,
        "faces": faces,
    }


def reduced(image: Image.Image, long_side: int) -> Image.Image:
    """The picture with its long side at most this, its shape kept."""
    small = image.copy()
    small.thumbnail((long_side, long_side), Image.Resampling.BOX)
    return small


__all__ = ["THUMB", "VERSION", "Mark", "look_at", "reduced"]
