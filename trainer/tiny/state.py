"""What training keeps between two sittings: pictures, averaged weights and atomic checkpoints."""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file

from trainer.tiny.compounds import lessons
from trainer.tiny.unnamed import NUMBERS
from trainer.tiny.world import examples


def say(line: str) -> None:
    """A line for whoever waits at the terminal or reads the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


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
        """The average alone, by the place of each parameter."""
        return {str(index): shadow for index, shadow in enumerate(self.shadow)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from a saved average."""
        for index, mine in enumerate(self.shadow):
            mine.copy_(state[str(index)])


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
            say(f"{self.name} step {step + 1} loss {self.total.item() / count:.4f} {speed:.2f} steps/s")
            self.last, self.begun, self.total = step + 1, time.monotonic(), torch.zeros(())


def save_state(path: Path, step: int, parts: dict[str, Any]) -> None:
    """Writes a checkpoint so that a crash leaves the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, torch.Tensor] = {}
    for name, part in parts.items():
        tensors |= {f"{name}/{key}": value for key, value in _tensors(part.state_dict()).items()}
    fresh = path.with_suffix(".tmp")
    save_file({key: value.contiguous() for key, value in tensors.items()}, fresh, {"step": str(step)})
    os.replace(fresh, path)


def load_state(path: Path, parts: dict[str, Any]) -> int:
    """Fills the parts from a checkpoint; the steps done, 0 without one."""
    if not path.exists():
        return 0
    with safe_open(path, "pt") as file:
        saved = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - the file is no mapping
        step = int(file.metadata()["step"])
    for name, part in parts.items():
        own = {
            key.removeprefix(f"{name}/"): value for key, value in saved.items() if key.startswith(f"{name}/")
        }
        if not own:
            continue  # a part that came later starts from its own values
        if isinstance(part, torch.optim.Optimizer):
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in own.items():
                index, field = key.removeprefix("state/").split("/")
                state.setdefault(int(index), {})[field] = value
            part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})
        else:
            part.load_state_dict(own)
    return step


def _tensors(values: dict[Any, Any], prefix: str = "") -> dict[str, torch.Tensor]:
    """The tensors of a nested state, by their path; plain values are settings and are not kept."""
    found: dict[str, torch.Tensor] = {}
    for key, value in values.items():
        if isinstance(value, torch.Tensor):
            found[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            found |= _tensors(value, f"{prefix}{key}/")
    return found


def load_pictures(state: Path, count: int, seed: int) -> tuple[torch.Tensor, list[str]]:
    """`count` training pictures (uint8, N x 64 x 64 x 3) and captions, drawn once and kept."""
    path, words = state / f"pictures-{seed}-{count}.npy", state / f"captions-{seed}-{count}.txt"
    if not (path.exists() and words.exists()):
        captions = _draw(((text, picture) for _, text, picture in examples(count, seed)), count, path)
        words.write_text("\n".join(captions))
    return torch.from_numpy(np.load(path)), words.read_text().split("\n")


def load_compounds(
    state: Path, count: int, seed: int
) -> tuple[torch.Tensor, list[dict[str, Any]], dict[str, torch.Tensor]]:
    """`count` pictures of compound lessons (as `load_pictures`), of each its `caption` and `tokens`, and the numbers
    of what has no name (`count` x k, float32, 0 where a lesson has none)."""
    kept = [state / f"compounds-{seed}-{count}.{end}" for end in ("npy", "json", "npz")]
    path, words, described = kept
    if not all(file.exists() for file in kept):
        numbers: dict[str, np.ndarray] = {
            name: np.zeros((count, size), np.float16) for name, size in NUMBERS.items()
        }

        def drawn() -> Iterator[tuple[dict[str, Any], Image.Image]]:
            for index, one in enumerate(lessons(count, seed)):
                for name, found in one.numbers.items():
                    numbers[name][index] = found
                yield {"caption": one.caption, "tokens": one.tokens}, one.picture

        words.write_text(json.dumps(_draw(drawn(), count, path)))
        np.savez(described, **numbers)  # type: ignore[arg-type]
    with np.load(described) as file:
        found = {name: torch.from_numpy(file[name]).float() for name in NUMBERS}
    return torch.from_numpy(np.load(path)), json.loads(words.read_text()), found


def _draw(drawn: Iterable[tuple[Any, Image.Image]], count: int, path: Path) -> list[Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures: np.ndarray = np.empty((count, 64, 64, 3), np.uint8)
    texts = []
    for index, (text, picture) in enumerate(drawn):
        pictures[index] = np.asarray(picture)
        texts.append(text)
    np.save(path, pictures)
    return texts
