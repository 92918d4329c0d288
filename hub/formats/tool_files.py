"""The files that tools want, made from an embedding: which layouts a family has, their names, their bytes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.formats.canonical import write_canonical
from hub.formats.data import EmbeddingData, Tensor
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES
from hub.formats.reading import read
from hub.formats.safetensors_file import write_safetensors

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
_ONETRAINER_NAMES = {"emb_params": "emp_params", "t5xxl": "t5"}


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of output file: its id, what it is for, its name (a template), the families that have it."""

    id: str
    title: str
    filename: str
    families: frozenset[str]
    make: Callable[[EmbeddingData, str], bytes]


def layouts_for(family: str, trigger: str = "<trigger>") -> list[tuple[str, str]]:
    """The layouts that an embedding of this family has, as (layout id, file name)."""
    return [
        (layout.id, layout.filename.format(trigger=trigger))
        for layout in LAYOUTS.values()
        if family in layout.families
    ]


def write_layout(data: EmbeddingData | bytes, layout: str, *, trigger: str) -> bytes:
    """The file of one layout, from an embedding or from a canonical file's bytes; the same bytes every time.

    FormatError (`unknown_layout`) when there is no such layout for the embedding's family.
    """
    embedding = read(data, filename=f"{trigger}.safetensors") if isinstance(data, bytes) else data
    known = LAYOUTS.get(layout)
    if known is None or embedding.family not in known.families:
        offered = ", ".join(name for name, _ in layouts_for(embedding.family))
        raise FormatError(
            "unknown_layout",
            f"There is no layout {layout!a} for {FAMILIES[embedding.family].title}; there are: {offered}.",
            detail={"layout": layout, "family": embedding.family},
        )
    return known.make(embedding, trigger)


def canonical_metadata(data: EmbeddingData) -> dict[str, str]:
    """What a canonical file made from this one keeps of its metadata, and the dtypes it came with."""
    kept = {
        key: value
        for key, value in data.metadata.items()
        if key in _KEPT or (key.startswith("glossa.") and value)
    }
    kept.pop("glossa.family", None)
    if any(warning.startswith("modelspec.architecture says") for warning in data.warnings):
        kept.pop("modelspec.architecture", None)
    if "glossa.source_dtype" not in kept:
        dtypes = {data.source_dtypes.get(slot, "F32") for slot in data.tensors}
        kept["glossa.source_dtype"] = (
            dtypes.pop()
            if len(dtypes) == 1
            else " ".join(f"{slot}={data.source_dtypes.get(slot, 'F32')}" for slot in data.tensors)
        )
    return kept


def _canonical(data: EmbeddingData, trigger: str) -> bytes:
    return write_canonical(
        data.tensors,
        family=data.family,
        trigger=trigger,
        metadata=canonical_metadata(data),
    )


def _one_key(data: EmbeddingData, trigger: str, encoder: int) -> bytes:
    tensor = list(data.tensors.values())[encoder]
    return write_safetensors({trigger: tensor}, {"format": "pt"})


def _onetrainer(data: EmbeddingData, _trigger: str) -> bytes:
    renamed: Mapping[str, Tensor] = {_ONETRAINER_NAMES.get(slot, slot): t for slot, t in data.tensors.items()}
    return write_safetensors(renamed, {})


LAYOUTS: Mapping[str, Layout] = {
    layout.id: layout
    for layout in (
        Layout(
            "canonical",
            "A1111, Forge, ComfyUI, InvokeAI, SD.Next",
            "{trigger}.safetensors",
            frozenset(FAMILIES),
            _canonical,
        ),
        Layout(
            "diffusers",
            "diffusers, first text encoder",
            "learned_embeds.safetensors",
            frozenset({"sd1", "sd2", "tiny", "sdxl", "flux"}),
            lambda data, trigger: _one_key(data, trigger, 0),
        ),
        Layout(
            "diffusers-2",
            "diffusers, second text encoder",
            "learned_embeds_2.safetensors",
            frozenset({"sdxl", "flux"}),
            lambda data, trigger: _one_key(data, trigger, 1),
        ),
        Layout(
            "onetrainer",
            "OneTrainer",
            "{trigger}.safetensors",
            frozenset({"sd1", "sd2", "sdxl", "sd3", "flux", "t5", "clip_g"}),
            _onetrainer,
        ),
    )
}
STORED_LAYOUTS = ("canonical", "diffusers", "diffusers-2")
