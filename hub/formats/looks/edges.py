"""How wide the sharpest edges are, which is what blur is.

An edge of a sharp picture climbs from dark to light within a pixel or two; blurred by sigma s it takes about 2.5 s.
The measure is the climb over `REACH` pixels divided by that over one, each taken where it is strongest, so a sharp
thing before a soft ground counts as sharp, and plain surfaces do not count at all.
"""

from PIL import Image, ImageChops

SIDES = (64, 128, 256, 512)
REACH = 10
# Of all pixels, the share with the strongest climbs: 400 of a picture of 512 x 512. A sharp edge has a climb at one
# pixel of each row it crosses, and one over `REACH` pixels at as many.
STRONGEST = 0.0015
# Under this climb (of 255) there is no edge to speak of.
FAINTEST = 16


def edge_widths(image: Image.Image) -> dict[str, float]:
    """Width in pixels by the short side at which it was measured; 0 where there is no edge. Never enlarged."""
    found = {}
    for side in SIDES:
        short = min(image.size)
        if short >= side:
            scale = side / short
            size = (max(side, round(image.width * scale)), max(side, round(image.height * scale)))
            small = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
            # Cameras and JPEG keep colour softer than light, so colours count only where light has no edge.
            found[str(side)] = round(_width(small.convert("L")) or _sharpest(small), 2)
    return found


def _sharpest(image: Image.Image) -> float:
    return min(filter(None, map(_width, image.split())), default=0.0)


def _width(grey: Image.Image) -> float:
    """The wider of both directions, since a moving camera blurs only one; a direction without edges is left out."""
    climbs = [(_climb(grey, step, 0), _climb(grey, 0, step)) for step in (1, REACH)]
    (across, down), (far_across, far_down) = climbs
    widths = []
    for near, far, other in ((across, far_across, far_down), (down, far_down, far_across)):
        if far >= max(FAINTEST, other * 0.5):
            widths.append(far / max(near, 1))
    return max(widths, default=0.0)


def _climb(grey: Image.Image, right: int, down: int) -> int:
    """The difference between pixels so far apart that only `STRONGEST` of them exceed."""
    width, height = grey.size
    here = grey.crop((0, 0, width - right, height - down))
    there = grey.crop((right, down, width, height))
    counts = ImageChops.difference(here, there).histogram()
    left = STRONGEST * max(right, down) * sum(counts)
    for value in range(255, 0, -1):
        left -= counts[value]
        if left <= 0:
            return value
    return 0
