"""What the values were stored as before they became F32: remembered in the canonical file, and had back from it."""

import hashlib
from collections.abc import Mapping

from hub.formats.data import EmbeddingData, Tensor
from hub.formats.errors import FormatError
from hub.formats.safetensors_file import read_safetensors, write_safetensors
from hub.formats.values import narrow, widen

# Metadata of a foreign file that may go on into ours. Dates and paths may not: bytes must be reproducible.
_KEPT = tuple(
    f"modelspec.{key}"
    for key in [
        "title",
        "description",
        "author",
        "license",
        "tags",
        "usage_hint",
        "is_negative_embedding",
        "resolution",
        "prediction_type",
        "architecture",
        "merged_from",
    ]
)
_KEY = "glossa.source_dtype"


def canonical_metadata(data: EmbeddingData) -> dict[str, str]:
    """What a canonical file made from this one keeps of its metadata, and the dtypes it came with."""
    kept = {
        key: value
        for key, value in data.metadata.items()
        if key in _KEPT or (key.startswith("glossa.") and value)
    }
    kept.pop("glossa.family", None)
    if data.step is not None and "glossa.steps" not in kept:
        kept["glossa.step"] = str(data.step)
    if any(warning.startswith("modelspec.architecture says") for warning in data.warnings):
        kept.pop("modelspec.architecture", None)
    if _KEY not in kept:
        dtypes = {data.source_dtypes.get(slot, "F32") for slot in data.tensors}
        kept[_KEY] = (
            dtypes.pop()
            if len(dtypes) == 1
            else " ".join(f"{slot}={data.source_dtypes.get(slot, 'F32')}" for slot in data.tensors)
        )
    return kept


def stored_dtypes(data: EmbeddingData) -> dict[str, str]:
    """The dtype of each slot in the file that the values first came from: `F16` for all, or `clip_l=F16 …`."""
    said = data.metadata.get(_KEY, "")
    names = {encoder.name: slot for slot, encoder in zip(data.tensors, data.encoders, strict=True)}
    each = dict(part.split("=", 1) for part in said.split() if "=" in part)
    whole = said if said and not each else ""
    by_slot = {names.get(name, name): dtype for name, dtype in each.items()}
    return {slot: by_slot.get(slot) or whole or data.source_dtypes.get(slot, "F32") for slot in data.tensors}


def narrowed(tensors: Mapping[str, Tensor], dtypes: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors in those dtypes, bit for bit as they were. FormatError (`dtype_lost`) where that cannot be."""
    return {slot: _narrowed(slot, tensor, dtypes[slot]) for slot, tensor in tensors.items()}


def canonical_narrowed(canonical: bytes, tensors: Mapping[str, Tensor]) -> bytes:
    """A canonical file with other tensors under its keys, and their hash in the place of its own."""
    file = read_safetensors(canonical)
    body = hashlib.sha256(b"".join(tensor.data for tensor in tensors.values())).hexdigest()
    return write_safetensors(tensors, {**file.metadata, "modelspec.hash_sha256": f"0x{body}"})


def _narrowed(slot: str, tensor: Tensor, dtype: str) -> Tensor:
    if dtype == "F64":
        raise _lost(slot, dtype, "F64 values were rounded when they were read")
    if dtype not in ("F16", "BF16", "F32"):
        raise _lost(slot, dtype, "no such dtype is known")
    try:
        data = narrow(dtype, tensor.data)
    except OverflowError:
        data = b""
    if widen(dtype, data) != tensor.data:
        raise _lost(slot, dtype, "these values need more than that")
    return Tensor(dtype, tensor.shape, data)


def _lost(slot: str, dtype: str, why: str) -> FormatError:
    return FormatError(
        "dtype_lost",
        f"{slot} is said to have been {dtype[:20]!a}, but {why}; write it in F32.",
        detail={"slot": slot, "dtype": dtype[:20]},
    )
