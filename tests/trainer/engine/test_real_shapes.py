"""The real shapes of every family are converted and train within 16 GiB of memory. Random weights; minutes each."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd15", "sd2", "sdxl"])
def test_real_shapes_train_stop_go_on_and_draw_within_sixteen_gib(family: str, tmp_path: Path) -> None:
    facts = said("benchmarks.real_run", family, tmp_path)
    assert max(facts["train_peak_gib"], facts["resume_peak_gib"]) < 16
    assert facts["encoders"] == (["clip_l", "clip_g"] if family == "sdxl" else ["emb_params"])
    assert 0 < facts["stopped_at"] < facts["steps"]
    assert facts["equal"] and facts["moved"] and facts["base_intact"]
    assert facts["pictures"] > 20


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_a_checkpoint_of_real_shapes_comes_back_bit_for_bit(family: str, tmp_path: Path) -> None:
    facts = said("benchmarks.real_checkpoint", family, tmp_path)
    assert facts["family"] == family
    assert facts["peak_gib"] < 16
    assert facts["tensors"] > 1000


def said(program: str, family: str, folder: Path) -> dict[str, Any]:
    """What a benchmark says of a family."""
    command = [sys.executable, "-m", program, family, "--folder", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=3600)
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout))
