"""Sets of pictures made for advice to be measured on: drawn scenes, clean or with faults that are known.

A figure is a body with limbs and patches of its own; a scene puts it in some pose before some ground. What is the
same in all pictures of a set and what is not is decided here, so the truth about a set is known.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from math import cos, pi, sin
from pathlib import Path
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Rgb = tuple[int, int, int]
KINDS = ("style", "object", "subject", "negative")
RESOLUTION = 512
WORDS = (
    "Summer", "sale", "Hello", "world", "chapter", "breaking", "news", "www.example.org", "PHOTO", "BY Kim", "lost",
    "ring", "2024",
)  # fmt: skip
FONTS = tuple(sorted(Path("/usr/share/fonts").glob("**/*.ttf")))
SKINS = ((246, 214, 190), (226, 180, 148), (190, 138, 104), (140, 96, 70), (96, 66, 50), (236, 226, 120))


@dataclass
class MadeSet:
    """Pictures as bytes, the kind they are meant for, and by code which of them have that fault."""

    kind: str
    pictures: list[bytes]
    truth: dict[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Pose:
    """Where a figure stands (parts of the picture), how big, how turned, and how its limbs are held."""

    x: float
    y: float
    size: float
    turn: float
    mirrored: bool
    limbs: tuple[float, float, float]


def any_pose(rng: Random) -> Pose:
    limbs = (rng.uniform(-1, 1), rng.uniform(-1, 1), rng.uniform(-1, 1))
    return Pose(
        rng.uniform(0.3, 0.7),
        rng.uniform(0.32, 0.68),
        rng.uniform(0.2, 0.42),
        rng.uniform(-pi, pi),
        rng.random() < 0.5,
        limbs,
    )


def nearly(pose: Pose, rng: Random) -> Pose:
    """The same pose as a hand-held camera sees it again."""
    return Pose(
        pose.x + rng.uniform(-0.02, 0.02),
        pose.y + rng.uniform(-0.02, 0.02),
        pose.size * rng.uniform(0.95, 1.05),
        pose.turn + rng.uniform(-0.07, 0.07),
        pose.mirrored,
        pose.limbs,
    )


def any_colour(rng: Random) -> Rgb:
    return (rng.randrange(20, 236), rng.randrange(20, 236), rng.randrange(20, 236))


def near_colour(colour: Rgb, rng: Random, reach: int) -> Rgb:
    red, green, blue = (max(0, min(255, value + rng.randint(-reach, reach))) for value in colour)
    return (red, green, blue)


class Figure:
    """A thing with a shape and colours of its own."""

    def __init__(self, rng: Random, colours: list[Rgb] | None = None, *, face: bool = False) -> None:
        self.colours = colours or [any_colour(rng) for _ in range(3)]
        count = rng.randint(5, 9)
        self.body = [
            (cos(2 * pi * k / count) * r, sin(2 * pi * k / count) * r)
            for k, r in enumerate(rng.uniform(0.45, 1.0) for _ in range(count))
        ]
        self.limbs = [rng.uniform(0, 2 * pi) for _ in range(3)]
        self.patch = (rng.uniform(-0.3, 0.3), rng.uniform(-0.3, 0.3), rng.uniform(0.12, 0.25))
        self.face = Face(rng) if face else None

    def draw(self, on: Image.Image, pose: Pose) -> None:
        draw = ImageDraw.Draw(on)
        side = min(on.size) * pose.size
        flip = -1 if pose.mirrored else 1

        def place(x: float, y: float) -> tuple[float, float]:
            x *= flip
            a, b = cos(pose.turn), sin(pose.turn)
            return on.width * pose.x + side * (x * a - y * b), on.height * pose.y + side * (x * b + y * a)

        for angle, bend in zip(self.limbs, pose.limbs, strict=True):
            at = angle + bend * 0.5
            elbow, hand = (cos(at), sin(at)), (cos(at) + 0.6 * cos(at + bend), sin(at) + 0.6 * sin(at + bend))
            points = [place(0, 0), place(*elbow), place(*hand)]
            draw.line(points, fill=self.colours[2], width=max(2, round(side * 0.16)), joint="curve")
        draw.polygon([place(*point) for point in self.body], fill=self.colours[0])
        x, y, r = self.patch
        draw.polygon(
            [place(x + r * cos(k), y + r * sin(k)) for k in (0, 1, 2, 3, 4, 5)], fill=self.colours[1]
        )
        if self.face:
            self.face.draw(on, *place(0, 0), side * 0.6)


class Face:
    """Eyes, brows, nose and mouth on a head; each face keeps its own build."""

    def __init__(self, rng: Random) -> None:
        self.skin = rng.choice(SKINS)
        self.dark = tuple(round(value * rng.uniform(0.1, 0.3)) for value in self.skin)
        self.eyes, self.level = rng.uniform(0.34, 0.46), rng.uniform(-0.22, -0.08)
        self.eye, self.mouth = rng.uniform(0.09, 0.13), (rng.uniform(0.26, 0.42), rng.uniform(0.4, 0.52))
        self.has_whites, self.has_brows, self.is_open = (
            rng.random() < 0.5,
            rng.random() < 0.6,
            rng.random() < 0.4,
        )
        self.lips = rng.choice((self.dark, (150, 40, 50)))

    def draw(self, on: Image.Image, x: float, y: float, r: float) -> None:
        draw = ImageDraw.Draw(on)

        def oval(cx: float, cy: float, rx: float, ry: float, fill: object) -> None:
            box = (x + r * (cx - rx), y + r * (cy - ry), x + r * (cx + rx), y + r * (cy + ry))
            draw.ellipse(box, fill=fill)  # type: ignore[arg-type]

        oval(0, 0, 0.82, 1.0, self.skin)
        for side in (-1, 1):
            at = side * self.eyes
            if self.has_whites:
                oval(at, self.level, self.eye * 1.9, self.eye * 1.2, (250, 250, 248))
            oval(at, self.level, self.eye, self.eye, self.dark)
            if self.has_brows:
                box = (
                    x + r * (at - 0.18),
                    y + r * (self.level - 0.3),
                    x + r * (at + 0.18),
                    y + r * (self.level - 0.2),
                )
                draw.rectangle(box, fill=self.dark)  # type: ignore[arg-type]
        wide, low = self.mouth
        if self.is_open:
            oval(0, low, wide, 0.12, self.lips)
        else:
            box = (x - r * wide, y + r * (low - 0.25), x + r * wide, y + r * (low + 0.08))
            draw.arc(box, 20, 160, fill=self.lips, width=max(2, round(r * 0.07)))  # type: ignore[arg-type]
        nose = [(x, y + r * (self.level + 0.1)), (x - r * 0.06, y + r * 0.2), (x + r * 0.04, y + r * 0.2)]
        draw.line(nose, fill=near_colour(self.skin, Random(1), 18), width=max(1, round(r * 0.03)))


def ground(rng: Random, size: tuple[int, int], colours: list[Rgb] | None = None) -> Image.Image:
    """What stands behind: a wall, a sky, a meadow, bricks, windows, leaves or plain colour."""
    first, second = colours or [any_colour(rng), any_colour(rng)]
    image = Image.new("RGB", size, first)
    paint = rng.choice((None, _gradient, _leaves, _noise, _stripes, _bricks, _windows, _hills))
    return paint(image, rng, first, second) if paint else image


def _gradient(image: Image.Image, rng: Random, first: Rgb, second: Rgb) -> Image.Image:
    ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(image.size)
    return ImageOps.colorize(ramp, first, second)


def _leaves(image: Image.Image, rng: Random, _first: Rgb, second: Rgb) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for _ in range(rng.randint(30, 160)):
        x, y = rng.uniform(0, image.width), rng.uniform(0, image.height)
        r = rng.uniform(0.01, 0.09) * image.width
        draw.ellipse((x - r, y - r * 0.6, x + r, y + r * 0.6), fill=near_colour(second, rng, 50))
    return image


def _noise(image: Image.Image, rng: Random, first: Rgb, second: Rgb) -> Image.Image:
    for octave in (4, 9, 23, 61):
        small = Image.frombytes("L", (octave, octave), rng.randbytes(octave * octave))
        layer = ImageOps.colorize(small.resize(image.size, Image.Resampling.BICUBIC), first, second)
        image = Image.blend(image, layer, 0.4)
    return image


def _stripes(image: Image.Image, rng: Random, _first: Rgb, second: Rgb) -> Image.Image:
    draw = ImageDraw.Draw(image)
    step = rng.uniform(0.04, 0.14) * image.width
    for number in range(int(image.width / step) + 1):
        draw.rectangle((number * step, 0, number * step + step / 2, image.height), fill=second)
    return image


def _bricks(image: Image.Image, rng: Random, _first: Rgb, second: Rgb) -> Image.Image:
    draw = ImageDraw.Draw(image)
    tall, wide = rng.uniform(0.03, 0.06) * image.height, rng.uniform(0.1, 0.16) * image.width
    for row in range(int(image.height / tall) + 1):
        for column in range(-1, int(image.width / wide) + 1):
            x = column * wide + (row % 2) * wide / 2
            box = (x + 2, row * tall + 2, x + wide - 2, (row + 1) * tall - 2)
            draw.rectangle(box, fill=near_colour(second, rng, 14))
    return image


def _windows(image: Image.Image, rng: Random, _first: Rgb, second: Rgb) -> Image.Image:
    draw = ImageDraw.Draw(image)
    step = rng.uniform(0.1, 0.18) * image.width
    for row in range(int(image.height / step)):
        for column in range(int(image.width / step)):
            x, y = column * step + step * 0.2, row * step + step * 0.2
            draw.rectangle((x, y, x + step * 0.5, y + step * 0.6), fill=second)
    return image


def _hills(image: Image.Image, rng: Random, _first: Rgb, second: Rgb) -> Image.Image:
    width, height = float(image.width), float(image.height)
    horizon = rng.uniform(0.35, 0.75) * height
    line = [(width * k / 8, horizon + rng.uniform(-0.1, 0.1) * height) for k in range(9)]
    ImageDraw.Draw(image).polygon([(0.0, height), *line, (width, height)], fill=second)
    return image


def any_size(rng: Random) -> tuple[int, int]:
    side = rng.randrange(540, 860)
    return rng.choice(((side, side), (side, round(side * 1.25)), (round(side * 1.33), side)))


def even_grain(rng: Random, spread: float) -> Image.Image:
    """Grey grain, the same for the same chance; Pillow's own comes from the process, and differs from run to run."""
    halves = [Image.frombytes("L", (256, 256), rng.randbytes(256 * 256)) for _ in range(2)]
    # Of two even ones the mean has a spread of 52.
    return Image.blend(*halves, 0.5).point(lambda value: round(128 + (value - 128) * spread / 52))


