"""From bytes and sidecars to a form filled in: name, title, kind, word, base model. Bytes win over what is said."""

import re
import unicodedata
from dataclasses import dataclass, field

from hub.access import Viewer
from hub.errors import HubError
from hub.formats import FAMILIES, FormatError, base_of_checkpoint, check_trigger, known_base
from hub.models import BaseModel
from hub.models.registry import Kind
from hub.services.embeddings import bases, names
from hub.services.importing.scan import Item
from hub.services.importing.sidecars import Notes, line
from hub.services.versions import ingest

_TRIES = 200
_KIND_TAGS = {
    "style": Kind.STYLE,
    "character": Kind.SUBJECT,
    "celebrity": Kind.SUBJECT,
    "person": Kind.SUBJECT,
    "object": Kind.OBJECT,
    "clothing": Kind.OBJECT,
    "vehicle": Kind.OBJECT,
    "animal": Kind.OBJECT,
}
# Words of A1111's notes for a family as a whole.
_WHOLE_FAMILIES = {"sd1": "sd1", "sd2": "sd2", "sdxl": "sdxl", "sd 1": "sd1", "sd 2": "sd2", "unknown": ""}


@dataclass
class Description:
    """The form of one embedding, and what there is to say about how it was filled in."""

    name: str
    full_name: str
    title: str
    trigger: str
    kind: str
    card: str = ""
    notes: str = ""
    tags: list[str] = field(default_factory=list)
    base_model: BaseModel | None = None
    base_title: str = ""
    warnings: list[str] = field(default_factory=list)


def describe(
    viewer: Viewer, item: Item, ingested: ingest.IngestedEmbedding, notes: Notes, *, taken: set[str]
) -> Description:
    """The form for this embedding. Its name is free, also beside `taken`, to which its key is added."""
    assert viewer.user is not None
    warnings: list[str] = []
    name = _free_name(viewer, _slug(item.stem, ingested.source_sha256), taken)
    base_title, base_model = _base(notes, str(ingested.facts["family"]), warnings)
    if notes.hashes and ingested.source_sha256 not in notes.hashes and len(item.files) == 1:
        warnings.append(
            "The sidecar lists another SHA-256: the file was changed, or the notes are of another one."
        )
    return Description(
        name=name,
        full_name=f"{viewer.user.owner.name}/{name}",
        title=notes.title or line(item.stem.replace("_", " "), 120) or name,
        trigger=_trigger(notes, str(ingested.facts["trigger"]), warnings),
        kind=_kind(item, ingested, notes).value,
        card=_card(notes, base_title),
        notes=f"Imported from {line(item.files[0].name, 120)}.",
        tags=notes.tags,
        base_model=base_model,
        base_title=base_title,
        warnings=warnings,
    )


def _slug(stem: str, digest: str) -> str:
    """A legal name as near to the stem as can be."""
    plain = unicodedata.normalize("NFKD", stem[:200]).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9._-]+", "-", plain)
    name = re.sub(r"[._-]*(--|\.\.)[._-]*", "-", name).strip("._-")[:80].strip("._-")
    name = name.removesuffix(".git")
    return name if names.look_alike(name) else f"embedding-{digest[:8]}"


def _free_name(viewer: Viewer, name: str, taken: set[str]) -> str:
    """The name, or the first of `name-2`, `name-3` … that nothing else has."""
    assert viewer.user is not None
    for number in range(1, _TRIES):
        candidate = name if number == 1 else f"{name}-{number}"
        key = names.look_alike(candidate)
        if key in taken:
            continue
        try:
            names.check_embedding_name(viewer.user.owner, candidate)
        except HubError as error:
            if error.kind != "conflict":
                raise
            continue
        taken.add(key)
        return candidate
    raise LookupError(name)


def _trigger(notes: Notes, suggested: str, warnings: list[str]) -> str:
    """The word of the sidecar where it is one legal word, else the one that the file suggests."""
    said = notes.words[0].strip("<> ") if notes.words else ""
    if not said:
        return suggested
    word = said.lower()
    try:
        check_trigger(word)
    except FormatError:
        warnings.append(f"The sidecar's word {said[:60]!r} is no legal trigger; {suggested} is used.")
        return suggested
    return word


def _kind(item: Item, ingested: ingest.IngestedEmbedding, notes: Notes) -> Kind:
    if item.is_negative_of_pair or ingested.facts.get("negative") or notes.is_negative:
        return Kind.NEGATIVE
    if item.concept in (Kind.OBJECT.value, Kind.STYLE.value):
        return Kind(item.concept)
    return next((_KIND_TAGS[tag] for tag in notes.tags if tag in _KIND_TAGS), Kind.STYLE)


def _base(notes: Notes, family: str, warnings: list[str]) -> tuple[str, BaseModel | None]:
    """The base model that the sidecar claims, as far as the bytes allow it, and its row."""
    said = notes.base.strip()
    whole = _WHOLE_FAMILIES.get(said.lower())
    claimed = known_base(said) or (base_of_checkpoint(said) if whole is None and said else None)
    claims = whole if whole is not None else (claimed.family if claimed else "")
    if claims and claims != family:
        warnings.append(
            f"The sidecar says {said}, which is {FAMILIES[claims].title}; the bytes are for {FAMILIES[family].title}. "
            "The bytes win."
        )
        return "", None
    if claimed is None:
        return ("", None) if whole is not None else (said, None)
    return claimed.title, bases.claimed(claimed.id)


def _card(notes: Notes, base_title: str) -> str:
    """The description, and where it came from."""
    facts = []
    if notes.creator:
        facts.append(f"Made by {notes.creator}.")
    if base_title:
        facts.append(f"Made for {base_title}, says its sidecar.")
    if notes.page:
        facts.append(f"Its page was {notes.page}.")
    return "\n\n".join(part for part in (notes.description, " ".join(facts)) if part)
