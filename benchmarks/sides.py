"""The two ways of training that benchmarks.training holds side by side, on one base in one process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from PIL import Image

from benchmarks.reference import WORD, Reference, Stream
from trainer.engine import loop
from trainer.engine.base_model import BaseModel
from trainer.engine.dataset import prepare
from trainer.engine.objective import gradient
from trainer.engine.optimiser import NormControl
from trainer.engine.pictures import picture_from
from trainer.engine.probe import Probe
from trainer.engine.randomness import draw
from trainer.engine.render import Shot, render
from trainer.engine.start import start_rows
from trainer.engine.state import RunState
from trainer.prompts import templates
from trainer.recipe import Recipe

INITIALIZER = "star"
PROMPT = "a photo of a [name]"


@dataclass(frozen=True)
class Scene:
    """What both sides train on."""

    folder: Path
    family: str
    pictures: list[str]
    resolution: int
    precision: str

    @property
    def dtype(self) -> torch.dtype:
        """Of the UNet, and in the reference of the VAE too."""
        return {"fp32": torch.float32, "bf16": torch.bfloat16}[self.precision]

    def recipe(self, batch: int, steps: int) -> Recipe:
        """Our standard recipe at this batch, with as many vectors as the reference has."""
        return Recipe.for_preset(
            "standard",
            family=self.family,
            kind="object",
            trigger=WORD,
            initializer=INITIALIZER,
            vectors_per_token=1,
            resolution=self.resolution,
            precision=self.precision,
            batch=batch,
            accumulate=1,
            max_steps=steps,
            seed=1,
        )


@dataclass
class Ours:
    """The engine's step, as `loop.train` does it, without the evaluations between steps."""

    base: BaseModel
    scene: Scene
    batch: int

    def __post_init__(self) -> None:
        self.recipe = self.scene.recipe(self.batch, 10_000)
        data = prepare(self.base, self.recipe, [picture_from({"path": path}) for path in self.scene.pictures])
        assert data is not None
        self.data = data
        self.state = RunState.start(start_rows(self.base, self.recipe))
        self.probe = Probe(self.base, self.recipe, data)
        self.fit = loop.Fit(self.batch)
        self.state.fit = self.fit
        self.norms = [NormControl(self.recipe.norm, encoder.table) for encoder in self.base.encoders]
        self.meter = loop.Meter()

    def step(self) -> None:
        """One update."""
        inputs = draw(self.recipe, self.data, self.state.step, self.base.timesteps)
        loss, gradients = gradient(self.base, self.recipe, self.data, self.state.rows, inputs, self.fit)
        loop.update(self.recipe, self.state, self.norms, loss, gradients, self.meter)

    def whole(self, steps: int, save: Callable[[RunState], None]) -> None:
        """The loop itself from a fresh start: evaluations, progress and checkpoints with it."""
        state = RunState.start(start_rows(self.base, self.recipe))
        recipe = self.recipe.replace(max_steps=steps, early_stop=False)
        hooks = loop.Hooks(lambda *_, **__: None, lambda: False, save)
        loop.train(self.base, recipe, self.data, state, self.probe, hooks)

    def pictures(self, count: int) -> None:
        """Preview pictures, as a sheet draws them."""
        render(self.base, [Shot(PROMPT, seed, rows=tuple(self.state.rows)) for seed in range(count)])


class Theirs:
    """The reference, `passes` passes of the UNet an update."""

    def __init__(self, base: BaseModel, scene: Scene, batch: int, passes: int) -> None:
        shared: dict[str, Any] = {"unet": base.unet}
        if scene.dtype == torch.float32:
            shared["vae"] = base.vae
        self.reference = Reference(
            scene.folder, INITIALIZER, side=scene.resolution, dtype=scene.dtype, **shared
        )
        self.base, self.scene, self.batch, self.passes = base, scene, batch, passes
        side = scene.resolution // base.latent_factor
        lines = templates("object", base.facts.record)
        self.stream = Stream(scene.pictures, lines, (int(base.unet.config.in_channels), side, side), 1)
        self.pipeline: Any = None

    def step(self) -> None:
        """One update."""
        self.reference.update([self.stream.inputs(self.batch) for _ in range(self.passes)])

    def pictures(self, count: int) -> None:
        """Pictures one by one through the library's pipeline, as the reference validates."""
        pipeline = self.pipeline = self.pipeline or self._pipeline()
        facts = self.base.facts
        for seed in range(count):
            pipeline(
                PROMPT.replace("[name]", WORD),
                num_inference_steps=facts.steps,
                guidance_scale=facts.guidance,
                generator=torch.Generator().manual_seed(seed),
                height=facts.resolution,
                width=facts.resolution,
            )

    def _pipeline(self) -> Any:
        reference, scheduler = self.reference, self.base.sampler()
        texts = [text.to(self.scene.dtype) for text in reference.texts]
        parts: list[Any] = [reference.vae, *texts, *reference.tokenizers]
        if len(reference.texts) > 1:
            made = StableDiffusionXLPipeline(*parts, self.base.unet, scheduler, add_watermarker=False)
        else:
            made = StableDiffusionPipeline(
                *parts, self.base.unet, scheduler, None, None, requires_safety_checker=False
            )
        made.set_progress_bar_config(disable=True)
        return made


def noise_pictures(folder: Path, count: int, size: tuple[int, int], suffix: str = "png") -> list[str]:
    """Pictures of noise, for bases that know nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        path = folder / f"{number}.{suffix}"
        Image.effect_noise(size, 60 + number).convert("RGB").save(path)
        paths.append(str(path))
    return paths
