"""Bytes in, one checked embedding out: container, frame, layout, family, values, and what to tell."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from hub.formats.canonical import check_tensors
from hub.formats.data import EmbeddingData, Tensor
from hub.formats.detect import refuse_polyglot, refuse_unread, wrong_suffix
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES, Family, family_of_architecture
from hub.formats.layouts import Mapped, family_of, map_keys, refuse_other_models
from hub.formats.limits import DEFAULT_LIMITS, MAX_ELEMENTS, MIB, PROMPT_CHUNK, Limits
from hub.formats.safetensors_file import SafetensorsFile, read_safetensors
from hub.formats.trigger import suggest_trigger
from hub.formats.values import widen

_HALF_OF_A_PAIR = (
    "An SDXL script writes its first half exactly like this. If there is a second file with vectors of width "
    "1280, this one alone has half the effect on SDXL."
)
_STEP_KEYS = ("glossa.steps", "glossa.step", "ss_steps")


def read(
    source: bytes | str | os.PathLike[str],
    *,
    filename: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> EmbeddingData:
    """The embedding in a file. `filename` is the name its owner gave it: it only suggests the trigger.

    FormatError with code and rule for all that is not one sound embedding; OSError for an unreadable path.
    """
    data = source if isinstance(source, bytes) else read_capped(Path(source), limits)
    if filename is None:
        filename = "" if isinstance(source, bytes) else Path(source).name
    refuse_large(len(data), limits)
    container = refuse_unread(data, filename)
    file = read_safetensors(data)
    refuse_polyglot(data)
    mapped, stored = _understand(file)
    family, names = family_of(mapped, {slot: stored[name].width for slot, name in mapped.names.items()})
    return _embedding(family, names, mapped, stored, file, filename, container, limits)


def read_capped(path: Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """At most one byte more than the limit allows: a huge file costs no memory before it is refused."""
    with path.open("rb") as file:
        return file.read(limits.max_bytes + 1)


def refuse_large(size: int, limits: Limits = DEFAULT_LIMITS) -> None:
    """FormatError (U2) for a file over the limit."""
    if size > limits.max_bytes:
        raise FormatError(
            "file_too_large",
            f"The file is larger than {limits.max_bytes / MIB:g} MiB, the limit of this hub. An embedding is "
            "far smaller; from a LoRA that carries one, take the embedding out first.",
            rule="U2",
            detail={"limit": limits.max_bytes},
        )


def check_claims(data: EmbeddingData, **claims: object) -> None:
    """FormatError (`metadata_mismatch`, F8) when a form or request claims something else than the bytes say.

    Known claims: `family`, `vectors`, `width`. A claim of None or of an empty string is no claim.
    """
    facts = {
        "family": data.family,
        "vectors": data.vectors,
        "width": data.encoders[0].width,
    }
    for name, claimed in claims.items():
        if claimed not in (None, "") and str(claimed) != str(facts[name]):
            raise FormatError(
                "metadata_mismatch",
                f"The {name} is said to be {str(claimed)[:60]}, but the file has {facts[name]}.",
                rule="F8",
                detail={"field": name, "claimed": claimed, "found": facts[name]},
            )


def _understand(file: SafetensorsFile) -> tuple[Mapped, dict[str, Tensor]]:
    """The layout, and the stored tensors that belong to the embedding."""
    shapes = {name: entry.shape for name, entry in file.entries.items()}
    if any(name.startswith("bundle_emb.") for name in shapes):
        mapped = map_keys(shapes)
        return mapped, {name: file.tensor(name) for name in mapped.names.values()}
    refuse_other_models(shapes)
    stored = {name: file.tensor(name) for name in shapes}
    return map_keys({name: (tensor.vectors, tensor.width) for name, tensor in stored.items()}), stored


def _embedding(
    family: Family,
    names: Mapping[str, str],
    mapped: Mapped,
    stored: Mapping[str, Tensor],
    file: SafetensorsFile,
    filename: str,
    container: str,
    limits: Limits,
) -> EmbeddingData:
    metadata = _clean(file.metadata)
    warnings = list(mapped.warnings)
    warnings += _check_counts({slot: stored[name] for slot, name in names.items()}, limits)
    tensors = {slot: _widened(stored[name]) for slot, name in names.items()}
    warnings += check_tensors(family, tensors)
    dtypes = {slot: stored[name].dtype for slot, name in names.items()}
    if "F64" in dtypes.values():
        warnings.append("The values are F64; they were rounded to F32, the most that any tool uses.")
    if family.id == "sd1" and (mapped.layout == "token-tensor" or "clip_l" in mapped.names):
        warnings.append(_HALF_OF_A_PAIR)
    if wrong_suffix(filename):
        warnings.append(
            "The content is safetensors, but the name ends like a PyTorch file; some tools refuse that."
        )
    warnings += _claims_inside(family, metadata, file.body)
    token = _cleaned(mapped.token)[:200] if mapped.token else None
    return EmbeddingData(
        tensors=tensors,
        family=family.id,
        layout=mapped.layout,
        container=container,
        token=token,
        trigger=suggest_trigger(token, filename, metadata),
        step=_step(metadata),
        source_dtypes=dtypes,
        metadata=metadata,
        warnings=tuple(warnings),
        question=None if _names_this(family, metadata) else family.question,
    )


def _check_counts(tensors: Mapping[str, Tensor], limits: Limits) -> list[str]:
    most = max(tensor.vectors for tensor in tensors.values())
    elements = sum(tensor.vectors * tensor.width for tensor in tensors.values())
    if most > limits.max_vectors or elements > MAX_ELEMENTS:
        raise FormatError(
            "invalid_embedding",
            f"The embedding has {most} vectors; {limits.max_vectors} is the limit.",
            rule="U6",
            detail={"vectors": most, "limit": limits.max_vectors},
        )
    if most > PROMPT_CHUNK:
        return [
            f"{most} vectors do not fit into one prompt chunk of {PROMPT_CHUNK} tokens; some tools cut them."
        ]
    return []


def _widened(tensor: Tensor) -> Tensor:
    return Tensor("F32", (tensor.vectors, tensor.width), widen(tensor.dtype, tensor.data))


def _names_this(family: Family, metadata: Mapping[str, str]) -> bool:
    """Whether the file's own metadata answers the question that its tensors leave open."""
    return family_of_architecture(metadata.get("modelspec.architecture", "")) is family


