"""The diffusers example itself, run unchanged and replayed: the same inputs give the same rows.

Set GLOSSA_TEXTUAL_INVERSION_EXAMPLE to a copy of diffusers' examples/textual_inversion/textual_inversion.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.engine.conftest import Images
from trainer.engine.base_model import BaseModel
from trainer.engine.optimiser import Moments, adamw
from trainer.engine.tokens import word_ids

SCRIPT = os.environ.get("GLOSSA_TEXTUAL_INVERSION_EXAMPLE", "")
STEPS = 20


@pytest.mark.skipif(not SCRIPT, reason="GLOSSA_TEXTUAL_INVERSION_EXAMPLE names no copy of the example")
def test_rows_of_the_example_itself(epsilon_base: BaseModel, images: Images, tmp_path: Path) -> None:
    pictures, out, record = tmp_path / "pictures", tmp_path / "out", tmp_path / "record.safetensors"
    pictures.mkdir()
    for number, image in enumerate(images):
        (pictures / f"{number}.png").write_bytes(Path(image["path"]).read_bytes())
    options = {
        "pretrained_model_name_or_path": epsilon_base.facts.path,
        "train_data_dir": pictures,
        "placeholder_token": "mossglow",
        "initializer_token": "star",
        "resolution": 64,
        "train_batch_size": 2,
        "max_train_steps": STEPS,
        "learning_rate": "5e-4",
        "lr_scheduler": "constant",
        "lr_warmup_steps": 0,
        "seed": 1,
        "output_dir": out,
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    runner = Path(__file__).with_name("example_runner.py")
    environment = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(runner), SCRIPT, str(record), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (theirs,) = load_file(out / "learned_embeds.safetensors").values()
    noted = load_file(record)
    ours = replayed(epsilon_base, noted)
    assert (
        theirs - epsilon_base.encoders[0].table[word_ids(epsilon_base.encoders[0].tokenizer, "star")]
    ).abs().max() > 1e-3
    assert (ours - theirs).abs().max() < 1e-6


def replayed(base: BaseModel, noted: dict[str, torch.Tensor]) -> torch.Tensor:
    """The row that the engine's parts learn from the inputs of the example's steps."""
    encoder = base.encoders[0]
    rows = encoder.table[word_ids(encoder.tokenizer, "star")].clone()
    moments = Moments.like(rows)
    for step in range(STEPS):
        latents, noise, times, ids = (
            noted[f"{step}.{name}"] for name in ("latents", "noise", "timesteps", "ids")
        )
        leaf = rows.clone().requires_grad_(True)
        with base.showing([leaf]):
            cond = base.encode([ids])
            predicted = base.denoise(
                base.noised(latents, noise, times), times, cond, torch.zeros(len(ids), 6)
            )
            (predicted - base.target(latents, noise, times)).square().mean().backward()
        assert leaf.grad is not None
        adamw(rows, leaf.grad, moments, step=step + 1, lr=5e-4, decay=1e-2, good=torch.tensor(True))
    return rows
