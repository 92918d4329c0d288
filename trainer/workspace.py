"""The private folder of one attempt: pictures and checkpoint come out of the store, results go into it."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings

from hub import blobs
from hub.access import Viewer
from hub.catalog import gates
from hub.errors import NotFound, Unavailable
from hub.models import Version
from trainer.models import TrainingRun

log = logging.getLogger(__name__)


@contextmanager
def work_folder(name: str) -> Iterator[Path]:
    """An empty folder that is wiped afterwards; what a killed worker left under this name is wiped first."""
    folder = Path(settings.DATA_DIR) / "work" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cache_folder() -> Path:
    """Where the engine keeps control pictures, which are the same for every word of a base."""
    return Path(settings.DATA_DIR) / "cache" / "sheets"


def board_folder(run: TrainingRun) -> str | None:
    """Where the engine writes scalars of this run, if the operator wants them."""
    folder = settings.HUB["HUB_TENSORBOARD_DIR"]
    return str(Path(folder).resolve() / str(run.id)) if folder else None


def write_pictures(run: TrainingRun, folder: Path) -> list[dict[str, Any]]:
    """The run's pictures as files, in order. Raises Unavailable when the store is out."""
    target = folder / "pictures"
    target.mkdir(exist_ok=True)
    written = []
    for image in run.images.order_by("position"):
        path = target / f"{image.position:03d}.{image.content_type.rpartition('/')[2]}"
        path.write_bytes(blobs.read(image.blob_id))
        mask = None
        if image.mask_id:
            mask = str(path.with_suffix(".mask.png"))
            Path(mask).write_bytes(blobs.read(image.mask_id))
        written.append(
            {
                "path": str(path),
                "caption": image.caption or None,
                "sha256": image.blob_id,
                "focus": image.facts.get("focus"),
                "mask": mask,
            }
        )
    return written


def write_checkpoint(run: TrainingRun, folder: Path) -> Path | None:
    """The newest checkpoint whose bytes are what they should be, as a file beside its parts; None to start afresh.

    Raises Unavailable when the store is out, since then it may well be there.
    """
    for kept in run.checkpoints.order_by("-step"):
        parts = list(kept.parts.values_list("blob_id", flat=True))
        try:
            data = {f"resume-{kept.step:06d}.safetensors": blobs.read(kept.blob_id)}
            data |= {f"{sha256}.part": blobs.read(sha256) for sha256 in parts}
        except (NotFound, Unavailable) as error:
            if isinstance(error, Unavailable) and error.code != "blob_damaged":
                raise
            log.warning("run %s: checkpoint of step %d cannot be used: %s", run.id, kept.step, error.message)
            continue
        for name, content in data.items():
            (folder / name).write_bytes(content)
        return folder / next(iter(data))
    return None


def write_start(run: TrainingRun, folder: Path) -> str | None:
    """The word that the run starts from, as a file; None where it starts from none, or may not have it any more."""
    if run.start is None or run.start.tensors_id is None:
        return None
    if not gates.may_have(Viewer(run.created_by), gates.of(run.start.embedding)):
        return None
    path = folder / "start.safetensors"
    path.write_bytes(blobs.read(run.start.tensors_id))
    return str(path)


def write_snapshots(run: TrainingRun, folder: Path) -> list[dict[str, Any]]:
    """The word as it was on the way, as files for the growth row of the sheet."""
    target = folder / "snapshots"
    target.mkdir(exist_ok=True)
    written = []
    for kept in run.snapshots.order_by("position"):
        path = target / f"{kept.position:02d}.safetensors"
        path.write_bytes(blobs.read(kept.blob_id))
        written.append({"label": kept.label, "step": kept.step, "path": str(path)})
    return written


def growth_of(version: Version, folder: Path) -> list[dict[str, Any]] | None:
    """The same for a version that a run left; None for an upload."""
    run = TrainingRun.objects.filter(version=version).first()
    return (write_snapshots(run, folder) or None) if run is not None else None


def pictures_of(version: Version, folder: Path) -> list[dict[str, Any]]:
    """The pictures that a version was learned from, as files; none for an upload, or once they are deleted."""
    run = TrainingRun.objects.filter(version=version).first()
    return write_pictures(run, folder) if run is not None else []


def prompts_of(version: Version) -> list[str]:
    """The preview prompts that were asked for with a version's run; none for an upload."""
    run = TrainingRun.objects.filter(version=version).first()
    return list(run.recipe.get("preview_prompts", ())) if run is not None else []


def metrics_folder() -> Path:
    """Where an operator may put models that look at pictures (`clip`, `dino`), for the measures that need one."""
    return Path(settings.MODELS_DIR) / "metrics"


def write_embedding(version: Version, folder: Path) -> Path:
    """A version's vectors as a canonical file. Raises Unavailable."""
    assert version.tensors_id is not None
    path = folder / "embedding.safetensors"
    path.write_bytes(blobs.read(version.tensors_id))
    return path


def memory_of(pid: int | None) -> int:
    """Bytes of memory that a process holds; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