def _claims_inside(family: Family, metadata: Mapping[str, str], body: bytes) -> list[str]:
    """What the file says of itself and its bytes contradict (F8): the bytes win, the difference is shown."""
    warnings = []
    for key, said in (
        (
            "modelspec.architecture",
            family_of_architecture(metadata.get("modelspec.architecture", "")),
        ),
        ("glossa.family", FAMILIES.get(metadata.get("glossa.family", ""))),
    ):
        if said and said.modelspec != family.modelspec:
            warnings.append(f"{key} says {said.title}, but the tensors are those of {family.title}.")
    claimed = metadata.get("modelspec.hash_sha256", "").lower().removeprefix("0x")
    if claimed and claimed != hashlib.sha256(body).hexdigest():
        warnings.append(
            "modelspec.hash_sha256 is not the hash of these tensors: they were changed after it was made."
        )
    return warnings


def _step(metadata: Mapping[str, str]) -> int | None:
    for key in _STEP_KEYS:
        text = metadata.get(key, "")
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text)
    return None


def _clean(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as plain text, without thumbnails and the private paths that training scripts leave."""
    return {
        _cleaned(key)[:200]: _cleaned(value)
        for key, value in metadata.items()
        if key != "modelspec.thumbnail" and (not key.startswith("ss_") or key in _STEP_KEYS)
    }


def _cleaned(text: str) -> str:
    return "".join(
        char
        if char in "\t\n\r" or not (char < " " or "\x7f" <= char < "\xa0" or "\ud800" <= char < "\ue000")
        else "\ufffd"
        for char in text
    )
