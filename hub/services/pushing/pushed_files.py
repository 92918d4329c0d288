"""The files of a push: what a path means here, and the one embedding that several files hold."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from hub.access import Viewer
from hub.errors import Conflict, TooLarge, Unacceptable
from hub.formats import may_be_half
from hub.services.versions import ingest, previews
from hub.services.versions.files import README

EMBEDDINGS: Final = frozenset({".safetensors", ".pt", ".bin", ".pth", ".ckpt", ".pti"})
PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp"})
# Files that tools of git add by themselves; there is nothing for them to say here.
IGNORED: Final = frozenset({".gitattributes", ".gitignore"})
MOST_EMBEDDINGS: Final = 4
Result = TypeVar("Result")


@dataclass(frozen=True)
class Added:
    """A file of a push: its path in the tree, and where its bytes lie."""

    path: str
    file: Path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return PurePosixPath(self.path).name


def kind_of(path: str) -> str:
    """`embedding`, `picture`, `card` or `ignored`. Unacceptable for a path that has no meaning here."""
    parts = PurePosixPath(path).parts
    if (
        not parts
        or path.startswith("/")
        or {"..", ".git"} & set(parts)
        or not path.isprintable()
        or "\\" in path
    ):
        raise Unacceptable("path_not_taken", f"{path[:100]!r} is no path in a repository.", field="path")
    suffix = PurePosixPath(path).suffix.lower()
    if path == README:
        return "card"
    if parts[-1] in IGNORED:
        return "ignored"
    if suffix in EMBEDDINGS:
        return "embedding"
    if suffix in PICTURES:
        return "picture"
    raise Unacceptable(
        "path_not_taken",
        f"{path[:100]} is not taken here. A commit holds an embedding file ({', '.join(sorted(EMBEDDINGS))}), "
        f"README.md, and pictures ({', '.join(sorted(PICTURES))}). Leave the rest out.",
        field="path",
    )


def embedding_of(viewer: Viewer, files: list[Added]) -> ingest.IngestedEmbedding | None:
    """The one embedding that these files hold: one file, copies of it, its parts, or the two halves of an SDXL one.

    UnacceptableFile or TooLarge naming the file, Unacceptable `several_embeddings` where they hold more than one.
    """
    if not files:
        return None
    if len(files) > MOST_EMBEDDINGS:
        raise _several(files)
    read = [(one, _named(one, partial(_read, viewer, one))) for one in files]
    read.sort(key=lambda pair: -len(pair[1].data.tensors))
    kept: list[tuple[Added, ingest.IngestedEmbedding]] = []
    seen: set[bytes] = set()
    for one, ingested in read:
        bodies = {tensor.data for tensor in ingested.data.tensors.values()}
        if not bodies <= seen:
            kept.append((one, ingested))
        seen |= bodies
    if len(kept) == 1:
        return kept[0][1]
    if len(kept) > 2 or not all(_may_be_half(ingested) for _, ingested in kept):
        raise _several([one for one, _ in kept])
    (first, _), (second, _) = kept
    return ingest.embedding(viewer, path=first.file, filename=first.name, half=(second.file, second.name))


def pictures_of(viewer: Viewer, files: list[Added]) -> list[previews.Taken]:
    """The publisher's pictures, looked at and not stored. UnacceptableFile or TooLarge naming the file."""
    if len(files) > previews.MOST_UPLOADS:
        raise Conflict(
            "too_many_pictures", f"A version has at most {previews.MOST_UPLOADS} pictures of its own."
        )
    return [_named(one, partial(_take, viewer, one)) for one in files]


def _read(viewer: Viewer, one: Added) -> ingest.IngestedEmbedding:
    return ingest.embedding(viewer, path=one.file, filename=one.name)


def _take(viewer: Viewer, one: Added) -> previews.Taken:
    return previews.take(viewer, path=one.file, filename=one.name)


def _may_be_half(ingested: ingest.IngestedEmbedding) -> bool:
    return may_be_half(ingested.facts["family"], ingested.facts["layout"])


def _named(one: Added, act: Callable[[], Result]) -> Result:
    """The act's result; its refusal with the path in front, since a push may have many files."""
    try:
        return act()
    except (Unacceptable, TooLarge) as error:
        raise type(error)(error.code, f"{one.path}: {error.message}", **error.detail) from None


def _several(files: list[Added]) -> Unacceptable:
    names = ", ".join(one.path for one in files)
    return Unacceptable(
        "several_embeddings",
        f"One commit makes one version, and these files hold different embeddings: {names}. Push them one after the "
        "other, or each to a repository of its own.",
        field="path",
    )
