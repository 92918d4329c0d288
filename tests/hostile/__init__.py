"""Every hostile file, built in code by hand: one function for each rule, and a harmless twin for each file.

The twin differs in the attacked property alone, so that a refusal is known to be for that property.
"""

from collections.abc import Iterator

from tests.hostile import (
    containers,
    legacy,
    mistaken,
    names,
    pickle_names,
    pickles,
    pictures,
    polyglots,
    safetensors,
    storages,
    truncated,
    zips,
)
from tests.hostile.sample import Builder, Hostile, builders

__all__ = ["FEWEST", "FUNCTIONS", "Builder", "Hostile", "hostile_files"]

_GROUPS = (
    containers,
    polyglots,
    safetensors,
    names,
    zips,
    pickles,
    pickle_names,
    storages,
    legacy,
    pictures,
    mistaken,
    truncated,
)
# Every function that builds hostile files, as `group.function`.
FUNCTIONS: dict[str, Builder] = {
    f"{group.__name__.rpartition('.')[2]}.{build.__name__}": build
    for group in _GROUPS
    for build in builders(group.__name__)
}
# So many there are at least, not counting what differs by its name alone.
FEWEST = 1_400


def hostile_files() -> Iterator[Hostile]:
    """All hostile files with their controls, made one after the other."""
    for build in FUNCTIONS.values():
        yield from build()
