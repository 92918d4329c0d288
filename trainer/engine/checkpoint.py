"""A run's state as small files: tensors as safetensors, the rest as JSON in a header.

The checkpoint itself holds what the next step needs. What only the result needs lies beside it in parts, each in a
file named after its digest: the sum of all rows so far, and the marks, which never change and are written once.
Everything is written to a temporary name in the same folder, synced and renamed, so a file that exists is whole.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from trainer.engine import earlier
from trainer.engine.events import machine_fault, recipe_fault
from trainer.engine.fit import Fit
from trainer.engine.optimiser import Moments, Scaler, Search
from trainer.engine.state import Mark, RunState
from trainer.recipe import Recipe, RecipeError

FORMAT = 2
PART = "part"


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to. Going on with anything else would not be the same run."""

    recipe: str
    base_digest: str
    dataset_digest: str

    def values(self) -> dict[str, str]:
        """As stored in the file."""
        return {
            "recipe": self.recipe,
            "base_digest": self.base_digest,
            "dataset_digest": self.dataset_digest,
        }


def write_atomically(path: Path, data: bytes, *, is_last: bool = True) -> None:
    """Put a whole file at `path` or nothing. Raises a machine fault when the disk refuses.

    Of several files for one folder only the last one needs to have the folder itself synced.
    """
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        if is_last:
            _sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise machine_fault("disk", f"A file of the run could not be written: {error.strerror}.") from error


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def save(state: RunState, identity: Identity, path: Path) -> dict[str, Any]:
    """Write the state; returns path, sha256 and size, and the same of each part in `parts`."""
    parts = _save_parts(state, path.parent)
    tensors: dict[str, Tensor] = {}
    for number, (rows, moments) in enumerate(zip(state.rows, state.moments, strict=True)):
        tensors[f"{number}.rows"] = rows
        tensors[f"{number}.first"] = moments.first
        tensors[f"{number}.second"] = moments.second
        for name, tensor in vars(moments.search).items() if moments.search else ():
            tensors[f"{number}.search.{name}"] = tensor
    if state.scaler:
        tensors["scale"], tensors["streak"] = state.scaler.scale, state.scaler.streak
    header = {
        "format": FORMAT,
        "step": state.step,
        "encoders": len(state.rows),
        "total": parts[0]["sha256"],
        "marks": [[mark.step, mark.sha256] for mark in state.marks],
        "mark_steps": state.mark_steps,
        "fixed": state.fixed,
        "losses": state.losses,
        "capped": state.capped,
        "lr_scale": state.lr_scale,
        "fit": [state.fit.size, state.fit.measures, state.fit.compiled] if state.fit else None,
        "torch": torch.__version__,
        **identity.values(),
    }
    data = _file(tensors, header)
    write_atomically(path, data)
    return {**_written(path, data), "parts": parts}


def _save_parts(state: RunState, folder: Path) -> list[dict[str, Any]]:
    """Write the sum, and the marks that are not there yet."""
    written = [_save_part({"total": state.total}, folder)]
    for mark in state.marks:
        path = folder / f"{mark.sha256}.{PART}"
        if mark.sha256 and path.exists():
            written.append({"path": str(path), "sha256": mark.sha256, "size": path.stat().st_size})
        else:
            written.append(_save_part({"rows": mark.rows, "total": mark.total}, folder))
            mark.sha256 = written[-1]["sha256"]
    return written


def _save_part(groups: dict[str, list[Tensor]], folder: Path) -> dict[str, Any]:
    tensors = {f"{n}.{name}": own for name, group in groups.items() for n, own in enumerate(group)}
    data = _file(tensors, {})
    path = folder / f"{hashlib.sha256(data).hexdigest()}.{PART}"
    write_atomically(path, data, is_last=False)
    return _written(path, data)


def _file(tensors: dict[str, Tensor], header: dict[str, Any]) -> bytes:
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One metadata key: the safetensors library writes several in random order.
    return safetensors.torch.save(stored, {"glossa.checkpoint": json.dumps(header)})


