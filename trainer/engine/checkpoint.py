"""A run's state as one small file: tensors as safetensors, the rest as JSON in its header.

Written to a temporary name in the same folder, synced and renamed, so a file that exists is whole.
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

from trainer.engine.events import machine_fault, recipe_fault
from trainer.engine.fit import Fit
from trainer.engine.optimiser import Moments, Scaler, Search
from trainer.engine.state import Block, RunState
from trainer.recipe import Recipe, RecipeError

FORMAT = 1


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


def write_atomically(path: Path, data: bytes) -> None:
    """Put a whole file at `path` or nothing. Raises a machine fault when the disk refuses."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise machine_fault("disk", f"A file of the run could not be written: {error.strerror}.") from error


def save(state: RunState, identity: Identity, path: Path) -> dict[str, Any]:
    """Write the state; returns path, sha256 and size."""
    tensors: dict[str, Tensor] = {}
    for number, (rows, moments) in enumerate(zip(state.rows, state.moments, strict=True)):
        tensors[f"{number}.rows"] = rows
        tensors[f"{number}.first"] = moments.first
        tensors[f"{number}.second"] = moments.second
        for name, tensor in vars(moments.search).items() if moments.search else ():
            tensors[f"{number}.search.{name}"] = tensor
        for place, block in enumerate(state.blocks):
            tensors[f"{number}.block.{place}"] = block.sums[number]
        for place, (_, kept) in enumerate(state.snapshots):
            tensors[f"{number}.snapshot.{place}"] = kept[number]
    if state.scaler:
        tensors["scale"], tensors["streak"] = state.scaler.scale, state.scaler.streak
    header = {
        "format": FORMAT,
        "step": state.step,
        "encoders": len(state.rows),
        "blocks": [[block.start, block.stop] for block in state.blocks],
        "block_steps": state.block_steps,
        "snapshot_steps": state.snapshot_steps,
        "snapshots": [step for step, _ in state.snapshots],
        "fixed": state.fixed,
        "losses": state.losses,
        "capped": state.capped,
        "lr_scale": state.lr_scale,
        "fit": [state.fit.size, state.fit.measures] if state.fit else None,
        "torch": torch.__version__,
        **identity.values(),
    }
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    # One metadata key: the safetensors library writes several in random order.
    data = safetensors.torch.save(stored, {"glossa.checkpoint": json.dumps(header)})
    write_atomically(path, data)
    return {"path": str(path), "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}


def load(path: Path, identity: Identity, device: torch.device) -> RunState:
    """The state a checkpoint holds. Raises a fault when it is damaged or belongs to another run."""
    try:
        with safetensors.safe_open(path, "pt", device=str(device)) as file:
            header = json.loads(file.metadata()["glossa.checkpoint"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
        if header["format"] != FORMAT:
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
        blocks=[
            Block(start, stop, [tensors[f"{n}.block.{place}"] for n in encoders])
            for place, (start, stop) in enumerate(header["blocks"])
        ],
        block_steps=header["block_steps"],
        snapshot_steps=header["snapshot_steps"],
        snapshots=[
            (step, [tensors[f"{n}.snapshot.{place}"] for n in encoders])
            for place, step in enumerate(header["snapshots"])
        ],
        fixed=header["fixed"],
        losses=header["losses"],
        capped=header["capped"],
        lr_scale=header["lr_scale"],
        fit=Fit(*header["fit"]) if header.get("fit") else None,
        scaler=Scaler(tensors["scale"], tensors["streak"]) if "scale" in tensors else None,
    )


def _search(tensors: dict[str, Tensor], encoder: int) -> Search | None:
    own = f"{encoder}.search."
    found = {name.removeprefix(own): tensor for name, tensor in tensors.items() if name.startswith(own)}
    return Search(**found) if found else None
