"""What reads hand to the doors: frozen records that say everything a page needs, so that no template asks again."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from hub.models import Commit, Embedding, Owner, User, Version

if TYPE_CHECKING:
    from hub.catalog.gates import Behind
    from hub.catalog.pack_shapes import PackCard
    from hub.catalog.teams import TeamPage


@dataclass(frozen=True)
class Picture:
    """A preview picture. `sha256` and `extension` make its address on the media route.

    `block`, `row` and `column` are its place on the sheet; `is_control` says that the word was not in the prompt.
    """

    sha256: str
    extension: str
    width: int
    height: int
    alt: str
    role: str = "image"
    block: str = ""
    row: int = 0
    column: int = 0
    is_control: bool = False
    prompt: str = ""
    negative_prompt: str = ""
    seed: int = 0
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """An embedding in a list, as its newest offered version has it.

    `cover` is the first picture of block A of the sheet, `cells` the first four, the cover among them.
    `version` is None only for an owner's own embedding that has nothing published.
    """

    embedding: Embedding
    version: Version | None
    full_name: str
    owner: str
    name: str
    title: str
    summary: str
    kind: str
    visibility: str
    trigger: str
    family: str
    family_title: str
    vectors: int
    licence: str
    licence_title: str
    tags: tuple[str, ...]
    downloads: int
    likes: int
    published_at: datetime | None
    is_trained_here: bool
    cover: Picture | None
    cells: tuple[Picture, ...]


@dataclass(frozen=True)
class Facet:
    """One value to filter by: what goes into the address, what people read, how many there are."""

    value: str
    label: str
    count: int
    selected: bool


class Paged:
    """A page of several, by number."""

    page: int
    pages: int

    @property
    def has_next(self) -> bool:
        """Whether a page follows."""
        return self.page < self.pages

    @property
    def has_previous(self) -> bool:
        """Whether a page comes before."""
        return self.page > 1


@dataclass(frozen=True)
class Page(Paged):
    """One page of a list. `total` stops at the cap (`total_capped`); `facets` maps family, kind, tag, licence
    and trained_here to their values, most first."""

    items: tuple[Card, ...]
    total: int
    total_capped: bool
    page: int
    pages: int
    page_size: int
    facets: dict[str, tuple[Facet, ...]]


@dataclass(frozen=True)
class TreeFile:
    """A file of a commit: `layout` is empty for README.md, `is_primary` marks the main download."""

    path: str
    sha256: str
    size: int
    git_sha1: str
    layout: str
    title: str

    @property
    def is_primary(self) -> bool:
        """Whether this is the canonical file."""
        return self.layout == "canonical"


@dataclass(frozen=True)
class Resolved:
    """What a revision means: one commit, and the version in it (None before the first one)."""

    embedding: Embedding
    commit: Commit
    version: Version | None
    revision: str
    is_immutable: bool


@dataclass(frozen=True)
class ResolvedFile:
    """A file by name and revision. `is_public`: anybody may have it. `is_immutable`: asked for by commit id."""

    path: str
    sha256: str
    size: int
    content_type: str
    commit: Commit
    version: Version | None
    embedding: Embedding
    file_id: int | None
    is_public: bool
    is_immutable: bool
    gate: "Behind | None" = None


@dataclass(frozen=True)
class SheetBlock:
    """One block of the preview sheet: its letter, the question it answers, its rows of pictures."""

    letter: str
    title: str
    question: str
    rows: tuple[tuple[Picture, ...], ...]


@dataclass(frozen=True)
class Edition:
    """A line in the list of versions."""

    version: Version
    number: int | None
    name: str
    label: str
    state: str
    notes: str
    published_at: datetime | None
    is_head: bool
    is_shown: bool


@dataclass(frozen=True)
class Entry:
    """Everything the entry page shows of one version of one embedding.

    `version` is the version shown, None before the first is published. `commit` pins what is shown: for the head
    its newest commit, else the commit of publishing. `blocks` are the sheet's blocks in order, `sheet` all of it
    in one picture, `uploads` the publisher's own pictures. `insights` has what was measured (nearest words and so
    on). `twins` hold the same values under other names, `related` are alike. `may` holds the acts that the viewer
    may do on it.
    """

    embedding: Embedding
    owner: Owner
    version: Version | None
    is_head: bool
    commit: Commit | None
    tags: tuple[str, ...]
    family_title: str
    family_tools: tuple[str, ...]
    licence_title: str
    cover: Picture | None
    sheet: Picture | None
    blocks: tuple[SheetBlock, ...]
    uploads: tuple[Picture, ...]
    files: tuple[TreeFile, ...]
    insights: dict[str, Any]
    provenance: dict[str, Any]
    editions: tuple[Edition, ...]
    drafts: tuple[Version, ...]
    twins: tuple[Card, ...]
    related: tuple[Card, ...]
    may: frozenset[str]
    is_liked: bool = False
    packs: "tuple[PackCard, ...]" = ()


@dataclass(frozen=True)
class Profile:
    """The page of a person or team: what they published, newest first; `hidden` is for themselves and the team's
    members: what is private, unlisted, or has nothing published yet. `liked` is for oneself alone."""

    owner: Owner
    user: User | None
    about: str
    cards: tuple[Card, ...]
    hidden: tuple[Card, ...]
    downloads: int
    is_self: bool
    team: "TeamPage | None" = None
    packs: "tuple[PackCard, ...]" = ()
    liked: tuple[Card, ...] = ()