def _written(path: Path, data: bytes) -> dict[str, Any]:
    return {"path": str(path), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def drop(path: Path) -> None:
    """Remove a checkpoint, and the parts beside it that no other checkpoint there names."""
    path.unlink(missing_ok=True)
    needed = {name for other in path.parent.glob("step-*.safetensors") for name in _names(other)}
    for part in path.parent.glob(f"*.{PART}"):
        if part.stem not in needed:
            part.unlink(missing_ok=True)


def _names(path: Path) -> list[str]:
    """The parts of a checkpoint."""
    with safetensors.safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["glossa.checkpoint"])
    return [header["total"], *(sha256 for _, sha256 in header["marks"])]


def load(path: Path, identity: Identity, device: torch.device) -> RunState:
    """The state that a checkpoint and the parts beside it hold.

    Raises a fault when something is damaged or missing, or belongs to another run.
    """
    try:
        with safetensors.safe_open(path, "pt", device=str(device)) as file:
            header = json.loads(file.metadata()["glossa.checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if header["format"] == earlier.FORMAT:
            header, tensors = earlier.today(header, tensors)
        elif header["format"] == FORMAT:
            tensors |= _parts(header, path.parent, device)
        else:
            raise machine_fault(
                "checkpoint_format", "The checkpoint was written by another version of Glossa."
            )
        for name, wanted in identity.values().items():
            if _today(name, header[name]) != wanted:
                what = name.removesuffix("_digest").replace("dataset", "set of pictures")
                raise recipe_fault("checkpoint_mismatch", f"The checkpoint belongs to another {what}.")
        return _state(header, tensors)
    except (OSError, KeyError, TypeError, ValueError, safetensors.SafetensorError) as error:
        raise machine_fault("checkpoint_damaged", "The checkpoint cannot be read.", str(error)) from error


def _parts(header: dict[str, Any], folder: Path, device: torch.device) -> dict[str, Tensor]:
    """The tensors of a checkpoint's parts, those of a mark under its step."""
    found = {}
    for prefix, sha256 in [
        ("", header["total"]),
        *((f"{step}/", sha256) for step, sha256 in header["marks"]),
    ]:
        data = (folder / f"{sha256}.{PART}").read_bytes()
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError(f"The part {sha256} is damaged.")
        for name, tensor in safetensors.torch.load(data).items():
            found[prefix + name] = tensor.to(device)
    return found


def _today(name: str, value: str) -> str:
    """A stored value as it would be written now: settings added since then have their defaults."""
    if name != "recipe":
        return value
    try:
        return Recipe.from_json(value).to_json()
    except RecipeError:
        return value


def _state(header: dict[str, Any], tensors: dict[str, Tensor]) -> RunState:
    encoders = range(header["encoders"])
    return RunState(
        step=header["step"],
        rows=[tensors[f"{n}.rows"] for n in encoders],
        moments=[
            Moments(tensors[f"{n}.first"], tensors[f"{n}.second"], _search(tensors, n)) for n in encoders
        ],
        total=[tensors[f"{n}.total"] for n in encoders],
        marks=[_mark(step, tensors, encoders) for step, _ in header["marks"]],
        mark_steps=header["mark_steps"],
        fixed=header["fixed"],
        losses=header["losses"],
        capped=header["capped"],
        lr_scale=header["lr_scale"],
        fit=Fit(*header["fit"]) if header.get("fit") else None,
        scaler=Scaler(tensors["scale"], tensors["streak"]) if "scale" in tensors else None,
    )


def _mark(step: int, tensors: dict[str, Tensor], encoders: range) -> Mark:
    rows, total = ([tensors[f"{step}/{n}.{name}"] for n in encoders] for name in ("rows", "total"))
    return Mark(step, rows, total)


def _search(tensors: dict[str, Tensor], encoder: int) -> Search | None:
    own = f"{encoder}.search."
    found = {name.removeprefix(own): tensor for name, tensor in tensors.items() if name.startswith(own)}
    return Search(**found) if found else None
