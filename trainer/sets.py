"""The picture sets that come with the hub: ten pictures each, made by this project, free to train from."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from hub.errors import NotFound

BUNDLED = Path(__file__).parent / "bundled"


@dataclass(frozen=True)
class PictureSet:
    """A set and what its wizard form starts with."""

    name: str
    title: str
    kind: str
    initializer: str
    trigger: str
    description: str
    licence: str
    pictures: tuple[Path, ...]


def bundled() -> Path:
    """The folder with `base`, `sets` and `catalogue`."""
    return Path(getattr(settings, "BUNDLED_DIR", BUNDLED))


def list_sets() -> list[PictureSet]:
    """All sets, by title; none when the hub was installed without them."""
    return sorted(_read_all(bundled() / "sets").values(), key=lambda one: one.title)


def get_set(name: str) -> PictureSet:
    """One set by name. NotFound."""
    found = _read_all(bundled() / "sets").get(name)
    if found is None:
        raise NotFound(f"There is no picture set “{name[:64]}”.", code="set_not_found")
    return found


def picture(name: str, file: str) -> Path:
    """The path of a set's picture. NotFound for anything else."""
    for path in get_set(name).pictures:
        if path.name == file:
            return path
    raise NotFound()


@cache
def _read_all(folder: Path) -> dict[str, PictureSet]:
    found = {}
    for record in sorted(folder.glob("*/set.json")):
        values = json.loads(record.read_text("utf-8"))
        found[values["name"]] = PictureSet(
            name=values["name"],
            title=values["title"],
            kind=values["kind"],
            initializer=values.get("initializer", ""),
            trigger=values.get("trigger", values["name"]),
            description=values.get("description", ""),
            licence=values.get("licence", "CC0-1.0"),
            pictures=tuple(sorted(record.parent.glob("*.png")) + sorted(record.parent.glob("*.webp"))),
        )
    return found
