"""Measures of a preview sheet, each beside the same measure of the control pictures. Never one score.

Four of them are bars: `faithful` needs the pictures that were learned from and an eye (CLIP in a local folder, else the
safety checker of the base), `obedient` CLIP or else the base itself, `diverse` and `strength` the base's own VAE.
Further ones are `tone` and `copies`, which need the pictures, and `dino`, which needs a DINO in a local folder.
What cannot be measured is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from trainer.engine.base_model import BaseModel
from trainer.engine.eyes import Clip, Dino, Eye, Tower, opened, pixels
from trainer.engine.fidelity import fidelity
from trainer.engine.tone import tone_distance

Cell = Mapping[str, Any]
Measure = dict[str, Any] | None
# From here on a picture is as good as one that was learned from: both latents and small grey pictures must say so.
COPY_COSINE = 0.95
SMALL = 16


@dataclass(frozen=True)
class Pairs:
    """Pictures of one block with the word, and the same without it."""

    own: list[Path]
    control: list[Path]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.own)


def measure(
    base: BaseModel, cells: Sequence[Cell], *, trigger: str, training: Sequence[Path], folder: Path | None
) -> dict[str, Measure]:
    """What the cells of a sheet show: `{"value", "control"}` and more each, or None where one was not measured.

    `folder` is where optional models lie, as `clip` and `dino`.
    """
    faithful, scenes = _pairs(cells, "A", trigger), _pairs(cells, "B", trigger)
    pairs = faithful if len(faithful) else _pairs(cells, "G", trigger)
    clip = opened(Clip, folder and folder / "clip")
    dino = opened(Dino, folder and folder / "dino")
    own, bare = _latents(base, pairs.own), _latents(base, pairs.control)
    found = {
        "faithful": _likeness(clip or opened(Tower, base.facts.path / "safety_checker"), faithful, training),
        "obedient": _obedient(base, clip, scenes),
        "diverse": _diverse(own, bare),
        "strength": _strength(own, bare),
        "dino": _likeness(dino, faithful, training),
        "tone": _tone(faithful, training),
        "copies": _copies(base, faithful, own, bare, training),
    }
    return {name: {**own, **_rounded(own)} if own else None for name, own in found.items()}


def _pairs(cells: Sequence[Cell], block: str, trigger: str) -> Pairs:
    """Each picture of a block with its control: same prompt and seed, without the word.

    The texts leave the word out and put nothing in its place: what it means is not to be obeyed but learned.
    """
    if block == "G":
        controls = {(one["row"] - 1, one["column"]): one for one in cells if one["block"] == "G"}
        own = [one for one in cells if one["block"] == "G" and not one["is_control"]]
    else:
        shift = 1 if block == "B" else 0
        controls = {(one["row"] - shift, one["column"]): one for one in cells if one["block"] == "C"}
        own = [one for one in cells if one["block"] == block]
    found = [(one, controls.get((one["row"], one["column"]))) for one in own]
    pairs = [(one, control) for one, control in found if control is not None]
    return Pairs(
        [Path(one["path"]) for one, _ in pairs],
        [Path(control["path"]) for _, control in pairs],
        [" ".join(one["prompt"].replace(trigger, " ").split()) for one, _ in pairs],
    )


def _likeness(eye: Eye | None, pairs: Pairs, training: Sequence[Path]) -> Measure:
    """How like the pictures learned from, to an eye: the mean cosine."""
    if eye is None or not len(pairs) or not training:
        return None
    learned = eye.of_pictures(training)
    value, control = (
        float((eye.of_pictures(paths) @ learned.T).mean()) for paths in (pairs.own, pairs.control)
    )
    return {"value": value, "control": control, "by": eye.name}


def _obedient(base: BaseModel, clip: Clip | None, scenes: Pairs) -> Measure:
    """How well the scenes show the rest of their prompts."""
    if not len(scenes):
        return None
    if clip is None:
        value, control = (fidelity(base, paths, scenes.texts) for paths in (scenes.own, scenes.control))
        return {"value": value, "control": control, "by": "base"}
    texts = clip.of_texts(scenes.texts)
    value, control = (
        float(cosine_similarity(clip.of_pictures(paths), texts).mean())
        for paths in (scenes.own, scenes.control)
    )
    return {"value": value, "control": control, "by": "clip"}


def _diverse(own: Tensor, bare: Tensor) -> Measure:
    """How far apart the seeds of one prompt are, in the base's latent space."""
    if len(own) < 2:
        return None
    return {"value": _spread(own), "control": _spread(bare)}


def _strength(own: Tensor, bare: Tensor) -> Measure:
    """How far the word moves a picture from its control, beside how far another seed does."""
    if len(own) < 2:
        return None
    moved = float((own - bare).flatten(1).square().mean(dim=1).sqrt().mean())
    return {"value": moved, "control": _spread(bare)}


def _tone(pairs: Pairs, training: Sequence[Path]) -> Measure:
    """How far the colours are from those learned from."""
    if not len(pairs) or not training:
        return None
    value, control = (tone_distance(paths, training) for paths in (pairs.own, pairs.control))
    return {"value": value, "control": control}


def _copies(base: BaseModel, pairs: Pairs, own: Tensor, bare: Tensor, training: Sequence[Path]) -> Measure:
    """The best match of a picture to one that was learned from: cosine of latents, and how many are as good as it."""
    if not len(pairs) or not training:
        return None
    side = base.facts.resolution
    learned = _directions(torch.cat([base.to_latents(pixels(path, side) * 2 - 1)[0] for path in training]))
    alike = _directions(own) @ learned.T
    outlines = _greys(pairs.own) @ _greys(training).T
    near = (torch.minimum(alike, outlines) >= COPY_COSINE).any(dim=1)
    control = _directions(bare) @ learned.T
    return {"value": float(alike.max()), "control": float(control.max()), "count": int(near.sum())}


def _directions(planes: Tensor) -> Tensor:
    """Planes as directions, each one's mean taken out: two plain pictures of one colour are no copies."""
    flat = (planes - planes.mean(dim=(2, 3), keepdim=True)).flatten(1).float().cpu()
    return torch.nn.functional.normalize(flat, dim=1)


def _greys(paths: Sequence[Path]) -> Tensor:
    """Small grey pictures as directions: a perceptual hash that is not cut to bits, which plain grounds toss."""
    return _directions(torch.cat([pixels(path, SMALL).mean(dim=1, keepdim=True) for path in paths]))


def _spread(latents: Tensor) -> float:
    flat = latents.flatten(1)
    apart = [
        (flat[one] - flat[other]).square().mean().sqrt() for one, other in combinations(range(len(flat)), 2)
    ]
    return float(torch.stack(apart).mean())


def _latents(base: BaseModel, paths: Sequence[Path]) -> Tensor:
    """The pictures as the base's VAE has them, one by one: a sheet must not need more memory than its drawing."""
    means = [base.to_latents(pixels(path) * 2 - 1)[0].float().cpu() for path in paths]
    return torch.cat(means) if means else torch.zeros(0)


def _rounded(measured: dict[str, Any]) -> dict[str, float]:
    return {key: round(measured[key], 4) for key in ("value", "control")}
