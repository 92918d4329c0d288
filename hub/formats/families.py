"""Base-model families: the text encoders of each, how wide their token vectors are, what loads the result.

The family is measured from the tensors. Which base model of the family was trained on is a claim, kept apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

XTI_LAYERS = ("IN01", "IN02", "IN04", "IN05", "IN07", "IN08", "MID", *(f"OUT{n:02}" for n in range(3, 12)))

_CLASSIC_TOOLS = (
    "A1111",
    "Forge",
    "ComfyUI",
    "InvokeAI",
    "SD.Next",
    "diffusers",
    "stable-diffusion.cpp",
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """One text encoder: its name, its tensor key in a canonical file, the width of its token vectors."""

    name: str
    slot: str
    width: int


@dataclass(frozen=True, slots=True)
class Family:
    """A group of base models that share text encoders.

    `modelspec` is the base id written to ModelSpec metadata, `architectures` the prefixes by which other
    writers name this family there. `tools` load the canonical file as it is. `question` is what to ask when
    the tensors alone leave the base model open in a way that matters.
    """

    id: str
    title: str
    encoders: tuple[Encoder, ...]
    modelspec: str
    architectures: tuple[str, ...]
    base_models: str
    tools: tuple[str, ...] = ()
    question: str | None = None

    @property
    def slots(self) -> tuple[str, ...]:
        """Tensor keys of the canonical file, in order."""
        return tuple(encoder.slot for encoder in self.encoders)


_CLIP_L = Encoder("clip_l", "clip_l", 768)
_CLIP_G = Encoder("clip_g", "clip_g", 1280)
_T5 = Encoder("t5xxl", "t5xxl", 4096)
_LLAMA = Encoder("llama", "llama", 4096)


def _only(name: str, width: int) -> tuple[Encoder, ...]:
    """A family with one CLIP encoder: its canonical key is the one every tool reads."""
    return (Encoder(name, "emb_params", width),)


_ALL = (
    Family(
        "tiny",
        "Glossa tiny",
        _only("clip_tiny", 128),
        "glossa-tiny",
        ("glossa-tiny",),
        "the base model that comes with Glossa",
        ("diffusers",),
    ),
    Family(
        "sd1",
        "Stable Diffusion 1.x",
        _only("clip_l", 768),
        "stable-diffusion-v1",
        ("stable-diffusion-v1",),
        "SD 1.x, NovelAI, Anything, DreamShaper and their kin; AnimateDiff on SD 1.5",
        _CLASSIC_TOOLS,
    ),
    Family(
        "sd2",
        "Stable Diffusion 2.x",
        _only("clip_h", 1024),
        "stable-diffusion-v2-512",
        ("stable-diffusion-v2",),
        "SD 2.0 and 2.1 (512 and 768-v), depth, Waifu Diffusion 1.4 and later",
        _CLASSIC_TOOLS,
    ),
    Family(
        "sdxl",
        "Stable Diffusion XL",
        (_CLIP_L, _CLIP_G),
        "stable-diffusion-xl-v1-base",
        ("stable-diffusion-xl",),
        "SDXL, Turbo and Lightning, Pony, Illustrious, NoobAI, AnimateDiff-XL",
        _CLASSIC_TOOLS,
    ),
    Family(
        "sd3",
        "Stable Diffusion 3",
        (_CLIP_L, _CLIP_G, _T5),
        "stable-diffusion-v3-medium",
        ("stable-diffusion-v3", "stable-diffusion-3"),
        "SD 3 and SD 3.5",
        ("ComfyUI", "A1111"),
    ),
    Family(
        "flux",
        "Flux.1",
        (_CLIP_L, _T5),
        "flux-1-dev",
        ("flux",),
        "Flux.1 dev, schnell, fill",
        ("ComfyUI", "diffusers"),
    ),
    Family(
        "clip_g",
        "CLIP-G alone",
        (_CLIP_G,),
        "open-clip-g",
        ("stable-diffusion-xl-v1-refiner", "stable-cascade"),
        "SDXL refiner, Stable Cascade",
        ("ComfyUI",),
        "Vectors 1280 wide alone fit the SDXL refiner, Stable Cascade or Würstchen, or are the second half "
        "of an SDXL pair. Which is it?",
    ),
    Family(
        "t5",
        "T5-XXL alone",
        (_T5,),
        "t5-xxl",
        ("chroma", "pixart", "ltx", "deepfloyd"),
        "PixArt alpha and sigma, Chroma, LTX, DeepFloyd IF",
        ("ComfyUI",),
        "Vectors 4096 wide alone fit PixArt, Chroma, LTX or DeepFloyd IF. Which is it?",
    ),
    Family(
        "hunyuan-video",
        "Hunyuan Video",
        (_LLAMA, _CLIP_L),
        "hunyuan-video",
        ("hunyuan-video",),
        "Hunyuan Video",
    ),
    Family(
        "hidream",
        "HiDream",
        (_LLAMA, _CLIP_L, _CLIP_G, _T5),
        "hidream-i1",
        ("hidream",),
        "HiDream I1",
    ),
    Family(
        "sana",
        "Sana",
        (Encoder("gemma", "gemma", 2304),),
        "sana",
        ("sana", "lumina-2"),
        "Sana; Lumina 2 has the same width",
    ),
    Family(
        "sd1-xti",
        "SD 1.x, one vector set per layer (XTI)",
        tuple(Encoder(layer, layer, 768) for layer in XTI_LAYERS),
        "stable-diffusion-v1",
        (),
        "SD 1.x",
    ),
)

FAMILIES: Mapping[str, Family] = {family.id: family for family in _ALL}

_SINGLE_WIDTHS = {
    128: "tiny",
    768: "sd1",
    1024: "sd2",
    1280: "clip_g",
    4096: "t5",
    2304: "sana",
}


def family_of_width(width: int) -> Family | None:
    """The family of a file with one tensor of this width, or None when no encoder has it."""
    name = _SINGLE_WIDTHS.get(width)
    return FAMILIES[name] if name else None


def family_of_slots(slots: frozenset[str]) -> Family | None:
    """The family whose encoders are exactly these slots, or None."""
    return next((family for family in _ALL if frozenset(family.slots) == slots), None)


def family_of_architecture(architecture: str) -> Family | None:
    """The family that a ModelSpec architecture names, by its longest known prefix, or None."""
    text = architecture.strip().lower()
    matches = [
        (len(prefix), family) for family in _ALL for prefix in family.architectures if text.startswith(prefix)
    ]
    return max(matches, key=lambda match: match[0])[1] if matches else None
