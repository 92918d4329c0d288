"""A whole run on a family's real shapes with random weights: train, stop, go on elsewhere, draw. Memory and time.

    python -m benchmarks.real_run sd15 [--resolution 128] [--precision bf16] [--folder DIR]

The engine's own program does it, once without a break and once stopped after two steps and gone on with by another
process from the checkpoint; both must end with the same bits. Then the sheet of a negative word is drawn. One JSON
object comes out, with the peak memory of each process. Pictures are small and of two sampler steps: the shapes are
real, the pictures of random weights say nothing.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import shapes
from benchmarks.sides import Scene, noise_pictures
from trainer.base_folder import file_digest
from trainer.child import EngineChild

FAMILIES = {"sd15": "sd1", "sd2": "sd2", "sdxl": "sdxl"}
STEPS, STOP_AT = 4, 2
PATIENCE = 3600.0


class Engine:
    """One engine process, and the most memory it had."""

    def __init__(self, child: EngineChild) -> None:
        self.child = child

    def ask(self, command: dict[str, Any], *, stop_at: int | None = None) -> dict[str, Any]:
        """The event that ends the command, stopped at a step where asked. Raises SystemExit when it failed."""
        self.child.send(command)
        for event in self.child.events(PATIENCE):
            if stop_at is not None and event.get("step") == stop_at and event["event"] == "progress":
                self.child.cancel(str(command["id"]))
            last = event
        if last["event"] == "failed":
            raise SystemExit(f"{last['message']} {last['detail']}")
        return last

    @property
    def peak_gib(self) -> float:
        """The process's high-water mark."""
        lines = Path(f"/proc/{self.child.pid}/status").read_text().splitlines()
        (kilobytes,) = (int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        return round(kilobytes / 2**20, 2)


@contextmanager
def engine() -> Iterator[Engine]:
    """A fresh engine process."""
    child = EngineChild()
    child.start()
    try:
        yield Engine(child)
    finally:
        child.kill()


def measure(family: str, resolution: int, precision: str, root: Path) -> dict[str, Any]:
    """Everything, for one family."""
    base = root / "base"
    shapes.build(FAMILIES[family], base, resolution)
    pictures = noise_pictures(root / "pictures", 4, (2 * resolution, 2 * resolution))
    recipe = Scene(base, FAMILIES[family], pictures, resolution, precision).recipe(1, STEPS)

    def train(work: str, resume: str | None = None) -> dict[str, Any]:
        images = [{"path": path, "sha256": file_digest(Path(path))} for path in pictures]
        command = {"do": "train", "id": "1", "base": str(base), "recipe": recipe.to_dict(), "images": images}
        return {**command, "workdir": str(root / work), "resume": resume}

    began = time.monotonic()
    with engine() as first:
        whole = first.ask(train("whole"))
        facts: dict[str, Any] = {"train_seconds": round(time.monotonic() - began, 1)}
        stopped = first.ask(train("cut"), stop_at=STOP_AT)
        facts |= {
            "stopped_at": stopped["step"],
            "checkpoint_bytes": Path(stopped["checkpoint"]).stat().st_size,
        }
        facts["train_peak_gib"] = first.peak_gib
    with engine() as second:
        gone_on = second.ask(train("cut", stopped["checkpoint"]))
        began = time.monotonic()
        sheet = second.ask(
            {
                "do": "sheet",
                "id": "2",
                "base": str(base),
                "embedding": gone_on["embedding"],
                "kind": "negative",
                "trigger": recipe.trigger,
                "initializer": recipe.initializer,
                "precision": precision,
                "workdir": str(root / "sheet"),
            }
        )
        facts |= {"sheet_seconds": round(time.monotonic() - began, 1), "resume_peak_gib": second.peak_gib}
    return {
        "family": family,
        "resolution": resolution,
        "precision": precision,
        "steps": gone_on["steps"],
        "encoders": [encoder["slot"] for encoder in gone_on["encoders"]],
        "equal": gone_on["tensor_digest"] == whole["tensor_digest"],
        "moved": all(cosine < 1 for own in gone_on["cosine_to_initializer"] for cosine in own),
        "base_intact": gone_on["base_intact"] and sheet["intact"],
        "pictures": len(sheet["images"]),
        "load": round(os.getloadavg()[0], 1),
        **facts,
    }


def main() -> None:
    """Measure one family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--resolution", type=int, default=128)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--folder", type=Path, help="where there is room for some gigabytes")
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        print(json.dumps(measure(given.family, given.resolution, given.precision, root)))
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
