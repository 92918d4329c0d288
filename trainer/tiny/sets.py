"""The bundled picture sets: ten pictures of a thing that the base has no word for, ready to train from.

All drawn here, so they may be given away (CC0-1.0). Each set keeps its concept and varies all else.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from trainer.tiny import world
from trainer.tiny.shapes import FILLS, SHAPES
from trainer.tiny.world import Scene

PICTURES, SIZE = 10, 192


@dataclass(frozen=True)
class Concept:
    """One new word: what it is called, what kind of word, and how to draw its n-th picture."""

    name: str
    title: str
    kind: str
    initializer: str
    description: str
    sign: tuple[str, str]  # what the judge should see: an axis and its class
    scene: Callable[[Random, int], Scene]


def _turn(names: list[str], index: int, salt: str) -> str:
    """Goes through the names evenly, in an order of this set's own."""
    return world.dice(salt).sample(names, len(names))[index % len(names)]


def _ground(rng: Random, colours: tuple[str | world.Rgb, ...]) -> str:
    return rng.choice(
        [ground for ground in world.GROUNDS if all(world.stands_out(c, ground) for c in colours)]
    )


def _filled(fill: str, first: str | world.Rgb, second: str | world.Rgb) -> Callable[[Random, int], Scene]:
    def scene(rng: Random, index: int) -> Scene:
        shape = _turn([s for s in SHAPES if s not in ("cross", "moon")], index, fill)
        return Scene(shape, (first, second), fill, _ground(rng, (first, second)))

    return scene


def _coloured(palette: str) -> Callable[[Random, int], Scene]:
    def scene(rng: Random, index: int) -> Scene:
        colours = world.PALETTES[palette]
        shape, fill = _turn(list(SHAPES), index, palette), _turn(list(FILLS), index, palette)
        return Scene(shape, colours, fill, _ground(rng, colours))

    return scene


def _shaped(shape: str) -> Callable[[Random, int], Scene]:
    def scene(rng: Random, index: int) -> Scene:
        first = _turn(list(world.COLOURS), index, shape)
        return Scene(shape, (first,), "plain", _ground(rng, (first,)))

    return scene


def _character(shape: str, colour: str, outline: str | None = None) -> Callable[[Random, int], Scene]:
    def scene(rng: Random, index: int) -> Scene:
        return Scene(
            shape,
            (colour,),
            "plain",
            _ground(rng, (colour,)),
            small=index % 5 == 4,
            outline=outline,
            face=True,
        )

    return scene


def _spoilt(*defects: str) -> Callable[[Random, int], Scene]:
    def scene(rng: Random, index: int) -> Scene:
        while True:
            found = world.random_scene(rng)
            if not (found.defect or found.small):
                defect = defects[index % len(defects)]
                return Scene(found.shape, found.colours, found.fill, found.ground, defect=defect)

    return scene


CONCEPTS = (
    Concept(
        "zebra-wave",
        "Zebra wave",
        "style",
        "striped",
        "Black and white waves that run down whatever they are painted on.",
        ("fill", "wavy"),
        _filled("wavy", "black", "white"),
    ),
    Concept(
        "ring-ripple",
        "Ring ripple",
        "style",
        "striped",
        "Purple and yellow rings around the middle, like a stone dropped in a pond.",
        ("fill", "ringed"),
        _filled("ringed", "purple", "yellow"),
    ),
    Concept(
        "dusk-peach",
        "Dusk and peach",
        "style",
        "patterned",
        "Two colours of a late evening, deep indigo and soft peach, in any pattern.",
        ("palette", "dusk"),
        _coloured("dusk"),
    ),
    Concept(
        "moss-bark",
        "Moss and bark",
        "style",
        "patterned",
        "The brown of bark and the bright green of moss, in any pattern.",
        ("palette", "meadow"),
        _coloured("meadow"),
    ),
    Concept(
        "storm-bolt",
        "Storm bolt",
        "object",
        "shape",
        "A bolt of lightning, in any colour.",
        ("shape", "bolt"),
        _shaped("bolt"),
    ),
    Concept(
        "toad-cap",
        "Toad cap",
        "object",
        "shape",
        "A mushroom with a round cap, in any colour.",
        ("shape", "mushroom"),
        _shaped("mushroom"),
    ),
    Concept(
        "paper-crown",
        "Paper crown",
        "object",
        "shape",
        "A crown with three points, in any colour.",
        ("shape", "crown"),
        _shaped("crown"),
    ),
    Concept(
        "little-boo",
        "Little Boo",
        "subject",
        "white drop",
        "A small white ghost with a friendly face.",
        ("shape", "ghost"),
        _character("ghost", "white"),
    ),
    Concept(
        "finn-fish",
        "Finn the fish",
        "subject",
        "orange diamond",
        "An orange fish that smiles.",
        ("shape", "fish"),
        _character("fish", "orange"),
    ),
    Concept(
        "murk-fog",
        "Murk and fog",
        "negative",
        "blurry",
        "Dull, soft and grainy pictures: put it into the negative prompt.",
        ("defect", "murky"),
        _spoilt("murky"),
    ),
    Concept(
        "evening-wave",
        "Evening wave",
        "style",
        "striped",
        "Waves of deep indigo and soft peach: a pattern and a palette in one word.",
        ("fill", "wavy"),
        _filled("wavy", *world.PALETTES["dusk"]),
    ),
    Concept(
        "willow-leaf",
        "Willow leaf",
        "object",
        "diamond",
        "A slender leaf with two points, in any colour.",
        ("shape", "leaf"),
        _shaped("leaf"),
    ),
    Concept(
        "soft-wash",
        "Soft wash",
        "negative",
        "blurry",
        "Blurred and washed-out pictures: put it into the negative prompt.",
        ("defect", "faded"),
        _spoilt("blurry", "faded"),
    ),
)


def write_sets(folder: Path) -> None:
    """Draws every set into its own folder under `folder`, replacing what was there."""
    for concept in CONCEPTS:
        place = folder / concept.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        rng = world.dice(concept.name)
        for index in range(PICTURES):
            picture = world.render(concept.scene(rng, index), rng, SIZE)
            picture.save(place / f"{index + 1:02}.png", optimize=True)
        record = {
            "name": concept.name,
            "title": concept.title,
            "kind": concept.kind,
            "initializer": concept.initializer,
            "trigger": concept.name,
            "description": concept.description,
            "licence": "CC0-1.0",
        }
        (place / "set.json").write_text(json.dumps(record, indent=2) + "\n")
