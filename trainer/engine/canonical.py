"""Between rows on a device and the canonical file every tool reads."""

import json
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hub import formats
from hub.formats.data import Tensor as Stored
from hub.formats.errors import FormatError
from trainer.engine.base_model import BaseModel
from trainer.engine.checkpoint import write_atomically
from trainer.engine.events import recipe_fault


def stored(base: BaseModel, rows: list[Tensor]) -> dict[str, Stored]:
    """Rows as the plain tensors of the format room."""
    return {
        encoder.slot: Stored(
            "F32", tuple(own.shape), own.detach().float().cpu().contiguous().numpy().tobytes()
        )
        for encoder, own in zip(base.encoders, rows, strict=True)
    }


def digest(base: BaseModel, rows: list[Tensor]) -> str:
    """The tensor digest of rows: equal values, equal digest, whatever the file."""
    return formats.tensor_digest(stored(base, rows))


def write(
    base: BaseModel, rows: list[Tensor], *, trigger: str, metadata: Mapping[str, str], path: Path
) -> str:
    """Write the canonical file; returns the tensor digest."""
    tensors = stored(base, rows)
    data = formats.write_canonical(
        tensors, family=base.facts.family, trigger=trigger, metadata=dict(metadata)
    )
    write_atomically(path, data)
    return formats.tensor_digest(tensors)


def read(base: BaseModel, path: Path) -> list[Tensor]:
    """The rows of an embedding file. Raises a recipe fault when it does not fit the base."""
    try:
        data = formats.read(path, filename=path.name)
    except FormatError as error:
        raise recipe_fault(error.code, error.message) from error
    rows = []
    for encoder in base.encoders:
        tensor = data.tensors.get(encoder.slot)
        if tensor is None or tensor.width != encoder.table.shape[1]:
            raise recipe_fault(
                "wrong_family", f"An embedding for {data.family} does not fit a {base.facts.family} base."
            )
        values = torch.frombuffer(bytearray(tensor.data), dtype=torch.float32)
        rows.append(values.view(tensor.vectors, tensor.width).to(base.device))
    return rows


def clip_skip(path: Path) -> int:
    """The layer an embedding was trained to be read with, as its file says; 1 where it says nothing sound."""
    try:
        said = formats.read(path, filename=path.name).metadata.get("glossa.clip_skip", "1")
    except FormatError as error:
        raise recipe_fault(error.code, error.message) from error
    return 2 if said == "2" else 1


def provenance_metadata(provenance: Mapping[str, Any]) -> dict[str, str]:
    """Provenance as the `glossa.*` strings of a file's header."""
    return {
        f"glossa.{name}": value
        if isinstance(value, str)
        else json.dumps(value, sort_keys=True, ensure_ascii=False)
        for name, value in provenance.items()
        if value not in (None, "")
    }


def versions() -> dict[str, str]:
    """What computed the result."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    for package in ("glossa", "torch", "diffusers", "transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found
