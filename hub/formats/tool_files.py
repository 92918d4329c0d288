"""The files that tools want, made from an embedding: which layouts a family has, their names, their bytes.

`LAYOUTS` is the one table that the `convert` command, the pages and the API go by.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.formats.canonical import write_canonical
from hub.formats.data import EmbeddingData, Tensor
from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES
from hub.formats.reading import read
from hub.formats.safetensors_file import write_safetensors
from hub.formats.source_dtypes import canonical_metadata, canonical_narrowed, narrowed, stored_dtypes
from hub.formats.torch_writer import write_torch

# Part of the name under which a converted file is cached: a better writer never changes bytes already served.
WRITER_VERSION = "1"
_ONETRAINER_NAMES = {"emb_params": "emp_params", "t5xxl": "t5"}
_WEBUI = frozenset({"sd1", "sd2"})
_PICKLE_TOOLS = (
    "A1111",
    "Forge",
    "ComfyUI",
    "SD.Next",
    "InvokeAI",
    "diffusers",
    "stable-diffusion.cpp",
    "kohya",
)
_SAFETENSORS, _PNG, _PICKLE = "application/octet-stream", "image/png", "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of output file: its id, what it is for, its name (a template), the families that have it.

    `tools` load it as it is; the canonical file's tools depend on the family (`tools_for`). `keeps_dtype` says
    that its tensors can be written in the dtype the source had. `is_served`: doors hand it out.
    """

    id: str
    title: str
    filename: str
    families: frozenset[str]
    make: Callable[[EmbeddingData, Mapping[str, Tensor], str], bytes]
    tools: tuple[str, ...] = ()
    content_type: str = _SAFETENSORS
    keeps_dtype: bool = True
    is_served: bool = True


def layouts_for(family: str, trigger: str = "<trigger>") -> list[tuple[str, str]]:
    """The layouts that an embedding of this family has, as (layout id, file name)."""
    return [
        (layout.id, layout.filename.format(trigger=trigger))
        for layout in LAYOUTS.values()
        if family in layout.families
    ]


def served_layouts(family: str) -> list[Layout]:
    """The layouts of this family that doors hand out: all that are no pickle."""
    return [layout for layout in LAYOUTS.values() if layout.is_served and family in layout.families]


def tools_for(layout: str, family: str) -> tuple[str, ...]:
    """The tools that load this layout of an embedding of this family as it is; none for what does not exist."""
    known = LAYOUTS.get(layout)
    if known is None or family not in known.families:
        return ()
    return FAMILIES[family].tools if known.id == "canonical" else known.tools


def write_layout(data: EmbeddingData | bytes, layout: str, *, trigger: str, dtype: str = "F32") -> bytes:
    """The file of one layout, from an embedding or from a canonical file's bytes; the same bytes every time.

    `dtype` is `F32`, or `source`: as the values were in the file they first came from. FormatError
    (`unknown_layout`) when there is no such layout for the embedding's family, `dtype_lost` when the source's
    dtype cannot be had back.
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
    if dtype == "F32":
        return known.make(embedding, embedding.tensors, trigger)
    if dtype != "source" or not known.keeps_dtype:
        raise FormatError(
            "dtype_lost",
            f"The layout {layout} is written in F32 only.",
            detail={"layout": layout, "dtype": dtype},
        )
    return known.make(embedding, narrowed(embedding.tensors, stored_dtypes(embedding)), trigger)


def _canonical(data: EmbeddingData, tensors: Mapping[str, Tensor], trigger: str) -> bytes:
    file = write_canonical(
        data.tensors, family=data.family, trigger=trigger, metadata=canonical_metadata(data)
    )
    return file if tensors is data.tensors else canonical_narrowed(file, tensors)


def _one_key(encoder: int) -> Callable[[EmbeddingData, Mapping[str, Tensor], str], bytes]:
    def make(_data: EmbeddingData, tensors: Mapping[str, Tensor], trigger: str) -> bytes:
        return write_safetensors({trigger: list(tensors.values())[encoder]}, {"format": "pt"})

    return make


def _onetrainer(_data: EmbeddingData, tensors: Mapping[str, Tensor], _trigger: str) -> bytes:
    return write_safetensors({_ONETRAINER_NAMES.get(slot, slot): t for slot, t in tensors.items()}, {})


def _webui_image(data: EmbeddingData, tensors: Mapping[str, Tensor], trigger: str) -> bytes:
    # Imported here: Pillow's drawing takes time to load, and nearly nobody asks for this layout.
    from hub.formats.image_writer import write_image

    count = "1 vector" if data.vectors == 1 else f"{data.vectors} vectors"
    note = f"{FAMILIES[data.family].title} · {count}"
    (tensor,) = tensors.values()
    return write_image(tensor, name=trigger, note=note, step=data.step, checkpoint=_checkpoint(data))


def _webui_pt(data: EmbeddingData, tensors: Mapping[str, Tensor], trigger: str) -> bytes:
    (tensor,) = tensors.values()
    return write_torch(tensor, name=trigger, step=data.step, checkpoint=_checkpoint(data))


def _checkpoint(data: EmbeddingData) -> str | None:
    """The base model that the file says it was trained on: the hint that A1111's own files carry."""
    return data.metadata.get("sd_checkpoint_name") or data.metadata.get("glossa.base_model") or None


LAYOUTS: Mapping[str, Layout] = {
    layout.id: layout
    for layout in (
        Layout("canonical", "the main file", "{trigger}.safetensors", frozenset(FAMILIES), _canonical),
        Layout(
            "diffusers",
            "diffusers, first text encoder",
            "learned_embeds.safetensors",
            frozenset({"sd1", "sd2", "tiny", "sdxl", "flux"}),
            _one_key(0),
            ("diffusers",),
        ),
        Layout(
            "diffusers-2",
            "diffusers, second text encoder",
            "learned_embeds_2.safetensors",
            frozenset({"sdxl", "flux"}),
            _one_key(1),
            ("diffusers",),
        ),
        Layout(
            "onetrainer",
            "OneTrainer, to go on training",
            "{trigger}.safetensors",
            frozenset({"sd1", "sd2", "sdxl", "sd3", "flux", "t5", "clip_g"}),
            _onetrainer,
            ("OneTrainer",),
        ),
        Layout(
            "webui-image",
            "a picture that carries the embedding",
            "{trigger}.png",
            _WEBUI,
            _webui_image,
            ("A1111", "Forge"),
            _PNG,
            keeps_dtype=False,
        ),
        Layout(
            "webui-pt",
            "old tools that read no safetensors; a pickle",
            "{trigger}.pt",
            _WEBUI,
            _webui_pt,
            _PICKLE_TOOLS,
            _PICKLE,
            is_served=False,
        ),
    )
}
STORED_LAYOUTS = ("canonical", "diffusers", "diffusers-2")
