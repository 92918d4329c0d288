"""Bytes in, one checked embedding out: container, frame, layout, family, values, and what to tell."""

import os
from collections.abc import Mapping
from pathlib import Path

from hub.formats.canonical import check_tensors
from hub.formats.claims import check_claims, claims_inside, is_private, names_family, step_of
from hub.formats.contents import Contents
from hub.formats.data import EmbeddingData, Tensor
from hub.formats.detect import container_of, refuse_polyglot, refuse_wrong_name, wrong_suffix
from hub.formats.errors import FormatError
from hub.formats.families import Family
from hub.formats.image_embedding import read_image
from hub.formats.layouts import Mapped, family_of, map_keys, map_structure, map_words
from hub.formats.limits import DEFAULT_LIMITS, MAX_ELEMENTS, MIB, PROMPT_CHUNK, Limits
from hub.formats.names import cleaned, shown, stem_and_suffix
from hub.formats.other_models import refuse_other_models
from hub.formats.safetensors_file import read_safetensors
from hub.formats.torch_file import read_torch
from hub.formats.trigger import suggest_trigger
from hub.formats.values import widen

__all__ = ["check_claims", "read", "read_capped", "refuse_large"]

_HALF_OF_A_PAIR = (
    "An SDXL script writes its first half exactly like this. If there is a second file with vectors of width "
    "1280, this one alone has half the effect on SDXL."
)
_KEYED_BY_TOKEN = ("token-tensor", "lora-bundle")
_MAX_NAME = 200


def read(
    source: bytes | str | os.PathLike[str],
    *,
    filename: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    token: str | None = None,
) -> EmbeddingData:
    """The embedding in a file. `filename` is the name its owner gave it: it only suggests the trigger.

    Of a file with several words `token` picks one; without it the first is read and a warning names all.
    FormatError with code and rule for all that is not one sound embedding; OSError for an unreadable path.
    """
    data = source if isinstance(source, bytes) else read_capped(Path(source), limits)
    if filename is None:
        filename = "" if isinstance(source, bytes) else Path(source).name
    refuse_large(len(data), limits)
    container = container_of(data)
    contents = _contents(data, container)
    refuse_polyglot(data, container)
    mapped, stored = _understand(contents, token)
    family, names = family_of(mapped, {slot: stored[name].width for slot, name in mapped.names.items()})
    embedding = _embedding(family, names, mapped, stored, contents, filename, container, limits)
    refuse_wrong_name(container, filename)
    return embedding


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


def _contents(data: bytes, container: str) -> Contents:
    """What the container holds, by the reader that it has."""
    if container == "safetensors":
        return read_safetensors(data).contents()
    return read_image(data) if container == "image" else read_torch(data, container)


def _understand(contents: Contents, token: str | None) -> tuple[Mapped, dict[str, Tensor]]:
    """The layout, and the stored tensors that belong to the embedding."""
    shapes = contents.shapes
    if any(name.startswith("bundle_emb.") for name in shapes):
        mapped = map_keys(shapes)
        return mapped, {name: contents.tensor(name) for name in mapped.names.values()}
    refuse_other_models(shapes)
    stored = {name: contents.tensor(name) for name in shapes}
    if contents.layout == "string_to_param":
        return map_words(list(shapes), token), stored
    if contents.layout:
        return map_structure(contents.layout), stored
    return map_keys({name: (tensor.vectors, tensor.width) for name, tensor in stored.items()}), stored


def _embedding(
    family: Family,
    names: Mapping[str, str],
    mapped: Mapped,
    stored: Mapping[str, Tensor],
    contents: Contents,
    filename: str,
    container: str,
    limits: Limits,
) -> EmbeddingData:
    metadata = {
        cleaned(key)[:_MAX_NAME]: cleaned(value)
        for key, value in contents.metadata.items()
        if not is_private(key)
    }
    used = {slot: stored[name] for slot, name in names.items()}
    warnings = [*mapped.warnings, *_check_counts(used, limits)]
    tensors = {slot: _widened(tensor) for slot, tensor in used.items()}
    warnings += check_tensors(family, tensors)
    warnings += _notes(family, mapped, contents, used, filename)
    if wrong_suffix(container, filename):
        warnings.append(
            "The content is safetensors, but the name ends like a PyTorch file; some tools refuse that."
        )
    warnings += claims_inside(family, metadata, contents.body)
    name = cleaned(contents.name)[:_MAX_NAME] if contents.name else None
    token = name or (cleaned(mapped.token)[:_MAX_NAME] if mapped.token else None)
    suggested = token if mapped.layout in _KEYED_BY_TOKEN or container == "image" else None
    return EmbeddingData(
        tensors=tensors,
        family=family.id,
        layout=mapped.layout,
        container=container,
        token=token,
        trigger=suggest_trigger(suggested, filename, metadata),
        step=step_of(metadata) if contents.step is None else contents.step,
        source_dtypes={slot: tensor.dtype for slot, tensor in used.items()},
        metadata=metadata,
        warnings=tuple(warnings),
        question=None if names_family(family, metadata) else family.question,
        name=name,
        words=tuple(contents.shapes) if contents.layout == "string_to_param" else (),
        stored={name: (stored[name].dtype, stored[name].shape) for name in names.values()},
        pickle_names=contents.pickle_names,
        is_new_torch=contents.is_new_torch,
    )


def _notes(
    family: Family, mapped: Mapped, contents: Contents, used: Mapping[str, Tensor], filename: str
) -> list[str]:
    """Warnings about what was rounded, passed over, or may be half of something."""
    notes = []
    if any(tensor.dtype == "F64" for tensor in used.values()):
        notes.append("The values are F64; they were rounded to F32, the most that any tool uses.")
    if family.id == "sd1" and (mapped.layout == "token-tensor" or "clip_l" in mapped.names):
        notes.append(_HALF_OF_A_PAIR)
    if contents.ignored:
        listed = ", ".join(contents.ignored[:5]) + (", …" if len(contents.ignored) > 5 else "")
        notes.append(f"Parts of the file that are no vectors were left out: {listed}.")
    stem, _suffix = stem_and_suffix(filename)
    if contents.name and stem and contents.name.casefold() != stem.casefold():
        notes.append(f"The file calls itself {shown(contents.name)}, its name is {shown(stem)}.")
    return notes


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
