"""The preview sheet: every cell of the plan as a picture, the whole as one, proof that the base is intact.

Pictures of the fixed prompts without the word are the same for every embedding of a base, so they are kept in a cache
folder.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.compose import compose
from trainer.engine.events import OnEvent, recipe_fault
from trainer.engine.render import BATCH, Shot, render
from trainer.prompts import OWN, Cell, sheet_plan

# Blocks that keep to batches of their own, because what lies beside a picture in a batch may move its last bits: the
# two sides of the intact ones are computed alike, and own prompts leave the pictures of the fixed ones as they are.
APART = ("D", OWN)
SAMPLER_NAMES = {"ddim": "DDIM", "dpmpp_2m_karras": "DPM++ 2M Karras"}
Stopping = Callable[[], bool]


@dataclass(frozen=True)
class Subject:
    """What the sheet shows: final rows, growth snapshots by label, the words around them, and prompts of one's own."""

    kind: str
    trigger: str
    initializer: str
    rows: tuple[Tensor, ...]
    growth: Mapping[str, tuple[Tensor, ...]]
    tensor_digest: str
    clip_skip: int = 1
    prompts: tuple[str, ...] = ()


def make_sheet(
    base: BaseModel,
    subject: Subject,
    folder: Path,
    *,
    cache: Path | None,
    should_stop: Stopping,
    on_event: OnEvent,
) -> dict[str, Any] | None:
    """Render the sheet into `folder`; the facts for a `sheet` event, or None when asked to stop."""
    record = base.facts.record
    cells = sheet_plan(
        subject.kind,
        initializer=subject.initializer,
        record=record,
        growth=list(subject.growth),
        own=subject.prompts,
    )
    cells.sort(key=lambda cell: cell.block)
    pictures, cached = _pictures(base, subject, cells, cache, should_stop, on_event)
    if len(pictures) < len(cells):
        return None
    folder.mkdir(parents=True, exist_ok=True)
    images = []
    for cell, picture in zip(cells, pictures, strict=True):
        path = folder / f"{cell.block}-{cell.row}-{cell.column}.png"
        picture.save(path, pnginfo=png_text(base, subject, cell))
        images.append({"path": str(path), **cell_facts(base, subject, cell)})
    whole = folder / "sheet.webp"
    compose(cells, pictures, subject.trigger).save(whole, quality=92)
    return {
        "images": images,
        "sheet": str(whole),
        "intact": _intact(base, subject, cells, pictures),
        "cached": cached,
        "rendered": len(cells) - cached,
    }


def take_previews(
    base: BaseModel, subject: Subject, prompt: str, seeds: Sequence[int], folder: Path
) -> list[dict[str, Any]]:
    """Small pictures of the rows as they are now, for the growth strip of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    cells = [Cell("F", 0, column, prompt, seed) for column, seed in enumerate(seeds)]
    pictures = render(base, [_shot(subject, cell) for cell in cells])
    images = []
    for cell, picture in zip(cells, pictures, strict=True):
        path = folder / f"{cell.seed}.png"
        picture.save(path, pnginfo=png_text(base, subject, cell))
        images.append({"path": str(path), **cell_facts(base, subject, cell)})
    return images


def cell_facts(base: BaseModel, subject: Subject, cell: Cell) -> dict[str, Any]:
    """All parameters of one picture."""
    prompt, negative = cell.shown(subject.trigger)
    facts = base.facts
    return {
        "block": cell.block,
        "row": cell.row,
        "column": cell.column,
        "prompt": prompt,
        "negative_prompt": negative,
        "seed": cell.seed,
        "steps": facts.steps,
        "guidance": facts.guidance,
        "sampler": facts.sampler,
        "weight": cell.weight,
        "rows": cell.rows,
        "alt": prompt + (f" (without: {negative})" if negative else ""),
        "is_control": cell.is_control,
        "width": facts.resolution,
        "height": facts.resolution,
        **({"clip_skip": subject.clip_skip} if subject.clip_skip > 1 else {}),
    }


def png_text(base: BaseModel, subject: Subject, cell: Cell) -> PngInfo:
    """A1111's `parameters` text, which other tools read back from a picture."""
    prompt, negative = cell.shown(subject.trigger)
    facts = base.facts
    settings = {
        "Steps": facts.steps,
        "Sampler": SAMPLER_NAMES.get(facts.sampler, facts.sampler),
        "CFG scale": f"{facts.guidance:g}",
        "Seed": cell.seed,
        "Size": f"{facts.resolution}x{facts.resolution}",
        "Model hash": base.digest[:10],
        "Model": facts.name,
    }
    if subject.clip_skip > 1:
        settings["Clip skip"] = subject.clip_skip
    if not cell.is_control and cell.block != "D":
        settings["TI hashes"] = f'"{subject.trigger}: {subject.tensor_digest[:12]}"'
    lines = [prompt, *([f"Negative prompt: {negative}"] if negative else [])]
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    info = PngInfo()
    info.add_text("parameters", "\n".join(lines))
    return info