def as_photo(image: Image.Image, rng: Random, *, grain: int = 7) -> Image.Image:
    """A little grain and softness, as cameras leave."""
    tile = even_grain(rng, rng.uniform(2, grain))
    noise = Image.new("L", image.size)
    for x in range(0, image.width, 256):
        for y in range(0, image.height, 256):
            noise.paste(tile.rotate(rng.choice((0, 90, 180, 270))), (x, y))
    return ImageChops.add(
        image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.7))), noise.convert("RGB"), 1, -128
    )


def encoded(image: Image.Image, rng: Random) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=rng.randrange(78, 96))
    return out.getvalue()


# ------------------------------------------------------------------ faults of single pictures
def blurred(image: Image.Image, rng: Random) -> Image.Image:
    scale = min(image.size) / RESOLUTION
    if rng.random() < 0.3:
        return image.filter(ImageFilter.BoxBlur((rng.uniform(6, 12) * scale, 0)))
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(2.6, 6) * scale))


def lettered(image: Image.Image, rng: Random) -> Image.Image:
    text = " ".join(rng.sample(WORDS, rng.randint(2, 4)))
    size = rng.uniform(0.035, 0.09) * image.height
    font = font_of(rng.randrange(1000), max(14, round(size)))
    image = image.copy()
    layer = Image.new("RGBA", image.size)
    draw = ImageDraw.Draw(layer)
    left, _top, right, bottom = draw.textbbox((0, 0), text, font=font)
    if right - left > image.width * 0.95:
        text = text[: max(5, int(len(text) * image.width * 0.95 / (right - left)))]
    x, y = rng.uniform(0.02, 0.1) * image.width, rng.choice((0.04, 0.45, 0.85)) * image.height
    bright = rng.random() < 0.6
    fill = (255, 255, 255, rng.randrange(190, 256)) if bright else (10, 10, 10, rng.randrange(190, 256))
    if rng.random() < 0.5:
        box = (x - 8, y - 4, x + (right - left) + 8, y + bottom + 8)
        draw.rectangle(box, fill=(0, 0, 0, 150) if bright else (255, 255, 255, 150))
    else:
        draw.text((x + 1, y + 2), text, font=font, fill=(0, 0, 0, 160) if bright else (255, 255, 255, 160))
    draw.text((x, y), text, font=font, fill=fill)
    return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")


