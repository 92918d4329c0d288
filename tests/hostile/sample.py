"""What a hostile file comes with, and the list of the functions that build them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Hostile:
    """A file to refuse by `rule`, and its harmless twin; `filename` is the name it arrives under."""

    name: str
    rule: str
    data: bytes
    control: bytes
    filename: str = "moss-dragon.safetensors"
    control_filename: str = ""

    @property
    def control_name(self) -> str:
        """The name that the twin arrives under."""
        return self.control_filename or self.filename


Builder = Callable[[], Iterator[Hostile]]
_BUILDERS: dict[str, list[Builder]] = {}


def hostile(build: Builder) -> Builder:
    """Have the files of this function in the corpus."""
    _BUILDERS.setdefault(build.__module__, []).append(build)
    return build


def builders(module: str) -> list[Builder]:
    """The functions of a module that build hostile files."""
    return _BUILDERS[module]
