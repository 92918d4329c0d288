"""Names of owners and embeddings: which are legal, which look alike, which nobody may have."""

import re
from typing import Final

from hub.access import Viewer, require
from hub.errors import Conflict, Unacceptable
from hub.models import Collection, Embedding, FormerName, FormerPackName, FormerTeamName, Owner

_LEGAL: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,94}[a-z0-9])?")
# Endings and beginnings with which a name pretends to be the same thing, better or real.
_AFFIX_WORDS: Final = (
    "v2 v3 xl hd pro plus new the real official true original final fixed improved lora embedding ti sd sdxl"
)
_SHORTEST_LIKE: Final = 4
_SAME: Final = str.maketrans({"i": "1", "l": "1", "|": "1", "o": "0", ".": None, "_": None, "-": None})

# First segments of our own addresses, words that Hugging Face clients read as something else, roles, brands,
# and words that file systems and shells take for their own.
RESERVED: Final[frozenset[str]] = frozenset(
    [
        "models",
        "model",
        "datasets",
        "dataset",
        "spaces",
        "space",
        "kernels",
        "kernel",
        "buckets",
        "bucket",
        "api",
        "oauth",
        "resolve",
        "raw",
        "blob",
        "tree",
        "accounts",
        "account",
        "admin",
        "administrator",
        "moderation",
        "moderator",
        "operator",
        "root",
        "staff",
        "support",
        "security",
        "abuse",
        "system",
        "collections",
        "collection",
        "docs",
        "help",
        "about",
        "healthz",
        "readyz",
        "metrics",
        "media",
        "static",
        "new",
        "inspect",
        "edit",
        "train",
        "base",
        "bases",
        "run",
        "runs",
        "settings",
        "sign-in",
        "sign-out",
        "sign-up",
        "login",
        "logout",
        "signup",
        "register",
        "report",
        "search",
        "browse",
        "tags",
        "tag",
        "users",
        "user",
        "teams",
        "team",
        "owners",
        "owner",
        "versions",
        "version",
        "new-version",
        "terms",
        "privacy",
        "status",
        "favicon.ico",
        "robots.txt",
        "sitemap.xml",
        "well-known",
        ".well-known",
        "api-docs",
        "download",
        "downloads",
        "upload",
        "uploads",
        "files",
        "file",
        "packs",
        "pack",
        "hub",
        "trainer",
        "anonymous",
        "nobody",
        "everyone",
        "me",
        "you",
        "huggingface",
        "hugging-face",
        "hf",
        "civitai",
        "stability",
        "stabilityai",
        "openai",
        "con",
        "prn",
        "aux",
        "nul",
        "com1",
        "com2",
        "com3",
        "com4",
        "lpt1",
        "lpt2",
        "lpt3",
        "null",
        "undefined",
        "none",
        "true",
        "false",
        "main",
        "latest",
        "head",
    ]
)


def look_alike(name: str) -> str:
    """The key under which names that people mistake for one another are equal (rule N2)."""
    plain = name.lower().replace(".", "").replace("_", "").replace("-", "")
    return plain.replace("rn", "m").replace("vv", "w").translate(_SAME)


def reads_like(name: str, known: str) -> bool:
    """Whether people may take one name for the other (rule N3): equal under the look-alike key, one letter more,
    less, other or swapped, or one usual affix."""
    one, other = sorted((look_alike(name), look_alike(known)), key=len)
    if len(one) < _SHORTEST_LIKE:
        return one == other
    if other.startswith(one) and _is_affix(other[len(one) :]):
        return True
    if other.endswith(one) and _is_affix(other[: len(other) - len(one)]):
        return True
    return _is_one_slip(one, other)


def _is_affix(text: str) -> bool:
    return text.isdecimal() or text in {look_alike(word) for word in _AFFIX_WORDS.split()}


def _is_one_slip(shorter: str, longer: str) -> bool:
    """Edit distance at most 1, or two neighbours swapped."""
    if len(longer) - len(shorter) > 1:
        return False
    start = next((at for at, letter in enumerate(shorter) if letter != longer[at]), len(shorter))
    rest, other = shorter[start:], longer[start:]
    if len(rest) < len(other):
        return rest == other[1:]
    return rest[1:] == other[1:] or (rest[1::-1] == other[:2] and rest[2:] == other[2:])


def check_name(name: str, *, field: str = "name") -> None:
    """Nothing for a legal name (rule N1). Unacceptable `field_invalid` or `name_reserved` for any other."""
    if not _LEGAL.fullmatch(name) or "--" in name or ".." in name or name.endswith(".git"):
        raise Unacceptable(
            "field_invalid",
            "A name has up to 96 small letters, digits, dots, dashes and underscores, begins and ends with a "
            "letter or digit, and has no two dashes or dots in a row.",
            field=field,
            rule="N1",
        )


def check_owner_name(name: str, *, field: str = "name", besides: Owner | None = None) -> None:
    """A legal name that nobody has or had, and nobody could mistake for another. Conflict when taken or too similar.

    `besides` is the owner who may have it already, now or before.
    """
    check_name(name, field=field)
    if name in RESERVED:
        raise Unacceptable(
            "name_reserved", f"The name “{name}” is kept for the hub.", field=field, rule="7.3"
        )
    key = look_alike(name)
    if not key:
        raise Unacceptable("field_invalid", "This name has no letter or digit.", field=field, rule="N1")
    owners, former = Owner.objects.filter(look_alike=key), FormerTeamName.objects.filter(look_alike=key)
    if besides is not None:
        owners, former = owners.exclude(pk=besides.pk), former.exclude(owner=besides)
    taken = owners.first() or former.first()
    if taken is not None:
        raise _taken(taken.name == name, name, taken.name, field)


def hold(owner: Owner) -> None:
    """Let nobody else give a name under this owner until the caller's transaction ends."""
    Owner.objects.select_for_update(no_key=True).get(pk=owner.pk)


def owner_for(viewer: Viewer, act: str, owner: Owner | None) -> Owner:
    """The name that something is to stand under: the one given, else the viewer's own. Refused as `access.require`."""
    chosen = owner or (viewer.user.owner if viewer.user else None)
    require(viewer, act, chosen)
    assert chosen is not None
    return chosen


def check_embedding_name(
    owner: Owner, name: str, *, field: str = "name", besides: Embedding | Collection | None = None
) -> None:
    """A legal name that this owner has not used for an embedding or a pack. Conflict `name_taken`, `name_too_similar`.

    Names of deleted embeddings and names given up stay taken, so that an old address never shows something new;
    `besides` is the embedding or pack that may have them.
    """
    check_name(name, field=field)
    wanted = {"owner": owner, "look_alike": look_alike(name)}
    embeddings, former = Embedding.objects.filter(**wanted), FormerName.objects.filter(**wanted)
    packs, former_packs = Collection.objects.filter(**wanted), FormerPackName.objects.filter(**wanted)
    if isinstance(besides, Embedding):
        embeddings, former = embeddings.exclude(pk=besides.pk), former.exclude(embedding=besides)
    elif besides is not None:
        packs, former_packs = packs.exclude(pk=besides.pk), former_packs.exclude(collection=besides)
    for found in (embeddings, former, packs, former_packs):
        other = found.first()
        if other is not None:
            raise _taken(other.name == name, name, other.name, field)


def _taken(exactly: bool, name: str, other: str, field: str) -> Conflict:
    if exactly:
        return Conflict("name_taken", f"The name “{name}” is taken. Choose another.", field=field)
    return Conflict(
        "name_too_similar",
        f"“{name}” is too easily mistaken for “{other}”, which exists. Choose another.",
        field=field,
        rule="N2",
    )