@cache
def font_of(number: int, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, or one of the machine's."""
    if not FONTS or number % 3 == 0:
        return ImageFont.load_default(size)
    return ImageFont.truetype(FONTS[number % len(FONTS)], size)


def with_face(image: Image.Image, rng: Random) -> Image.Image:
    image = image.copy()
    r = rng.uniform(0.1, 0.24) * min(image.size)
    Face(rng).draw(image, rng.uniform(0.3, 0.7) * image.width, rng.uniform(0.3, 0.65) * image.height, r)
    return image


def shrunk(image: Image.Image, rng: Random) -> Image.Image:
    small = image.copy()
    side = rng.randrange(120, 250)
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def lengthened(image: Image.Image, rng: Random) -> Image.Image:
    width = round(image.height * rng.uniform(0.2, 0.3))
    return ImageOps.fit(image, (max(260, width), max(900, image.height)))


def copied(image: Image.Image, rng: Random) -> Image.Image:
    """Nearly the same picture: cropped, smaller, mirrored, brighter, or only saved again."""
    way = rng.choice(("crop", "crop", "size", "mirror", "light", "again"))
    if way == "crop":
        part = rng.uniform(0.75, 0.95)
        width, height = round(image.width * part), round(image.height * part)
        x, y = rng.randint(0, image.width - width), rng.randint(0, image.height - height)
        return image.crop((x, y, x + width, y + height))
    if way == "size":
        return image.resize((round(image.width * 0.96), round(image.height * 0.96)), Image.Resampling.LANCZOS)
    if way == "mirror":
        return ImageOps.mirror(image)
    if way == "light":
        return ImageEnhance.Brightness(image).enhance(rng.choice((0.8, 1.2)))
    return image


def tinted(image: Image.Image, colour: Rgb, rng: Random) -> Image.Image:
    """All in one light."""
    dark = tuple(value // 6 for value in colour)
    pale = tuple(min(255, value + 120) for value in colour)
    toned = ImageOps.colorize(image.convert("L"), dark, pale, mid=near_colour(colour, rng, 6))  # type: ignore[arg-type]
    return Image.blend(image, toned, rng.uniform(0.85, 1.0))


# ------------------------------------------------------------------ sets
SINGLE: dict[str, Callable[[Image.Image, Random], Image.Image]] = {
    "blurred": blurred,
    "text": lettered,
    "face": with_face,
    "small": shrunk,
    "long": lengthened,
}
SAME = ("same_pose", "same_background", "same_colour")
FAULTS = ("few", "duplicate", *SINGLE, *SAME)
# What is no fault for a kind: a style may be its ground and its colours, a subject has a face.
NO_FAULT = {("style", "same_background"), ("style", "same_colour"), ("subject", "face")}


def make_set(rng: Random, kind: str, fault: str = "") -> MadeSet:
    """A set for a kind with one fault; with none, all is varied but what matters to the kind."""
    count = rng.randint(1, 2) if fault == "few" else rng.randint(5, 9)
    scenes = [as_photo(scene, rng) for scene in _scenes(rng, kind, count, fault)]
    truth: dict[str, set[int]] = {}
    if fault == "few" or fault in SAME:
        truth[fault] = set(range(count))
    elif fault == "duplicate":
        twice = rng.sample(range(count), rng.randint(1, 2))
        scenes += [copied(scenes[index], rng) for index in twice]
        truth[fault] = {*twice, *range(count, count + len(twice))}
    elif fault:
        # A fault that most pictures have may be what a style or a negative word is about.
        spoilt = rng.sample(range(count), rng.randint(1, max(1, count // 3)))
        for index in spoilt:
            scenes[index] = SINGLE[fault](scenes[index], rng)
        truth[fault] = set(spoilt)
    if (kind, fault) in NO_FAULT:
        truth = {}
    return MadeSet(kind, [encoded(scene, rng) for scene in scenes], truth)


def _scenes(rng: Random, kind: str, count: int, fault: str) -> list[Image.Image]:
    palette = [any_colour(rng) for _ in range(5)] if kind == "style" else None
    own = Figure(rng, face=kind == "subject")
    pose, tint = any_pose(rng), any_colour(rng)
    place = rng.randrange(1 << 30)
    # A style has its palette and paints other things each time; otherwise one figure is seen again and again.
    scenes = []
    for _ in range(count):
        colours = rng.sample(palette, 2) if palette else None
        size = any_size(rng)
        scene = ground(Random(place) if fault == "same_background" else rng, size, colours)
        figure = own
        if kind == "style" and fault != "same_pose":
            figure = Figure(rng, rng.sample(palette or [], 3))
        elif kind == "negative" and fault != "same_pose":
            figure = Figure(rng)
        figure.draw(scene, nearly(pose, rng) if fault == "same_pose" else any_pose(rng))
        scenes.append(tinted(scene, tint, rng) if fault == "same_colour" else scene)
    return scenes


def make_sets(seed: int, rounds: int = 1) -> list[MadeSet]:
    """Each fault for each kind, and as many clean sets as kinds, `rounds` times over."""
    rng = Random(seed)
    plan = [(kind, fault) for kind in KINDS for fault in (*FAULTS, "")] * rounds
    return [make_set(rng, kind, fault) for kind, fault in plan]
