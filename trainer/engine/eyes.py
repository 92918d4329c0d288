"""Models that look at pictures, from local folders of safetensors; each is optional and nothing is ever fetched.

CLIP sees pictures and reads texts. The image tower that SD 1.x folders carry as their safety checker sees as CLIP does
and reads nothing. DINO (Oquab et al. 2023) looks at things and layout rather than at what one would say of them.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoModel, CLIPModel, CLIPTokenizer

from trainer.engine.pictures import WHITE, on_ground

LOCAL: dict[str, Any] = {"use_safetensors": True, "local_files_only": True}
# Mean and deviation of the colours, as the models were shown pictures when they learned.
CLIP_COLOURS = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
IMAGENET_COLOURS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
DINO_SIDE = 224
Model = TypeVar("Model")


class Eye(Protocol):
    """Something that tells how alike two pictures are."""

    name: str

    def of_pictures(self, paths: Sequence[Path]) -> Tensor:
        """One direction of length 1 for each picture."""


class Clip:
    """A CLIP model, for as long as one sheet is measured. Raises OSError, ValueError or RuntimeError."""

    name = "clip"

    def __init__(self, folder: Path) -> None:
        self.model: Any = CLIPModel.from_pretrained(folder, **LOCAL).eval()
        self.read: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        self.side = int(self.model.config.vision_config.image_size)

    def of_pictures(self, paths: Sequence[Path]) -> Tensor:
        """One direction for each picture."""
        with torch.no_grad():
            seen = self.model.vision_model(pixel_values=shown(paths, self.side, CLIP_COLOURS)).pooler_output
            return normalize(self.model.visual_projection(seen), dim=1)

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """One direction for each text."""
        ids = self.read(list(texts), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            found = self.model.text_model(**ids).pooler_output
            return normalize(self.model.text_projection(found), dim=1)


class Tower:
    """The image tower of CLIP inside a base's safety checker. Raises as Clip does."""

    name = "safety_checker"

    def __init__(self, folder: Path) -> None:
        checker: Any = StableDiffusionSafetyChecker
        self.model = checker.from_pretrained(folder, **LOCAL).eval()
        self.side = int(self.model.config.vision_config.image_size)

    def of_pictures(self, paths: Sequence[Path]) -> Tensor:
        """One direction for each picture."""
        with torch.no_grad():
            seen = self.model.vision_model(pixel_values=shown(paths, self.side, CLIP_COLOURS)).pooler_output
            return normalize(self.model.visual_projection(seen), dim=1)


class Dino:
    """A DINO vision transformer. Raises as Clip does."""

    name = "dino"

    def __init__(self, folder: Path) -> None:
        self.model: Any = AutoModel.from_pretrained(folder, **LOCAL).eval()
        config = self.model.config
        self.side = min(DINO_SIDE, int(config.image_size)) // int(config.patch_size) * int(config.patch_size)

    def of_pictures(self, paths: Sequence[Path]) -> Tensor:
        """One direction for each picture: what its first token holds."""
        with torch.no_grad():
            seen = self.model(pixel_values=shown(paths, self.side, IMAGENET_COLOURS)).last_hidden_state[:, 0]
            return normalize(seen, dim=1)


def opened(what: Callable[[Path], Model], folder: Path | None) -> Model | None:
    """The model of a folder. A folder without one, or with a broken one, costs a measure and no sheet."""
    if folder is None or not folder.is_dir():
        return None
    try:
        return what(folder)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f"{folder} holds no model that can be used: {error}\n")
        return None


def shown(paths: Sequence[Path], side: int, colours: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    """The middle of each picture [n, 3, side, side], its colours brought to a model's mean and deviation."""
    mean, deviation = (torch.tensor(own).view(1, 3, 1, 1) for own in colours)
    return (torch.cat([pixels(path, side) for path in paths]) - mean) / deviation


def pixels(path: Path, side: int | None = None) -> Tensor:
    """A picture as [1, 3, height, width] in 0..1; with a side, its middle at that size."""
    with Image.open(path) as file:
        picture = on_ground(WHITE, file)
    if side is not None:
        picture = ImageOps.fit(picture, (side, side), Image.Resampling.BICUBIC)
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return flat.view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2).float() / 255
