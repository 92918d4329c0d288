"""What a run of 1,000 steps writes to be able to go on: `python -m benchmarks.checkpoint_size`. No model is needed.

Rows are random; what counts is how many, how wide, and how much of them goes into each file.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

from trainer.engine import checkpoint
from trainer.engine.checkpoint import Identity
from trainer.engine.loop import CHECKPOINT_STEPS
from trainer.engine.state import EVERY, RunState
from trainer.recipe import Recipe

STEPS = 1000
VECTORS = 8
WIDTHS = {"sd1": [768], "sdxl": [768, 1280]}


def written(family: str, folder: Path) -> list[tuple[int, int, float]]:
    """Of each checkpoint its own bytes, those of parts that were not there before, and seconds."""
    recipe = Recipe.for_preset("standard", family=family, kind="style", trigger="moss", seed=1)
    state = RunState.start([torch.randn(VECTORS, width) for width in WIDTHS[family]])
    known: set[str] = set()
    found = []
    for step in range(1, STEPS + 1):
        state.step = step
        state.rows = [rows + 0.001 for rows in state.rows]
        state.add_to_average()
        state.remember([0.1 + 0.01 / step])
        if step % EVERY == 0:
            state.fixed.append(0.1 + 0.02 / step)
            state.keep_mark()
        if step % CHECKPOINT_STEPS == 0:
            identity = Identity(recipe.to_json(), "0" * 64, "1" * 64)
            began = time.perf_counter()
            made = checkpoint.save(state, identity, folder / f"step-{step:06d}.safetensors")
            seconds = time.perf_counter() - began
            new = {part["sha256"]: part["size"] for part in made["parts"] if part["sha256"] not in known}
            known |= set(new)
            found.append((made["size"], sum(new.values()), seconds))
    return found


def main() -> None:
    """Print a line for each family."""
    for family in WIDTHS:
        with tempfile.TemporaryDirectory() as folder:
            sizes, parts, seconds = zip(*written(family, Path(folder)), strict=True)
        sys.stdout.write(
            f"{family}, {VECTORS} vectors, step {STEPS:,}: {sizes[-1]:,} bytes, new parts with it {parts[-1]:,};"
            f" over the run {statistics.mean(sizes):,.0f} + {statistics.mean(parts):,.0f} a checkpoint,"
            f" {statistics.median(seconds) * 1000:.1f} ms (fastest {min(seconds) * 1000:.1f})\n"
        )


if __name__ == "__main__":
    main()
