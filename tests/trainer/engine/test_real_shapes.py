"""The real shapes of every family are converted and train within 16 GiB of memory. Random weights; minutes each."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
OPTIONS = ("--memory-only", "--resolution", "128", "--precision", "bf16")


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
def test_real_shapes_train_within_sixteen_gib(family: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.training", "--real", family, *OPTIONS, "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    facts = json.loads(done.stdout)["ours"]
    assert facts["peak_gib"] < 16
    assert facts["base_intact"] is True
    assert facts["encoders"] == (["clip_l", "clip_g"] if family == "sdxl" else ["emb_params"])
    assert all(cosine < 1 for encoder in facts["cosine_to_initializer"] for cosine in encoder)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_a_checkpoint_of_real_shapes_comes_back_bit_for_bit(family: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.real_checkpoint", family, "--folder", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=3600,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    facts = json.loads(done.stdout)
    assert facts["family"] == family
    assert facts["peak_gib"] < 16
    assert facts["tensors"] > 1000
