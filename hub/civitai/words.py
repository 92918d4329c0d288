"""The words of Civitai's API, and what they stand for here."""

from typing import Final

from hub.formats import known_base
from hub.formats.base_models import BASE_MODELS
from hub.models import Version

OURS: Final = "TextualInversion"
MODEL_TYPES: Final = [
    "Checkpoint", "TextualInversion", "Hypernetwork", "AestheticGradient", "LORA", "LoCon", "DoRA", "Controlnet",
    "Upscaler", "MotionModule", "VAE", "TextEncoder", "UNet", "CLIPVision", "Poses", "Wildcards", "Workflows",
    "ComfyWorkflows", "Detection", "VisionLanguage", "CLIP", "LLM", "Other",
]  # fmt: skip
FILE_TYPES: Final = [
    "Model", "Text Encoder", "Vision Encoder", "Pruned Model", "Negative", "Training Data", "VAE", "Config",
    "Archive", "UNet", "Diffusion Model", "CLIPVision", "ControlNet", "Workflow", "Upscaler", "Enhancement LoRA",
    "Other",
]  # fmt: skip
FILE_FORMATS: Final = ["SafeTensor", "PickleTensor", "GGUF", "Diffusers", "Core ML", "ONNX", "Other"]
FILE_SIZES: Final = ["full", "pruned"]
BASE_MODEL_TYPES: Final = ["Standard", "Inpainting", "Refiner", "Pix2Pix"]
# What each order means here: there are no ratings and comments, so all that measure favour go by pulls or likes.
SORTS: Final = {
    "Highest Rated": "pulled",
    "Most Downloaded": "pulled",
    "Most Liked": "liked",
    "Most Discussed": "pulled",
    "Most Collected": "pulled",
    "Most Images": "pulled",
    "Newest": "newest",
    "Oldest": "oldest",
}
# Whether the newest comes first.
IMAGE_SORTS: Final = {
    "Most Reactions": True,
    "Most Comments": True,
    "Most Collected": True,
    "Newest": True,
    "Oldest": False,
    "Random": True,
}
# In days.
PERIODS: Final = {"AllTime": None, "Year": 365, "Month": 30, "Week": 7, "Day": 1}
COMMERCIAL_USES: Final = ["None", "Image", "RentCivit", "Rent", "Sell"]
IMAGE_LEVELS: Final = ["None", "Soft", "Mature", "X"]
MEDIA_TYPES: Final = ["image", "video", "audio"]

# Base models in Civitai's order; those marked are in no list of what one would choose today.
_BASES: Final = """Anima, AuraFlow, Chroma, CogVideoX, Ernie, Flux.1 S, Flux.1 D, Flux.1 Krea, Flux.1 Kontext, Flux.2 D,
Flux.2 Klein 9B, Flux.2 Klein 9B-base, Flux.2 Klein 4B, Flux.2 Klein 4B-base, Flux 3 Video, Grok, HappyHorse, HiDream,
HiDream-O1, Hunyuan 1, Hunyuan Video, Ideogram 4.0, Boogu, Illustrious, Imagen4*, Kolors, Krea 2, LTXV, LTXV2, LTXV 2.3,
Lens, Lumina, MageFlow, MAI, Mochi, Nano Banana*, NoobAI, ODOR*, OpenAI*, Upscaler, Other, PixArt a, PixArt E,
Playground v2*, Pony, Pony V7, Qwen, Qwen 2, Qwen 3, Stable Cascade*, SD 1.4, SD 1.5, SD 1.5 LCM, SD 1.5 Hyper, SD 2.0,
SD 2.0 768*, SD 2.1, SD 2.1 768*, SD 2.1 Unclip*, SD 3*, SD 3.5*, SD 3.5 Large*, SD 3.5 Large Turbo*, SD 3.5 Medium*,
SDXL 0.9*, SDXL 1.0, SDXL 1.0 LCM*, SDXL Lightning, SDXL Hyper, SDXL Turbo*, SDXL Distilled*, Reve, Seedream*, SVD*,
SVD XT*, Sora 2*, Veo 3*, Wan Video*, Wan Video 1.3B t2v, Wan Video 14B t2v, Wan Video 14B i2v 480p,
Wan Video 14B i2v 720p, Wan Video 2.2 TI2V-5B, Wan Video 2.2 I2V-A14B, Wan Video 2.2 T2V-A14B, Wan Video 2.5 T2V,
Wan Video 2.5 I2V, Wan Image 2.7, Wan Video 2.7, ZImageTurbo, ZImageBase, Vidu Q1*, MiniMax H3, Kling*, Seedance*,
ACE Audio, PolyGen*, Tripo*, Hunyuan3D*"""
_MARKED: Final = [word.strip() for word in _BASES.replace("\n", " ").split(",")]
BASES: Final = [word.rstrip("*") for word in _MARKED]
ACTIVE_BASES: Final = [word for word in _MARKED if not word.endswith("*")]
OTHER: Final = "Other"
# The word for a version that names no base model.
BY_FAMILY: Final = {"sd1": "SD 1.5", "sd2": "SD 2.1", "sdxl": "SDXL 1.0", "sd3": "SD 3.5", "flux": "Flux.1 D"}

ENUMS: Final = {
    "ModelType": MODEL_TYPES,
    "ModelFileType": FILE_TYPES,
    "ActiveBaseModel": ACTIVE_BASES,
    "BaseModel": BASES,
    "BaseModelType": BASE_MODEL_TYPES,
}


def base_word(version: Version) -> str:
    """The base model that a version names, else the usual one of its family, as Civitai writes it."""
    return word_of(version.base_model.name if version.base_model else "", version.family)


def word_of(base: str, family: str) -> str:
    """Civitai's word for a base model of ours by its name; by the family where the name says nothing."""
    known = known_base(base)
    return known.civitai if known is not None else BY_FAMILY.get(family, OTHER)


def families_of(word: str) -> list[str]:
    """The families whose versions without a base model have this word."""
    families = {base.family for base in BASE_MODELS.values()}
    return sorted(family for family in families if BY_FAMILY.get(family, OTHER) == word)


def ecosystem(version: Version) -> str:
    """The first word of a version's address in Civitai's names: the root of its family, in small letters."""
    if version.family in ("sd1", "sd2", "sdxl"):
        return version.family
    return base_word(version).lower().replace(" ", "")
