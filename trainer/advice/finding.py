"""What advice says: a code, the pictures it is about, a plain sentence and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True)
class Finding:
    """Something about a set that its maker should know. It never forbids anything.

    `pictures` are places in the set, from 0; none when it is about the set as such.
    """

    code: str
    pictures: tuple[int, ...]
    sentence: str
    to_do: str

    @property
    def text(self) -> str:
        """Both sentences."""
        return f"{self.sentence} {self.to_do}"


def number(count: int) -> str:
    """A small number in words."""
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def counted(pictures: Sequence[int], one: str, more: str) -> str:
    """How many pictures do what: “One picture is …” or “Three pictures are …”."""
    count = len(pictures)
    return f"One picture {one}" if count == 1 else f"{number(count).capitalize()} pictures {more}"
