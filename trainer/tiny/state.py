"""What training keeps between two sittings: pictures, averaged weights and atomic checkpoints."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.tiny.world import examples


class Average:
    """An exponential average of parameters; the averaged weights are the ones that ship."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], decay: float = 0.999) -> None:
        self.parameters = list(parameters)
        self.decay = decay
        self.shadow = [parameter.detach().clone() for parameter in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Takes the parameters after `step` in; early steps count for more."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.shadow, [parameter.detach() for parameter in self.parameters], 1 - decay)

    @torch.no_grad()
    def copy_to(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Overwrites the parameters by their average."""
        for parameter, shadow in zip(parameters, self.shadow, strict=True):
            parameter.copy_(shadow)

    def state_dict(self) -> dict[str, Any]:
        """The average alone."""
        return {"shadow": self.shadow}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a saved average."""
        for mine, saved in zip(self.shadow, state["shadow"], strict=True):
            mine.copy_(saved)


class Log:
    """Prints the mean loss and the speed every hundred steps."""

    def __init__(self, name: str, step: int) -> None:
        self.name, self.last, self.begun, self.total = name, step, time.monotonic(), torch.zeros(())

    def take(self, step: int, loss: torch.Tensor) -> None:
        """Counts one step in."""
        self.total = self.total + loss
        if (step + 1) % 100 == 0:
            count = step + 1 - self.last
            speed = count / (time.monotonic() - self.begun)
            print(f"{self.name} step {step + 1} loss {self.total.item() / count:.4f} {speed:.2f} steps/s", flush=True)
            self.last, self.begun, self.total = step + 1, time.monotonic(), torch.zeros(())


def save_state(path: Path, step: int, parts: dict[str, Any]) -> None:
    """Writes a checkpoint so that a crash leaves the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".tmp")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, fresh)
    os.replace(fresh, path)


def load_state(path: Path, parts: dict[str, Any]) -> int:
    """Fills the parts from a checkpoint; the steps done, 0 without one."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(saved[name])
    return int(saved["step"])


def load_pictures(state: Path, count: int, seed: int) -> tuple[torch.Tensor, list[str]]:
    """`count` training pictures (uint8, N x 64 x 64 x 3) and captions, drawn once and kept."""
    path, words = state / f"pictures-{seed}-{count}.npy", state / f"captions-{seed}-{count}.txt"
    if not (path.exists() and words.exists()):
        state.mkdir(parents=True, exist_ok=True)
        pictures, captions = np.empty((count, 64, 64, 3), np.uint8), []
        for index, (_, text, picture) in enumerate(examples(count, seed)):
            pictures[index] = np.asarray(picture)
            captions.append(text)
        words.write_text("\n".join(captions))
        np.save(path, pictures)
    return torch.from_numpy(np.load(path)), words.read_text().split("\n")
