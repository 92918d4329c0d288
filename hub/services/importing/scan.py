"""What lies in a folder of embeddings as some tool left it: which files are one embedding, and what belongs to it.

Only names are looked at here. Links that lead out of the folder are not followed.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EMBEDDINGS: Final = frozenset({".safetensors", ".pt", ".bin", ".pth", ".ckpt", ".pti", ".sft"})
PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp")
SIDECARS: Final = (".civitai.info", ".cm-info.json", ".metadata.json", ".api_info.json", ".json", ".txt")
MOST_PREVIEWS: Final = 4
_HALF = re.compile(r"(.*)learned_embeds(?!_2)(.*)\.safetensors", re.DOTALL)
_CHECKPOINT = re.compile(r"learned_embeds-steps-\d+.*")
# What the scripts call every file; there the folder has the name.
_NAMELESS = frozenset({"learned_embeds", "learned_embeds_2", "embedding", "embeddings", "model"})
_CONCEPT_FILES = ("token_identifier.txt", "type_of_concept.txt")


@dataclass(frozen=True)
class Item:
    """One embedding to be: its file, or the two halves of an SDXL pair, and what lies beside them.

    `stem` is the name people know it by; `is_lone_picture` a picture beside no embedding, which may be one itself;
    `is_negative_of_pair` the `-neg` half of two embeddings; `skip` why it is passed over.
    """

    files: tuple[Path, ...]
    stem: str
    sidecars: tuple[Path, ...] = ()
    previews: tuple[Path, ...] = ()
    is_lone_picture: bool = False
    is_negative_of_pair: bool = False
    concept: str = ""
    skip: str = ""


def scan(folder: Path) -> Iterator[Item]:
    """Every embedding in the folder and the folders in it, in order of their names."""
    root = folder.resolve()
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        here = Path(place)
        if here.name == "concept_images":
            continue
        files = [here / name for name in sorted(names) if not name.startswith(".")]
        yield from _items([path for path in files if _is_inside(path, root)], root)


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.is_file() and path.resolve().is_relative_to(root)
    except OSError:
        return False


def _items(files: list[Path], root: Path) -> Iterator[Item]:
    """The embeddings of one folder."""
    names = {path.name for path in files}
    stems = {path.stem for path in files if path.suffix.lower() in EMBEDDINGS}
    is_concept = any(name in names for name in _CONCEPT_FILES)
    done: set[Path] = set()
    for path in files:
        suffix = path.suffix.lower()
        if path in done:
            continue
        if suffix in EMBEDDINGS:
            item = _item(path, names, root, is_concept=is_concept)
            done.update(item.files)
            yield item
        elif suffix in (".png", ".webp") and not is_concept and not _is_preview(path, stems):
            yield Item((path,), path.stem, _beside(path, SIDECARS), is_lone_picture=True)


def _item(path: Path, names: set[str], root: Path, *, is_concept: bool) -> Item:
    stem = path.stem
    files: tuple[Path, ...] = (path,)
    half = _HALF.fullmatch(path.name)
    if half:
        other = f"{half[1]}learned_embeds_2{half[2]}.safetensors"
        if other in names:
            files = (path, path.with_name(other))
        stem = f"{half[1]}{half[2]}".strip("-_. ") or stem
    if stem in _NAMELESS and path.parent != root:
        stem = path.parent.name
    if is_concept:
        if _CHECKPOINT.fullmatch(path.stem):
            return Item(files, stem, skip="a checkpoint of the training, beside its result")
        return _concept(path, files)
    return Item(
        files,
        stem,
        _beside(path, SIDECARS),
        _previews(path),
        is_negative_of_pair=stem.endswith("-neg") and f"{path.stem[:-4]}{path.suffix}" in names,
    )


def _concept(path: Path, files: tuple[Path, ...]) -> Item:
    """The layout of sd-concepts-library: one folder, one concept, pictures in a folder of their own."""
    pictures = path.parent / "concept_images"
    found = sorted(one for one in pictures.glob("*") if one.suffix.lower() in PICTURES and one.is_file())
    kind = path.parent / "type_of_concept.txt"
    concept = kind.read_text("utf-8", "replace")[:100].strip().lower() if kind.is_file() else ""
    # People rename the file; the folder is what the concept is called.
    return Item(files, path.parent.name, (), tuple(found[:MOST_PREVIEWS]), concept=concept)


def _is_preview(path: Path, stems: set[str]) -> bool:
    """Whether a picture is that of an embedding beside it; `x.preview.png` never is one itself."""
    return path.stem.endswith(".preview") or path.stem in stems


def _beside(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, ...]:
    found = (path.with_name(path.stem + suffix) for suffix in suffixes)
    return tuple(one for one in found if one.is_file() and not one.is_symlink())


def _previews(path: Path) -> tuple[Path, ...]:
    """`x.preview.png` first, then `x.png`."""
    named = (*[f".preview{suffix}" for suffix in PICTURES], *PICTURES)
    return _beside(path, named)[:MOST_PREVIEWS]
