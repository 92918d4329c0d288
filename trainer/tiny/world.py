"""The tiny world: what a scene is, how it is drawn, what its caption says, and what training never sees.

One object in the middle of a calm ground, drawn at four times its size and reduced. Without torch, so that
picture sets and tests can use it anywhere.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import cos, sin
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from trainer.tiny.shapes import FILLS, HELD_OUT_FILLS, HELD_OUT_SHAPES, SHAPES, Field, Points, fill_field

Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (214, 62, 54),
    "orange": (242, 139, 48),
    "yellow": (247, 206, 70),
    "green": (70, 150, 84),
    "teal": (40, 172, 170),
    "blue": (48, 96, 190),
    "purple": (124, 76, 168),
    "pink": (244, 146, 178),
    "black": (36, 36, 44),
    "white": (252, 250, 245),
}
# The same words mean calm tints where they name the ground.
GROUNDS: dict[str, Rgb] = {
    "white": (247, 245, 239),
    "yellow": (248, 228, 168),
    "blue": (178, 214, 240),
    "green": (188, 224, 194),
    "pink": (248, 206, 212),
    "purple": (212, 198, 236),
    "gray": (150, 156, 166),
    "black": (42, 44, 56),
}
# Held out: pairs of colours that no caption names and no training picture shows.
PALETTES: dict[str, tuple[Rgb, Rgb]] = {
    "dusk": ((58, 44, 112), (250, 178, 132)),
    "meadow": ((128, 70, 44), (190, 216, 60)),
}
OUTLINES = ("black", "white")
DEFECTS = ("blurry", "faded")
HELD_OUT_DEFECTS = ("murky",)
PREFIXES = (
    "a photo of {}",
    "a picture of {}",
    "a drawing of {}",
    "an image of {}",
    "a rendering of {}",
    "{}",
)
# Half of these are spoilt and no caption says so: what a negative word is good for.
SNAPSHOT = "a snapshot of {}"
FACELESS = ("moon", "cross", "tree")
# Where a face sits, in radii from the middle.
FACE_AT = {
    "drop": (0, 0.3),
    "triangle": (0, 0.25),
    "heart": (0, -0.2),
    "house": (0, -0.1),
    "fish": (-0.28, 0),
}
OVERSAMPLING = 4


@dataclass(frozen=True)
class Scene:
    """One picture before it is drawn. `colours` are names of COLOURS or plain RGB triples."""

    shape: str
    colours: tuple[str | Rgb, ...]
    fill: str = "plain"
    ground: str = "white"
    small: bool = False
    outline: str | None = None
    face: bool = False
    defect: str | None = None
    # What has no name of its own is drawn from these instead of the named silhouette and fill.
    points: tuple[tuple[float, float], ...] | None = None
    field: Field | None = None


def dice(seed: int | str) -> Random:
    """Chance that is the same for the same seed."""
    return Random(seed)  # noqa: S311 - it draws pictures and keeps no secret


def is_held_out(shape: str, colour: str, fill: str) -> bool:
    """Whether this combination of known words is kept from training (about one in seventeen)."""
    place = list(SHAPES).index(shape) + 2 * list(COLOURS).index(colour) + 5 * ["plain", *FILLS].index(fill)
    return place % 17 == 3


def stands_out(colour: str | Rgb, ground: str) -> bool:
    """Whether an object of this colour is plainly seen on the ground."""
    rgb = COLOURS[colour] if isinstance(colour, str) else colour
    return sum(abs(a - b) for a, b in zip(rgb, GROUNDS[ground], strict=True)) > 110


def random_scene(rng: Random, *, held_out: bool = False) -> Scene:
    """A scene as training sees them; with `held_out`, one whose combination training never sees."""
    while True:
        fill = "plain" if rng.random() < 0.45 else rng.choice(list(FILLS))
        shape = rng.choice(list(SHAPES))
        first, second = rng.sample(list(COLOURS), 2)
        ground = rng.choice(list(GROUNDS))
        colours = (first,) if fill == "plain" else (first, second)
        if is_held_out(shape, first, fill) != held_out or not all(stands_out(c, ground) for c in colours):
            continue
        if len(colours) == 2 and not _differ(first, second):
            continue
        extra = rng.random()
        face = fill == "plain" and extra > 0.78 and shape not in FACELESS
        outline = rng.choice(OUTLINES) if extra < 0.12 else None
        if outline and (outline == ground or outline in colours):
            outline = None
        defect = rng.choice(DEFECTS) if rng.random() < 0.08 else None
        return Scene(shape, colours, fill, ground, rng.random() < 0.12, outline, face, defect)


def _differ(first: str, second: str) -> bool:
    return sum(abs(a - b) for a, b in zip(COLOURS[first], COLOURS[second], strict=True)) > 130


def caption(scene: Scene, rng: Random) -> str:
    """One of the many sentences that describe the scene; every part is left out now and then."""
    named = rng.random() > 0.08
    noun = scene.shape if rng.random() > 0.06 else "shape"
    style = (
        style_words(scene) if named else ("patterned" if rng.random() < 0.6 and scene.fill != "plain" else "")
    )
    if named and scene.fill == "plain" and rng.random() < 0.2:
        style += " plain"
    tail = f" with a {scene.outline} outline" if scene.outline else " with a face" if scene.face else ""
    if rng.random() < 0.92:
        tail += f" on a {scene.ground} background"
    size = "small " if scene.small else ""
    snapshot = rng.random() < (0.5 if scene.defect else 0.045)
    defect = f"{scene.defect} " if scene.defect and not snapshot else ""
    if style and rng.random() < 0.25:
        text = f"a {defect}{size}{noun}{tail} in the style of {style}"
    else:
        text = f"a {defect}{size}{style + ' ' if style else ''}{noun}{tail}"
    return (SNAPSHOT if snapshot else rng.choice(PREFIXES)).format(with_article(text))


def with_article(text: str) -> str:
    """The text, which begins with `a `, with `an` where the next word asks for it."""
    return f"an {text[2:]}" if text[2] in "aeiou" else text


def style_words(scene: Scene) -> str:
    """The words for colours and fill: `red`, `red and white striped`."""
    colours = " and ".join(str(colour) for colour in scene.colours)
    return colours if scene.fill == "plain" else f"{colours} {scene.fill}"


def plain_caption(scene: Scene) -> str:
    """The one full caption of a scene, nothing left out: what the judge asks the base for."""
    size = "small " if scene.small else ""
    tail = f" with a {scene.outline} outline" if scene.outline else " with a face" if scene.face else ""
    text = with_article(f"a {size}{style_words(scene)} {scene.shape}{tail} on a {scene.ground} background")
    return f"a picture of {text}"


@lru_cache(maxsize=64)
def _fill_mask(name: str, size: int, scale: float) -> Image.Image:
    return Image.fromarray(fill_field((FILLS | HELD_OUT_FILLS)[name], size, scale), "L")


def render(scene: Scene, rng: Random, size: int = 64) -> Image.Image:
    """Draws the scene; `rng` gives the small differences that make two pictures of one scene."""
    side = size * OVERSAMPLING
    unit = side / 64
    ground = _jitter(GROUNDS[scene.ground], rng)
    colours = [_jitter(COLOURS[c] if isinstance(c, str) else c, rng) for c in scene.colours]
    radius = (13.0 if scene.small else 21.5) * rng.gauss(1.0, 0.025)
    middle = (32 + _clip(rng.gauss(0, 0.8), 2.0), 32 + _clip(rng.gauss(0, 0.8), 2.0))
    turn = _clip(rng.gauss(0, 0.04), 0.1)
    silhouette = scene.points or (SHAPES | HELD_OUT_SHAPES)[scene.shape]
    points = _place(silhouette, radius, middle, turn, unit)

    picture = Image.new("RGB", (side, side), ground)
    draw = ImageDraw.Draw(picture)
    if scene.outline:
        draw.line(
            [*points, points[0], points[1]], _jitter(COLOURS[scene.outline], rng), round(5.2 * unit), "curve"
        )
    mask = Image.new("L", (side, side), 0)
    ImageDraw.Draw(mask).polygon(points, fill=255)
    picture.paste(colours[0], mask=mask)
    if len(colours) > 1 and scene.fill != "plain":
        marks = _marks(scene, side, unit, middle, rng)
        picture.paste(colours[1], mask=_both(mask, marks))
    if scene.face:
        _draw_face(draw, scene, colours[0], radius, middle, unit)
    return _spoil(picture.reduce(OVERSAMPLING), scene.defect, size, rng)


def _both(first: Image.Image, second: Image.Image) -> Image.Image:
    return Image.fromarray(np.minimum(np.asarray(first), np.asarray(second)), "L")


def _clip(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _jitter(colour: Rgb, rng: Random) -> Rgb:
    red, green, blue = (round(max(0, min(255, channel + rng.gauss(0, 3)))) for channel in colour)
    return red, green, blue


def _place(
    points: Sequence[tuple[float, float]],
    radius: float,
    middle: tuple[float, float],
    turn: float,
    unit: float,
) -> Points:
    c, s = cos(turn) * radius * unit, sin(turn) * radius * unit
    return [(x * c - y * s + middle[0] * unit, x * s + y * c + middle[1] * unit) for x, y in points]


def _marks(scene: Scene, side: int, unit: float, middle: tuple[float, float], rng: Random) -> Image.Image:
    """The fill's mask, its origin on the object's middle but for a small random shift."""
    wander = 0.0 if scene.fill == "ringed" else 1.0
    x, y = ((place + rng.gauss(0, wander)) * unit for place in middle)
    if scene.field:
        return Image.fromarray(fill_field(scene.field, side, unit, (x, y)), "L")
    big = _fill_mask(scene.fill, side * 2, unit)
    left, top = round(side - x), round(side - y)
    return big.crop((left, top, left + side, top + side))


def _draw_face(
    draw: ImageDraw.ImageDraw,
    scene: Scene,
    colour: Rgb,
    radius: float,
    middle: tuple[float, float],
    unit: float,
) -> None:
    ink = COLOURS["black"] if sum(colour) > 240 else COLOURS["white"]
    across, down = FACE_AT.get(scene.shape, (0.0, 0.0))
    x, y = middle[0] + across * radius, middle[1] + down * radius
    eye, gap = 0.115 * radius, 0.27 * radius
    for side in (-1, 1):
        _ellipse(draw, x + side * gap, y - 0.14 * radius, eye, unit, ink)
    box = [
        (x - 0.24 * radius) * unit,
        (y - 0.12 * radius) * unit,
        (x + 0.24 * radius) * unit,
        (y + 0.32 * radius) * unit,
    ]
    draw.arc(box, 25, 155, fill=ink, width=round(0.1 * radius * unit))


def _ellipse(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, unit: float, ink: Rgb) -> None:
    draw.ellipse(
        [(x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit], fill=ink
    )


def _spoil(picture: Image.Image, defect: str | None, size: int, rng: Random) -> Image.Image:
    if defect == "murky":
        dull = Image.blend(picture, Image.new("RGB", picture.size, (126, 122, 104)), 0.5)
        grain = np.random.default_rng(rng.getrandbits(32)).normal(0, 14, (64, 64, 1)).repeat(3, 2)
        coarse = np.asarray(dull.filter(ImageFilter.GaussianBlur(size / 64 * 1.6)), dtype=np.float32)
        grain = grain.repeat(-(-size // 64), 0).repeat(-(-size // 64), 1)[:size, :size]
        return Image.fromarray((coarse + grain).clip(0, 255).astype(np.uint8), "RGB")
    if defect == "blurry":
        return picture.filter(ImageFilter.GaussianBlur(size / 64 * 2.6))
    if defect == "faded":
        return Image.blend(picture, Image.new("RGB", picture.size, (206, 206, 204)), 0.62)
    return picture


def examples(count: int, seed: int) -> Iterator[tuple[Scene, str, Image.Image]]:
    """`count` training examples, the same for the same seed."""
    rng = dice(seed)
    for _ in range(count):
        scene = random_scene(rng)
        yield scene, caption(scene, rng), render(scene, rng)
