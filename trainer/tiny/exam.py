"""Examines a base model: asks it for fresh scenes, lets the judge look, and prints one table.

Prompts and noise are new in every examination; the number that brings one back is printed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from trainer.tiny import world
from trainer.tiny.export import RECORD
from trainer.tiny.judge import Judge, look
from trainer.tiny.world import Scene

AT_ONCE = 10


@dataclass(frozen=True)
class Question:
    """What the base is asked for, and with which noise."""

    scene: Scene
    prompt: str
    seed: int


def load_pipeline(folder: Path) -> StableDiffusionPipeline:
    """The base as any diffusers user loads it, in single precision and silent."""
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=torch.float32, safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def draw(
    pipeline: StableDiffusionPipeline, prompts: Sequence[str], seeds: Sequence[int], negative: str = ""
) -> list[Image.Image]:
    """One picture a prompt, with the settings of the base's record."""
    pictures: list[Image.Image] = []
    for start in range(0, len(prompts), AT_ONCE):
        part = list(prompts[start : start + AT_ONCE])
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds[start : start + AT_ONCE]]
        pictures += pipeline(
            part,
            negative_prompt=[negative] * len(part),
            num_inference_steps=RECORD["steps"],
            guidance_scale=RECORD["guidance"],
            generator=generators,
        ).images
    return pictures


def questions(count: int, rng: Random, *, held_out: bool) -> list[Question]:
    """Fresh questions without defects, of known or of held-out combinations."""
    found: list[Question] = []
    while len(found) < count:
        scene = world.random_scene(rng, held_out=held_out)
        if scene.defect is None:
            found.append(Question(scene, world.plain_caption(scene), rng.getrandbits(31)))
    return found


def examine(pipeline: StableDiffusionPipeline, judge: Judge, asked: Sequence[Question]) -> dict[str, float]:
    """The share of pictures that are right, for each axis."""
    pictures = draw(pipeline, [q.prompt for q in asked], [q.seed for q in asked])
    right = dict.fromkeys(("ground", "colours", "shape", "fill", "size", "all"), 0)
    for question, seen in zip(asked, look(judge, pictures), strict=True):
        scene = question.scene
        hits = {
            "ground": seen.ground == scene.ground,
            "colours": seen.colours == frozenset(scene.colours),
            "shape": seen.shape == scene.shape,
            "fill": seen.fill == scene.fill,
            "size": seen.size == ("small" if scene.small else "large"),
        }
        for axis, hit in (hits | {"all": all(hits.values())}).items():
            right[axis] += hit
    return {axis: hits / len(asked) for axis, hits in right.items()}


def table(rows: dict[str, dict[str, float]]) -> str:
    """Shares as a Markdown table, one line a row."""
    axes = list(next(iter(rows.values())))
    lines = ["| | " + " | ".join(axes) + " |", "| --- |" + " --- |" * len(axes)]
    lines += [
        f"| {name} | " + " | ".join(f"{shares[axis]:.1%}" if axis in shares else "" for axis in axes) + " |"
        for name, shares in rows.items()
    ]
    return "\n".join(lines)


def contact_sheet(pictures: Sequence[Image.Image], columns: int, scale: int = 2) -> Image.Image:
    """The pictures in rows, enlarged, for people to look at."""
    side = 64 * scale
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (side + 4), rows * (side + 4)), (255, 255, 255))
    for index, picture in enumerate(pictures):
        place = ((index % columns) * (side + 4), (index // columns) * (side + 4))
        sheet.paste(picture.resize((side, side), Image.Resampling.BICUBIC), place)
    return sheet