def _pictures(
    base: BaseModel,
    subject: Subject,
    cells: Sequence[Cell],
    cache: Path | None,
    should_stop: Stopping,
    on_event: OnEvent,
) -> tuple[list[Image.Image], int]:
    """The pictures of the cells, and how many of them came from the cache."""
    found = {
        n: kept for n, cell in enumerate(cells) if (kept := _cached(base, cache, cell, subject.clip_skip))
    }
    missing = [n for n in range(len(cells)) if n not in found]
    queues = [[n for n in missing if cells[n].block not in APART]]
    queues += [[n for n in missing if cells[n].block == block] for block in APART]
    cached = len(found)
    for waiting in queues:
        for start in range(0, len(waiting), BATCH):
            if should_stop():
                return [], cached
            on_event("rendering", done=len(found), total=len(cells))
            batch = waiting[start : start + BATCH]
            for n, picture in zip(
                batch, render(base, [_shot(subject, cells[n]) for n in batch]), strict=True
            ):
                found[n] = picture
                _store(base, cache, cells[n], picture, subject.clip_skip)
    return [found[n] for n in sorted(found)], cached


def _shot(subject: Subject, cell: Cell) -> Shot:
    rows: tuple[Tensor, ...] | None
    if cell.rows == "final":
        rows = subject.rows
    elif cell.rows == "none":
        rows = None
    elif cell.rows in subject.growth:
        rows = subject.growth[cell.rows]
    else:
        raise recipe_fault("growth_missing", f"There is no snapshot '{cell.rows}'.")
    return Shot(cell.prompt, cell.seed, cell.negative_prompt, cell.weight, rows, subject.clip_skip)


def _intact(
    base: BaseModel, subject: Subject, cells: Sequence[Cell], pictures: Sequence[Image.Image]
) -> bool:
    """Whether prompts without the word give the very pixels of the bare base."""
    pairs = [(cell, picture) for cell, picture in zip(cells, pictures, strict=True) if cell.block == "D"]
    bare = render(base, [Shot(cell.prompt, cell.seed, clip_skip=subject.clip_skip) for cell, _ in pairs])
    return all(own.tobytes() == picture.tobytes() for own, (_, picture) in zip(bare, pairs, strict=True))


def _key(base: BaseModel, cell: Cell, clip_skip: int) -> str:
    """Everything that decides the pixels of a control picture, the machine's arithmetic included."""
    facts = base.facts
    parts = [
        base.digest,
        cell.prompt,
        cell.negative_prompt,
        cell.seed,
        facts.sampler,
        facts.steps,
        facts.guidance,
    ]
    parts += [facts.resolution, str(base.dtype), str(base.device), torch.__version__, torch.get_num_threads()]
    parts += [clip_skip] if clip_skip > 1 else []
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _is_for_all(cell: Cell) -> bool:
    """Whether other words of the base have this very picture: fixed controls do, those of own prompts hardly ever."""
    return cell.rows == "none" and cell.block != OWN


def _cached(base: BaseModel, cache: Path | None, cell: Cell, clip_skip: int) -> Image.Image | None:
    if cache is None or not _is_for_all(cell):
        return None
    try:
        with Image.open(cache / f"{_key(base, cell, clip_skip)}.png", formats=("PNG",)) as picture:
            return picture.convert("RGB")
    except (OSError, SyntaxError):
        return None


def _store(base: BaseModel, cache: Path | None, cell: Cell, picture: Image.Image, clip_skip: int) -> None:
    if cache is None or not _is_for_all(cell):
        return
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{_key(base, cell, clip_skip)}.png"
    temporary = path.with_suffix(f".{id(picture)}.part")
    picture.save(temporary, format="PNG")
    temporary.replace(path)
