"""What reads of packs hand to the doors."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime

from hub.catalog.downloads import Download
from hub.catalog.shapes import Card, Paged
from hub.models import Collection, Version


@dataclass(frozen=True)
class PackMember:
    """A member that the viewer may pull. `commit` is that of publishing, `newer` the number of a newer version.

    `pk` is None in a revision of old, `card` the embedding's card with the pictures of the pinned version.
    """

    version: Version
    note: str
    commit: str
    canonical: Download
    files: tuple[Download, ...]
    newer: int | None
    pk: int | None = None
    card: Card | None = None

    @property
    def full_name(self) -> str:
        """`owner/name` of the embedding."""
        return self.version.embedding.full_name

    @property
    def path(self) -> str:
        """Its file's name when the whole pack is pulled."""
        return f"{self.version.trigger}.safetensors"


@dataclass(frozen=True)
class Pack:
    """A pack as a viewer sees it: what they may not see is neither named nor part of the revision.

    `hidden` are the rows of such members, for the owner alone, who may take them out.
    """

    collection: Collection
    title: str
    description: str
    members: tuple[PackMember, ...]
    modified: datetime
    hidden: tuple[int, ...] = ()
    may: frozenset[str] = field(default_factory=frozenset)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return self.collection.full_name

    @property
    def revision(self) -> str:
        """The id of the pack as it is: SHA-1 over its texts and over commit and note of each member, in order."""
        return revision_id(self.title, self.description, [(one.commit, one.note) for one in self.members])


@dataclass(frozen=True)
class PackCard:
    """A pack in a list: how many members the viewer sees, and the cards of the first ones."""

    collection: Collection
    count: int
    cards: tuple[Card, ...]

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.collection.owner.name

    @property
    def name(self) -> str:
        """Its name under that owner."""
        return self.collection.name


@dataclass(frozen=True)
class PackPage(Paged):
    """One page of a list of packs."""

    items: tuple[PackCard, ...]
    total: int
    page: int
    pages: int


def revision_id(title: str, description: str, members: list[tuple[str, str]]) -> str:
    """Forty hex digits that are the same for the same pack, and for no other."""
    told = json.dumps([title, description, members], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()
