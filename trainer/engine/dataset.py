"""Pictures to cached latents, and prompts to token ids: everything a run reads, prepared once.

The mean and the deviation of each latent are kept for both orientations and sampled afresh each step, which
gives the same objective as encoding every time.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.engine.base_model import BaseModel
from trainer.engine.context import Context
from trainer.engine.events import recipe_fault
from trainer.engine.framing import Frame, bucket_sizes, frame
from trainer.engine.pictures import (
    Picture,
    on_ground,
    to_pixels,
    to_weights,
    upright,
    upright_size,
    weights,
)
from trainer.engine.tags import caption_variants
from trainer.engine.tokens import padded_ids, prompt_ids, training_ids
from trainer.prompts import templates, training_prompts
from trainer.recipe import Recipe

Stopping = Callable[[], bool]


@dataclass
class Bucket:
    """Pictures of one shape. Tensors are [orientation, member, …]; `members` are places in the whole set.

    `means` and `deviations` are latents, `sizes` SDXL's six numbers, `masks` weights of latent places.
    """

    members: list[int]
    means: Tensor
    deviations: Tensor
    sizes: Tensor
    masks: Tensor | None


@dataclass
class Dataset:
    """Prepared data: pictures by bucket, distinct prompts as one id tensor per encoder.

    `choices` says which prompts each picture may be shown with; `context` is there if the recipe asks for it.
    """

    buckets: list[Bucket]
    ids: list[Tensor]
    prompts: list[str]
    choices: list[list[int]]
    empty_prompt: int
    digest: str
    context: Context | None = None

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.choices)


def prepare(
    base: BaseModel,
    recipe: Recipe,
    pictures: Sequence[Picture],
    should_stop: Stopping = lambda: False,
) -> Dataset | None:
    """Load, check and encode the pictures and tokenise every distinct prompt; None when asked to stop.

    Raises a recipe fault for a picture or prompt that cannot be trained with.
    """
    if not pictures:
        raise recipe_fault("no_pictures", "A run needs at least one picture.")
    shapes: dict[tuple[int, int], list[int]] = {}
    frames = _frames(recipe, pictures)
    encoded = []
    for number, (picture, own) in enumerate(zip(pictures, frames, strict=True)):
        if should_stop():
            return None
        encoded.append(_encoded(base, recipe, picture, own))
        shapes.setdefault(own.size, []).append(number)
    buckets = [_bucket(members, [encoded[n] for n in members], recipe) for members in shapes.values()]
    for bucket in buckets:
        if not bool(torch.isfinite(bucket.means).all() and torch.isfinite(bucket.deviations).all()):
            raise recipe_fault("bad_picture", "A picture cannot be encoded by this base model.")
    prompts, choices = _prompts(base, recipe, pictures)
    ids = [
        torch.tensor(_ids(encoder.tokenizer, prompts, recipe), device=base.device)
        for encoder in base.encoders
    ]
    context = Context.of(base, recipe) if recipe.context_reg else None
    return Dataset(buckets, ids, prompts, choices, prompts.index(""), dataset_digest(pictures), context)


def dataset_digest(pictures: Sequence[Picture]) -> str:
    """SHA-256 over the pictures' digests, captions, focus boxes and masks, in order of digest."""
    lines = sorted(json.dumps(_identity(picture), ensure_ascii=False) for picture in pictures)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _identity(picture: Picture) -> list[Any]:
    plain: list[Any] = [picture.sha256, picture.caption or ""]
    extra = picture.focus is not None or picture.mask_sha256
    return [*plain, picture.focus, picture.mask_sha256] if extra else plain


def _frames(recipe: Recipe, pictures: Sequence[Picture]) -> list[Frame]:
    """What is shown of each picture. Only headers are read here."""
    sources = [upright_size(picture.path) for picture in pictures]
    sizes = [(recipe.resolution, recipe.resolution)] * len(pictures)
    if recipe.crop == "buckets":
        sizes = bucket_sizes(sources, recipe.resolution)
    return [
        frame(source, size, picture.focus if recipe.crop == "focus" else None)
        for picture, source, size in zip(pictures, sources, sizes, strict=True)
    ]


def _encoded(base: BaseModel, recipe: Recipe, picture: Picture, own: Frame) -> dict[str, Tensor]:
    """Latents, sizes and mask of one picture in every orientation, each [orientation, 1, …]."""
    image = upright(picture.path)
    pixels = to_pixels(on_ground(recipe.background, image), own).unsqueeze(0)
    mask = to_weights(weights(picture, image, recipe.mask, recipe.mask_outside), own, base.latent_factor)
    turns, masks = [(pixels, own)], [mask]
    if recipe.flip:
        turns.append((pixels.flip(-1), own.mirrored()))
        masks.append(mask.flip(-1))
    latents = [base.to_latents(shown) for shown, _ in turns]
    return {
        "means": torch.stack([mean for mean, _ in latents]),
        "deviations": torch.stack([deviation for _, deviation in latents]),
        "sizes": torch.tensor([[shown.conditioning()] for _, shown in turns], device=base.device),
        "masks": torch.stack(masks).unsqueeze(1).to(base.device),
    }


def _bucket(members: list[int], encoded: list[dict[str, Tensor]], recipe: Recipe) -> Bucket:
    joined = {name: torch.cat([own[name] for own in encoded], dim=1) for name in encoded[0]}
    masks = joined["masks"] if recipe.mask != "off" else None
    return Bucket(members, joined["means"], joined["deviations"], joined["sizes"].float(), masks)


def _ids(tokenizer: Any, prompts: list[str], recipe: Recipe) -> list[list[int]]:
    chunks = recipe.long_prompts == "chunks"
    return padded_ids(
        tokenizer,
        [
            training_ids(tokenizer, prompt, recipe.vectors_per_token, chunks=chunks)
            if prompt
            else prompt_ids(tokenizer, "", 0)
            for prompt in prompts
        ],
    )


def _prompts(
    base: BaseModel, recipe: Recipe, pictures: Sequence[Picture]
) -> tuple[list[str], list[list[int]]]:
    """Distinct prompts, the empty one first, and each picture's share of them."""
    lines = recipe.templates or templates(recipe.kind, base.facts.record)
    places = {"": 0}
    choices = []
    for number, picture in enumerate(pictures):
        caption = picture.caption if recipe.captions else None
        own = [
            prompt
            for variant in caption_variants(recipe, caption, number)
            for prompt in training_prompts(lines, variant)
        ]
        choices.append([places.setdefault(prompt, len(places)) for prompt in own])
    return list(places), choices
