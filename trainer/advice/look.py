"""A picture as advice sees it: the few numbers that were taken from it when it arrived."""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from PIL import Image

from hub.formats.looks import THUMB, VERSION


@dataclass(frozen=True)
class Look:
    """One picture. What an older or missing measurement leaves out is empty, and no finding is made of it.

    `thumb` are THUMB x THUMB raw RGB pixels, `edges` widths of the sharpest edges by the short side they were
    measured at, `letters` the marks in the longest line of writing, `faces` the patterns that look like one.
    """

    digest: str
    width: int
    height: int
    thumb: bytes = b""
    edges: Mapping[int, float] | None = None
    letters: int = 0
    faces: int = 0

    @classmethod
    def of(cls, facts: Mapping[str, Any], *, digest: str, width: int, height: int) -> "Look":
        """The look in a picture's stored facts; its sizes are those of the upload where they are known."""
        found = facts.get("look") or {}
        if found.get("version") != VERSION:
            found = {}
        return cls(
            digest,
            int(facts.get("original_width") or width),
            int(facts.get("original_height") or height),
            _pixels(found.get("thumb") or ""),
            {int(side): float(wide) for side, wide in (found.get("edges") or {}).items()},
            int(found.get("letters") or 0),
            int(found.get("faces") or 0),
        )

    @property
    def short(self) -> int:
        """Pixels of the short side."""
        return min(self.width, self.height)

    @cached_property
    def image(self) -> Image.Image | None:
        """The thumb as pixels: raw numbers of ours, nothing is decoded."""
        return Image.frombytes("RGB", (THUMB, THUMB), self.thumb) if self.thumb else None


def _pixels(text: str) -> bytes:
    try:
        pixels = b64decode(text, validate=True)
    except (NotBase64, ValueError):
        return b""
    return pixels if len(pixels) == THUMB * THUMB * 3 else b""
