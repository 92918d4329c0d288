"""Runs the diffusers textual_inversion example unchanged and writes down what each of its steps looked at.

    python example_runner.py SCRIPT RECORD.pt ARGUMENTS...

The record is what enters the noise scheduler (latents, noise, timesteps) and the token ids of each step. What the
script expects and an installation lacks is put in its place: torchvision's flip, the text model's inner name.
"""

import random
import runpy
import sys
import types
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from diffusers import DDPMScheduler
from PIL import Image
from transformers import CLIPTextModel

STEPS: list[dict[str, torch.Tensor]] = []


class RandomHorizontalFlip:
    """Mirrors half of the pictures."""

    def __init__(self, p: float = 0.5) -> None:
        self.share = p

    def __call__(self, picture: Image.Image) -> Image.Image:
        return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if random.random() < self.share else picture


def watch() -> None:
    """Have scheduler and text encoder write down what they are given."""
    add_noise: Any = DDPMScheduler.add_noise
    forward: Any = CLIPTextModel.forward

    def noting_noise(self: Any, latents: Any, noise: Any, timesteps: Any) -> Any:
        STEPS.append({"latents": latents.clone(), "noise": noise.clone(), "timesteps": timesteps.clone()})
        return add_noise(self, latents, noise, timesteps)

    def noting_ids(self: Any, input_ids: Any = None, *rest: Any, **named: Any) -> Any:
        if STEPS and "ids" not in STEPS[-1]:
            STEPS[-1]["ids"] = input_ids.clone()
        return forward(self, input_ids, *rest, **named)

    DDPMScheduler.add_noise = noting_noise
    CLIPTextModel.forward = noting_ids
    if not hasattr(CLIPTextModel, "text_model"):
        CLIPTextModel.text_model = property(lambda self: self)


def stand_in_for_torchvision() -> None:
    """A module of that name with the one thing the script takes from it."""
    try:
        import torchvision  # noqa: F401
    except ImportError:
        module, transforms = types.ModuleType("torchvision"), types.ModuleType("torchvision.transforms")
        vars(transforms)["RandomHorizontalFlip"] = RandomHorizontalFlip
        vars(module)["transforms"] = transforms
        sys.modules |= {"torchvision": module, "torchvision.transforms": transforms}


if __name__ == "__main__":
    script, record = sys.argv[1:3]
    stand_in_for_torchvision()
    watch()
    sys.argv = [script, *sys.argv[3:]]
    runpy.run_path(script, run_name="__main__")
    named = {f"{number}.{name}": value for number, step in enumerate(STEPS) for name, value in step.items()}
    safetensors.torch.save_file(named, Path(record))
