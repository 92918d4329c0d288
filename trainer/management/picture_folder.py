"""What the command line reads: a folder of pictures with what lies beside them."""

import re
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CAPTIONS = ("text", "names", "none")
MASK = ".mask"
MAX_CAPTION_BYTES = 2048


def pictures(folder: Path, captions: str = "text") -> list[dict[str, Any]]:
    """The pictures of a folder in order of name, each with what lies beside it. Raises CommandError, OSError."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or path.stem.endswith(MASK):
            continue
        picture: dict[str, Any] = {"path": str(path.resolve()), "caption": _caption(path, captions)}
        mask = path.with_name(f"{path.stem}{MASK}.png")
        if mask.is_file():
            picture["mask"] = str(mask.resolve())
        if path.with_suffix(".focus").is_file():
            picture["focus"] = _numbers(path.with_suffix(".focus"))
        found.append(picture)
    if not found:
        raise CommandError(f"{folder}: there is no JPEG, PNG or WebP picture in it.")
    return found


def _caption(path: Path, source: str) -> str | None:
    """From the text file beside the picture, or from its name without leading numbers."""
    if source == "names":
        return re.sub(r"[\s_]+", " ", re.sub(r"^[\d\s_.-]+", "", path.stem)).strip() or None
    beside = path.with_suffix(".txt")
    if source == "none" or not beside.is_file():
        return None
    if beside.stat().st_size > MAX_CAPTION_BYTES:
        raise CommandError(f"{beside}: a caption has at most {MAX_CAPTION_BYTES} bytes.")
    return beside.read_text("utf-8", errors="replace").strip() or None


def _numbers(path: Path) -> list[float]:
    try:
        return [float(part) for part in re.split(r"[\s,]+", path.read_text("utf-8").strip())]
    except (ValueError, OSError):
        raise CommandError(f"{path}: write four shares from 0 to 1: left, top, right, bottom.") from None
