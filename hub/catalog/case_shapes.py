"""What the moderators' desk shows: a line of the queue, and a whole case."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from hub.catalog.shapes import Paged
from hub.models import Appeal, Collection, Embedding, Flag, Owner, Ruling, User, Version

Thing = Embedding | Collection | Owner
KINDS: Final[dict[str, type[Thing]]] = {"embedding": Embedding, "pack": Collection, "owner": Owner}


class Said(NamedTuple):
    """What some of a case's flags say: a reason of people's, or a rule of the hub alone."""

    reason: str
    rule: str
    label: str
    flags: int


@dataclass(frozen=True)
class CaseLine:
    """A thing that flags are about, with what they say; `first` is the number of the first of these flags."""

    kind: str
    number: int
    name: str
    flags: int
    people: int
    oldest: datetime
    first: int
    reasons: tuple[Said, ...]
    held: tuple[Ruling.Kind, ...]


@dataclass(frozen=True)
class CasePage(Paged):
    """One page of the queue."""

    items: tuple[CaseLine, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Listing(Paged):
    """One page of appeals or rulings, newest or oldest first as its function says."""

    items: tuple[Appeal, ...] | tuple[Ruling, ...] | tuple[Flag, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Case:
    """Everything a moderator needs to know of a thing before ruling on it. Who raised a flag is not in it."""

    kind: str
    thing: Thing
    name: str
    owner: Owner
    person: User | None
    is_private: bool
    open_flags: tuple[Flag, ...]
    settled_flags: tuple[Flag, ...]
    trusted: frozenset[int]
    versions: tuple[Version, ...]
    members: tuple[Version, ...]
    rulings: tuple[Ruling, ...]
    elsewhere: tuple[Ruling, ...]
    published: int
