"""Four measures of a preview sheet, each beside the same measure of the control pictures. Never one score.

`diverse` and `strength` need the base's own VAE. `faithful` and `obedient` need a CLIP model in a local folder, and
`faithful` the pictures that were learned from; without them they are None: not measured.
"""

import sys
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize
from transformers import CLIPModel, CLIPTokenizer

from trainer.engine.base_model import BaseModel

Cell = Mapping[str, Any]
Measure = dict[str, float] | None
# The colours that CLIP takes for no light and no contrast.
MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


class Clip:
    """A CLIP model from a folder of safetensors, for as long as one sheet is measured."""

    def __init__(self, folder: Path) -> None:
        self.model: Any = CLIPModel.from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        ).eval()
        self.read: Any = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
        self.side = int(self.model.config.vision_config.image_size)

    def of_pictures(self, paths: Sequence[Path]) -> Tensor:
        """One direction for each picture."""
        seen = torch.cat([self._seen(_opened(path)) for path in paths])
        with torch.no_grad():
            found = self.model.vision_model(pixel_values=seen).pooler_output
            return normalize(self.model.visual_projection(found), dim=1)

    def of_texts(self, texts: Sequence[str]) -> Tensor:
        """One direction for each text."""
        ids = self.read(list(texts), padding=True, truncation=True, return_tensors="pt")
        with torch.no_grad():
            found = self.model.text_model(**ids).pooler_output
            return normalize(self.model.text_projection(found), dim=1)

    def _seen(self, picture: Image.Image) -> Tensor:
        """The middle of a picture as CLIP was shown pictures when it learned."""
        fitted = ImageOps.fit(picture, (self.side, self.side), Image.Resampling.BICUBIC)
        return (_numbers(fitted) / 255 - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(
            1, 3, 1, 1
        )


def measure(
    base: BaseModel, cells: Sequence[Cell], *, training: Sequence[Path], clip_folder: Path | None
) -> dict[str, Measure]:
    """The four measures of a sheet's cells: `{"value", "control"}` each, or None where one was not measured."""
    pairs = _pairs(cells, "A") or _pairs(cells, "G")
    scenes = _pairs(cells, "B")
    clip = _clip(clip_folder)
    own = _latents(base, [pair[0] for pair in pairs])
    bare = _latents(base, [pair[1] for pair in pairs])
    return {
        "faithful": _faithful(clip, _pairs(cells, "A"), training),
        "obedient": _obedient(clip, scenes),
        "diverse": _diverse(own, bare),
        "strength": _strength(own, bare),
    }


def _clip(folder: Path | None) -> Clip | None:
    """The CLIP model of a folder. A folder without one, or with a broken one, costs two measures and no sheet."""
    if folder is None or not folder.is_dir():
        return None
    try:
        return Clip(folder)
    except (OSError, ValueError, RuntimeError) as error:
        sys.stderr.write(f"{folder} holds no CLIP model that can be used: {error}\n")
        return None


def _pairs(cells: Sequence[Cell], block: str) -> list[tuple[Cell, Cell]]:
    """Each picture of a block with its control: same prompt and seed, without the word."""
    if block == "G":
        controls = {(one["row"] - 1, one["column"]): one for one in cells if one["block"] == "G"}
        own = [one for one in cells if one["block"] == "G" and not one["is_control"]]
    else:
        shift = 1 if block == "B" else 0
        controls = {(one["row"] - shift, one["column"]): one for one in cells if one["block"] == "C"}
        own = [one for one in cells if one["block"] == block]
    found = [(one, controls.get((one["row"], one["column"]))) for one in own]
    return [(one, control) for one, control in found if control is not None]


def _faithful(clip: Clip | None, pairs: Sequence[tuple[Cell, Cell]], training: Sequence[Path]) -> Measure:
    """How like the pictures learned from, by CLIP's eye: the mean cosine."""
    if clip is None or not pairs or not training:
        return None
    learned = clip.of_pictures(training)
    value, control = (
        float((clip.of_pictures([Path(pair[side]["path"]) for pair in pairs]) @ learned.T).mean())
        for side in (0, 1)
    )
    return _rounded(value, control)


def _obedient(clip: Clip | None, scenes: Sequence[tuple[Cell, Cell]]) -> Measure:
    """How well the scenes show the rest of their prompts, the word taken out of the text."""
    if clip is None or not scenes:
        return None
    texts = clip.of_texts([control["prompt"] for _, control in scenes])
    value, control = (
        float(
            cosine_similarity(clip.of_pictures([Path(pair[side]["path"]) for pair in scenes]), texts).mean()
        )
        for side in (0, 1)
    )
    return _rounded(value, control)


def _diverse(own: Tensor, bare: Tensor) -> Measure:
    """How far apart the seeds of one prompt are, in the base's latent space."""
    if len(own) < 2:
        return None
    return _rounded(_spread(own), _spread(bare))


def _strength(own: Tensor, bare: Tensor) -> Measure:
    """How far the word moves a picture from its control, beside how far another seed does."""
    if len(own) < 2:
        return None
    moved = float((own - bare).flatten(1).square().mean(dim=1).sqrt().mean())
    return _rounded(moved, _spread(bare))


def _spread(latents: Tensor) -> float:
    flat = latents.flatten(1)
    apart = [
        (flat[one] - flat[other]).square().mean().sqrt() for one, other in combinations(range(len(flat)), 2)
    ]
    return float(torch.stack(apart).mean())


def _latents(base: BaseModel, cells: Sequence[Cell]) -> Tensor:
    """The pictures as the base's VAE has them, one by one: a sheet must not need more memory than its drawing."""
    means = [base.to_latents(_pixels(Path(cell["path"])))[0].float().cpu() for cell in cells]
    return torch.cat(means) if means else torch.zeros(0)


def _pixels(path: Path) -> Tensor:
    return _numbers(_opened(path)) / 127.5 - 1


def _numbers(picture: Image.Image) -> Tensor:
    flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return flat.view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2).float()


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _rounded(value: float, control: float) -> Measure:
    return {"value": round(value, 4), "control": round(control, 4)}
