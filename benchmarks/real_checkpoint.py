"""Convert a checkpoint of a family's real shapes, with random weights: does it come back whole, and at what price?

    python -m benchmarks.real_checkpoint sdxl [--folder DIR]

One JSON object comes out: size of the file, seconds, peak memory of the engine (its own, and with the pages of the
file that the system could take back), whether every tensor is bit-equal, and whether diffusers opens the folder.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from benchmarks import checkpoints
from trainer.base_file import read_base_file
from trainer.base_folder import read_base
from trainer.base_shapes import plan_of
from trainer.child import EngineChild

FAMILIES = ("sd1", "sd2", "sdxl")


def measure(family: str, root: Path) -> dict[str, Any]:
    """Write a checkpoint, convert it in the engine, compare."""
    prediction = "v_prediction" if family == "sd2" else "epsilon"
    path, folder = root / f"{family}.safetensors", root / family
    folder.mkdir()
    checkpoints.write(path, plan_of(family, prediction=prediction, zero_snr=False, resolution=512))
    file = read_base_file(path, prediction=prediction)
    plan = plan_of(file.family, prediction=file.prediction, zero_snr=False, resolution=file.resolution)
    started = time.monotonic()
    own, whole = convert(path, folder, plan)
    seconds = time.monotonic() - started
    made = read_base(folder)
    return {
        "family": made.family,
        "resolution": made.resolution,
        "prediction": made.prediction,
        "file_gib": round(path.stat().st_size / 2**30, 2),
        "seconds": round(seconds, 1),
        "own_gib": round(own / 2**20, 2),
        "peak_gib": round(whole / 2**20, 2),
        "tensors": compare(path, folder, plan),
    }


def convert(path: Path, folder: Path, plan: dict[str, Any]) -> tuple[int, int]:
    """Have the engine convert it; its peak memory in KiB, its own and all."""
    child = EngineChild()
    child.start()
    peaks = [0, 0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            try:
                lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            except OSError:
                return
            facts = dict(line.split(":", 1) for line in lines)
            for place, name in enumerate(("RssAnon", "VmRSS")):
                peaks[place] = max(peaks[place], int(facts.get(name, "0 kB").split()[0]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        child.send({"do": "convert", "id": "1", "file": str(path), "folder": str(folder), "plan": plan})
        *_, last = child.events(timeout=1800)
        if last["event"] != "converted":
            raise SystemExit(f"not converted: {last}")
    finally:
        done.set()
        watcher.join()
        child.kill()
    return peaks[0], peaks[1]


def compare(path: Path, folder: Path, plan: dict[str, Any]) -> int:
    """How many tensors of the file come back from the folder bit for bit; SystemExit names one that does not."""
    count = 0
    with safe_open(path, "pt") as source:
        names = set(source.keys())
        for part in ("unet", "vae", *(checkpoints.encoder(n) for n in range(len(plan["encoders"])))):
            (file,) = (folder / part).glob("*.safetensors")
            own = {name.removeprefix("text_model."): tensor for name, tensor in load_file(file).items()}
            for name, tensor in checkpoints.turned_part(plan, part, own).items():
                if name not in names:
                    raise SystemExit(f"{name} was not in the file")
                if name.endswith(checkpoints.NOT_KEPT):
                    continue
                if not torch.equal(tensor, source.get_tensor(name)):
                    raise SystemExit(f"{name} came back changed")
                count += 1
    return count


def main() -> None:
    """Measure one family."""
    parser = argparse.ArgumentParser()
    parser.add_argument("family", choices=FAMILIES)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    root = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        print(json.dumps(measure(given.family, root)))
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
