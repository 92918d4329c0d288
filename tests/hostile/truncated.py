"""Files of every container, cut off inside each of their parts."""

from collections.abc import Iterator

from tests.hostile.assemble import LEGACY_MAGIC, LEGACY_SYSTEM, LEGACY_VERSION, legacy_file, torch_zip
from tests.hostile.pictures import GOOD as PICTURE
from tests.hostile.sample import Hostile, hostile
from tests.samples import embedding_file


@hostile
def safetensors() -> Iterator[Hostile]:
    """F5 or F1: the length, the header, the tensors."""
    good = embedding_file()
    header = good.index(b"}}") + 2
    for at, rule in (
        (4, "F1"),
        (8, "F1"),
        (9, "F5"),
        (40, "F5"),
        (header, "F5"),
        (header + 7, "F5"),
        (len(good) - 1, "F5"),
    ):
        yield Hostile(f"cut-safetensors-at-{at}", rule, good[:at], good)


@hostile
def zips() -> Iterator[Hostile]:
    """F2: the records, the directory, its end."""
    good = torch_zip()
    directory = good.index(b"PK\x01\x02")
    for at in (
        4,
        20,
        40,
        100,
        directory - 1,
        directory,
        directory + 50,
        len(good) - 22,
        len(good) - 21,
        len(good) - 1,
    ):
        yield Hostile(f"cut-zip-at-{at}", "F2", good[:at], good, "moss-dragon.pt")


@hostile
def legacy() -> Iterator[Hostile]:
    """F3 inside the pickles, F4 inside the numbers."""
    good = legacy_file()
    magic, version = len(LEGACY_MAGIC), len(LEGACY_MAGIC + LEGACY_VERSION)
    system = version + len(LEGACY_SYSTEM)
    for at, rule in (
        (magic, "F3"),
        (magic + 2, "F3"),
        (version, "F3"),
        (version + 10, "F3"),
        (system, "F3"),
        (system + 60, "F3"),
        (len(good) - 1032, "F4"),
        (len(good) - 1030, "F4"),
        (len(good) - 512, "F4"),
        (len(good) - 1, "F4"),
    ):
        yield Hostile(f"cut-legacy-at-{at}", rule, good[:at], good, "moss-dragon.pt")


@hostile
def pictures() -> Iterator[Hostile]:
    """F6: the header, the text, the pixels, the end."""
    for at in (8, 20, 33, 60, 1000, len(PICTURE) - 20, len(PICTURE) - 12, len(PICTURE) - 1):
        yield Hostile(f"cut-png-at-{at}", "F6", PICTURE[:at], PICTURE, "moss-dragon.png")
